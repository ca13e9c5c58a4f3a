"""The text of Word files: whole ones, and those that are made to break or to exhaust what reads them."""

from __future__ import annotations

import zipfile
from email.message import EmailMessage
from io import BytesIO

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.mail import read_mail
from checks.updates.word_files import MAX_CONTENT, read_word_text

_SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def packed(content: bytes, name: str = "word/document.xml") -> bytes:
    with zipfile.ZipFile(data := BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return data.getvalue()


def written(body: str, head: str = "") -> bytes:
    return packed(f"{head}<w:document {_SPACE}><w:body>{body}</w:body></w:document>".encode())


def test_paragraphs_tables_and_tabs_are_read_in_their_order() -> None:
    document = Document()
    document.add_table(1, 2).rows[0].cells[0].text = "UBND XÃ DIÊN AN"
    document.add_paragraph("Số:\t12/KH-UBND")
    document.add_paragraph("Kế hoạch ra quân").add_run(" vệ sinh môi trường")
    document.save(data := BytesIO())

    assert read_word_text(data.getvalue(), limit=4000).splitlines() == [
        "UBND XÃ DIÊN AN",
        "Số: 12/KH-UBND",
        "Kế hoạch ra quân vệ sinh môi trường",
    ]


def test_what_was_deleted_while_changes_are_tracked_is_no_text() -> None:
    body = "<w:p><w:r><w:t>Còn</w:t></w:r><w:del><w:r><w:delText>Đã xóa</w:delText></w:r></w:del></w:p>"

    assert read_word_text(written(body), limit=100) == "Còn"


def test_no_more_is_read_than_is_wanted() -> None:
    line = f"<w:p><w:r><w:t>{'tin ' * 20}</w:t></w:r></w:p>"

    assert len(read_word_text(written(line * 2000), limit=300)) <= 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b"PK\x03\x04 no archive",
        packed(b"<a/>", "word/other.xml"),
        packed(b"\x00\x01"),
        written("<w:p><w:r><w:t>&lol;</w:t></w:r></w:p>", '<!DOCTYPE w [<!ENTITY lol "lol">]>'),
        packed(f"<?xml version='1.0' encoding='none-such'?><w:document {_SPACE}/>".encode()),
    ],
    ids=["empty", "pdf", "no archive", "no document", "no xml", "entities", "unknown encoding"],
)
def test_what_is_no_word_file_has_no_text(data: bytes) -> None:
    assert read_word_text(data, limit=4000) == ""


def test_a_document_that_unpacks_to_far_more_is_read_as_far_as_its_bound() -> None:
    blank = f"<w:p><w:r><w:t>{' ' * 1000}</w:t></w:r></w:p>" * (3 * MAX_CONTENT // 1000)
    bomb = written(f"{blank}<w:p><w:r><w:t>behind</w:t></w:r></w:p>")

    assert len(bomb) < MAX_CONTENT // 20
    assert "behind" not in read_word_text(bomb, limit=100 * MAX_CONTENT)


def test_a_file_that_is_cut_has_the_text_up_to_there_or_none() -> None:
    body = "".join(f"<w:p><w:r><w:t>Tin số {number}</w:t></w:r></w:p>" for number in range(3000))
    whole = written(body)

    for end in range(0, len(whole), 97):
        read_word_text(whole[:end], limit=4000)


def test_of_a_mail_with_many_word_files_only_the_first_are_read_whether_they_have_a_text_or_not() -> None:
    mail = EmailMessage()
    mail.set_content("Kính gửi Ban Biên tập.")
    for content in (b"PK no archive", written(""), packed(b"<a/>"), written("<w:p><w:r><w:t>Tin</w:t></w:r></w:p>")):
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="bai.docx")

    assert [one.text for one in read_mail(mail.as_bytes()).files] == ["", "", "", ""]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(content: bytes) -> None:
    read_word_text(packed(content), limit=100)
    read_word_text(b"PK" + content, limit=100)
