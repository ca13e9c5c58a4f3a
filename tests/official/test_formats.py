"""Every format of official papers: the same parts, untrusted words as text, and a real office program that reads it."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from portalops.errors import UnknownReport
from portalops.model.message import verbatim
from portalops.official.formats import load, names
from portalops.official.paper import OfficialPaper
from portalops.reports.document import Paragraph
from tests.official.sample import reminder, report
from tests.reports.sample import variety

VIETNAMESE = "ẮẰẲẴẶ ƯỨỪỬỮỰ ắằẳẵặ ưứừửữự Độc lập – Tự do – Hạnh phúc"
HOSTILE = '#panic("x") $x$ *đậm* _nghiêng_ `mã` <b>thẻ</b> =HYPERLINK("http://x") \u202etxt.exe @dẫn \\n'


def _pdf_text(data: bytes, folder: Path) -> str:
    (folder / "paper.pdf").write_bytes(data)
    done = subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=folder, check=True, capture_output=True)
    return " ".join(done.stdout.decode("utf-8").split())


@pytest.mark.parametrize("name", names())
def test_the_same_paper_gives_the_same_bytes(name: str) -> None:
    assert load(name).render(report(), language="vi") == load(name).render(report(), language="vi")


def test_a_pdf_holds_every_part_of_the_paper(tmp_path: Path) -> None:
    text = _pdf_text(load("pdf").render(report(), language="vi"), tmp_path)

    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Số: /BC-TTCĐS",
        "BÁO CÁO",
        "Kính gửi: Sở Khoa học và Công nghệ.",
        "thuộc trách nhiệm của Đơn vị quản lý Cổng: 04/11/2026",
        "nhận:",  # older poppler reads the letter before it, which is bold, twice
        "- Lưu: VT, ND.",
        "KT. GIÁM ĐỐC",
        "Phụ lục I TỔNG HỢP",
        "Tổng cộng 1.241 15 17 7/9",
    ):
        assert "".join(part.split()) in "".join(text.split()), "older poppler sees more spaces"


def test_words_of_others_are_never_read_as_marks(tmp_path: Path) -> None:
    paper = replace(reminder(), body=(Paragraph(verbatim(HOSTILE)), Paragraph(verbatim(VIETNAMESE))))

    text = _pdf_text(load("pdf").render(paper, language="vi"), tmp_path)
    markdown = load("markdown").render(paper, language="vi").decode("utf-8")

    shown = HOSTILE.replace("\u202e", "\\u202e").replace(" ", "")
    assert shown in text.replace(" ", "")
    assert VIETNAMESE in text and VIETNAMESE in markdown
    assert "\u202e" not in markdown and "\\<b\\>" in markdown


def test_markdown_has_heads_body_and_annex_in_the_papers_order() -> None:
    text = load("markdown").render(report(), language="vi").decode("utf-8")

    order = [
        "**CỘNG HÒA",
        "# BÁO CÁO",
        "Kính gửi:",
        "## I. PHẠM VI",
        "***Nơi nhận:***",
        "## Phụ lục I:",
        "## Phụ lục II:",
    ]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "\n- Lưu: VT, ND." in text


def test_a_workbook_holds_the_text_and_each_annex_on_a_sheet_with_real_numbers() -> None:
    opened = load_workbook(io.BytesIO(load("xlsx").render(report(), language="vi")))

    assert opened.sheetnames[0] == "1 Nội dung"
    annex = opened.worksheets[-2]
    assert str(annex["A1"].value).startswith("Phụ lục I: Tổng hợp tình hình cập nhật thông tin của các đơn vị")
    heads = [cell.value for cell in annex[3]]
    together = next(row for row in annex.iter_rows(values_only=True) if row[1] == "Tổng cộng")
    assert together[heads.index("Số tin, bài")] == 1241
    assert together[2:6] == (1241, 15, 17, "7/9")
    assert "Sở Khoa học và Công nghệ" in [cell.value for cell in opened.worksheets[0]["B"]]


def test_items_without_an_english_pair_are_an_annex_of_their_own() -> None:
    with_pairs = report(variety=variety())
    text = load("markdown").render(with_pairs, language="vi").decode("utf-8")

    assert "### 4\\. Loại thông tin và ngôn ngữ" in text
    assert "| loại thông tin thứ 3 theo Điều 8 | 0 |" in text
    assert "273 tin, bài không xác định được" in text
    assert "## Phụ lục III: Tin, bài tiếng Việt chưa có bản tiếng Anh" in text
    assert "Sở Công Thương tuyển dụng viên chức" in text


def test_an_unknown_format_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownReport, match="no format of official papers is named doc") as refused:
        load("doc")

    assert str(refused.value.hint).endswith(f"Choose one of: {', '.join(names())}.")


@pytest.mark.heavy
@pytest.mark.parametrize("paper", [reminder(), report()], ids=["letter", "report"])
def test_libreoffice_reads_the_draft(paper: OfficialPaper, tmp_path: Path) -> None:
    (tmp_path / "draft.docx").write_bytes(load("docx").render(paper, language="vi"))
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf", "draft.docx"],
        cwd=tmp_path, check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    text = _pdf_text((tmp_path / "draft.pdf").read_bytes(), tmp_path)

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text and "KT. GIÁM ĐỐC" in text
