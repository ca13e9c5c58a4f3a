"""DOCX drafts against Annex I of Decree 30/2020/NĐ-CP, by their XML: margins, type, heads, blank number, annex."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from docx import Document
from docx.document import Document as DocxDocument
from docx.shared import Mm, Pt

from portalops.official.formats import load
from portalops.official.paper import OfficialPaper
from tests.official.sample import reminder, report

DOCX = load("docx")


def _opened(paper: OfficialPaper, language: str = "vi") -> DocxDocument:
    return Document(io.BytesIO(DOCX.render(paper, language=language)))


def _xml(paper: OfficialPaper, part: str = "word/document.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(DOCX.render(paper, language="vi"))) as archive:
        return archive.read(part).decode("utf-8")


def _text(document: DocxDocument) -> str:
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


@pytest.mark.parametrize("paper", [reminder(), report()], ids=["letter", "report"])
def test_page_and_margins_are_those_of_the_annex(paper: OfficialPaper) -> None:
    section = _opened(paper).sections[0]
    page = [round(length.mm) for length in (section.page_width, section.page_height) if length]
    top, bottom, left, right = (
        round(length.mm, 1)
        for length in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        if length
    )

    assert page == [210, 297]
    assert 20 <= top <= 25 and 20 <= bottom <= 25
    assert 30 <= left <= 35 and 15 <= right <= 20


def test_every_letter_is_in_times_new_roman_for_every_script_and_the_language_is_vietnamese() -> None:
    styles = _xml(report(), "word/styles.xml")
    normal = re.search(r'<w:style [^>]*w:default="1"[^>]*w:styleId="Normal".*?</w:style>', styles, re.DOTALL)
    assert normal is not None

    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        assert f'w:{script}="Times New Roman"' in normal[0]
    assert "Theme=" not in normal[0]
    assert 'w:val="vi-VN"' in normal[0]


def test_the_heads_have_their_sizes_and_weights() -> None:
    left, right = _opened(report()).tables[0].rows[0].cells
    seen = [
        (run.text, run.font.size.pt if run.font.size else None, run.bold)
        for cell in (left, right)
        for paragraph in cell.paragraphs
        for run in paragraph.runs
    ]

    assert seen == [
        ("SỞ KHOA HỌC VÀ CÔNG NGHỆ KHÁNH HÒA", 12, False),
        ("TRUNG TÂM CHUYỂN ĐỔI SỐ TỈNH KHÁNH HÒA", 12, True),
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 12, True),
        ("Độc lập - Tự do - Hạnh phúc", 13, True),
    ]
    rules = [cell for cell in (left, right) if "w:pBdr" in cell._tc.xml]
    assert len(rules) == 2


@pytest.mark.parametrize(
    ("paper", "number"),
    [(reminder(), "Số:        /TTCĐS-ND"), (report(), "Số:        /BC-TTCĐS")],
    ids=["letter", "report"],
)
def test_number_and_date_stay_blank(paper: OfficialPaper, number: str) -> None:
    left, right = _opened(paper).tables[0].rows[1].cells

    assert left.paragraphs[0].text == number
    assert right.text == "Khánh Hòa, ngày       tháng       năm 2026"


def test_a_letter_says_what_it_is_about_under_its_number_and_a_report_has_its_name_in_the_middle() -> None:
    letter, paper = _opened(reminder()), _opened(report())

    assert letter.tables[0].rows[1].cells[0].paragraphs[1].text.startswith("V/v đôn đốc cập nhật thông tin")
    assert "BÁO CÁO" not in _text(letter)
    assert [p.text for p in paper.paragraphs if p.text][:2] == [
        "BÁO CÁO",
        "Tình hình thực hiện chế độ cập nhật thông tin trên Cổng thông tin điện tử tỉnh và các cổng con (từ ngày 15/10/2026"
        " đến ngày 14/11/2026)",
    ]


def test_body_paragraphs_are_justified_with_an_indent_and_a_gap() -> None:
    paragraph = next(p for p in _opened(report()).paragraphs if p.text.startswith("Báo cáo tổng hợp"))

    assert paragraph.alignment is not None and paragraph.alignment.name == "JUSTIFY"
    form = paragraph.paragraph_format
    assert form.first_line_indent == Mm(12.7)
    assert form.space_before is not None and form.space_before.pt >= 6
    assert form.line_spacing is not None and 1 <= float(form.line_spacing) <= 1.5
    assert {run.font.size.pt for run in paragraph.runs if run.font.size} == {14}


def test_the_foot_names_who_gets_it_and_who_signs_with_room_for_the_signature() -> None:
    foot = _opened(report(to_committee=True)).tables[-3]
    left, right = foot.rows[0].cells

    assert [p.text for p in left.paragraphs] == [
        "Nơi nhận:",
        "- Như trên;",
        "- Sở Khoa học và Công nghệ;",
        "- Lưu: VT, ND.",
    ]
    assert [run.font.size.pt for run in left.paragraphs[0].runs if run.font.size] == [12]
    assert [p.text for p in right.paragraphs] == ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC", "Trần Thị Bình"]
    assert right.paragraphs[-1].paragraph_format.space_before == Pt(72)


def test_pages_are_numbered_in_the_top_margin_but_for_the_first_and_annexes_by_themselves() -> None:
    document = _opened(report())

    for section in document.sections:
        assert section.different_first_page_header_footer
        assert "PAGE" in section.header._element.xml and "PAGE" not in section.first_page_header._element.xml
        assert 'w:start="1"' in section._sectPr.xml
    assert [section.orientation.name for section in document.sections] == ["PORTRAIT", "LANDSCAPE", "LANDSCAPE"]


def test_the_annex_is_numbered_in_roman_and_its_sum_is_that_of_the_report() -> None:
    document = _opened(report())
    rows = [[cell.text for cell in row.cells] for row in document.tables[-2].rows]

    assert "Phụ lục I" in [p.text for p in document.paragraphs], "counted where there are several"
    assert "Số liệu của từng đơn vị được nêu tại Phụ lục I kèm theo báo cáo này." in _text(document)
    assert rows[-1][1:6] == ["Tổng cộng", "1.241", "15", "17", "7/9"]
    assert "Ghi nhận 1.241 tin, bài được tính: 15 lần cập nhật trên cổng con" in _text(document)


def test_several_annexes_are_counted_in_roman_and_each_has_its_own_pages() -> None:
    document = _opened(report())

    assert [p.text for p in document.paragraphs if p.text.startswith("Phụ lục")] == ["Phụ lục I", "Phụ lục II"]
    assert [section._sectPr.xml.count("<w:pgNumType") for section in document.sections] == [1, 1, 1]


ORDER = {  # ECMA-376 Part 1, 17.3.1.26, 17.6.17 and A.1: what Word holds to, and other programs do not
    "pPr": "keepNext keepLines pBdr spacing ind jc rPr sectPr",
    "sectPr": "headerReference footerReference type pgSz pgMar pgNumType cols titlePg docGrid",
}


@pytest.mark.parametrize("paper", [reminder(), report()], ids=["letter", "report"])
def test_properties_stand_in_the_order_of_the_schema(paper: OfficialPaper) -> None:
    body = _opened(paper).element.body

    for name, order in ORDER.items():
        known = order.split()
        for element in body.iter(f"{{{body.nsmap['w']}}}{name}"):
            found = [child.tag.rpartition("}")[2] for child in element if child.tag.rpartition("}")[2] != "pStyle"]
            assert found == sorted(found, key=known.index)


def test_a_draft_holds_no_picture_of_somebody_elses_document() -> None:
    with zipfile.ZipFile(io.BytesIO(DOCX.render(report(), language="vi"))) as archive:
        assert not [name for name in archive.namelist() if "thumbnail" in name]


def test_what_the_managing_unit_missed_is_in_the_report_to_the_department() -> None:
    text = _text(_opened(report()))

    assert "Các ngày không cập nhật, thuộc trách nhiệm của Đơn vị quản lý Cổng: 04/11/2026." in text
    assert "Đơn vị quản lý Cổng" in [cell.text for row in _opened(report()).tables[-1].rows for cell in row.cells]


def test_untrusted_words_of_a_unit_are_text_and_no_markup() -> None:
    assert "&lt;b&gt;sẽ&lt;/b&gt; đăng bù trong tuần 45 &amp; 46" in _xml(report())


def test_the_same_paper_gives_the_same_bytes() -> None:
    assert DOCX.render(report(), language="vi") == DOCX.render(report(), language="vi")


def test_offices_are_named_as_on_the_papers_day() -> None:
    from datetime import date

    from tests.official.sample import office

    assert office(date(2024, 6, 1)).department.vi == "Sở Thông tin và Truyền thông"
    assert office(date(2026, 6, 1)).department.vi == "Sở Khoa học và Công nghệ"


def test_an_english_reader_gets_a_translation() -> None:
    text = _text(_opened(report(), "en"))

    assert re.search(r"The portal was updated on \d+ of \d+ working days\.", text)
    assert "BÁO CÁO" not in text
