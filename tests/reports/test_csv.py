"""Whole documents as CSV: for people in a spreadsheet, and for strict readers."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import Name
from portalops.reports import formats
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Line,
    LineChart,
    Notice,
    Paragraph,
    QrCode,
    Quantity,
    SignatureBlock,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from tests.programs import need
from tests.reports.sample import HOSTILE, VIETNAMESE, document

ZONE = "Asia/Ho_Chi_Minh"
MET = GridMark("✓", Tone.GOOD, msg("met"))


def records(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    before = csv.field_size_limit(1 << 24)
    try:
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    finally:
        csv.field_size_limit(before)


def shown(*blocks: Block, language: str = "en") -> list[list[str]]:
    """Return the records between the title and what stands at the end, without the empty fields at their ends."""
    made = Document(msg("Report"), blocks, zone=ZONE)
    found = [trimmed(record) for record in records(formats.load("csv").render(made, language=language))]
    assert found[:2] == [["Report" if language == "en" else "Báo cáo"], []]
    assert found[-2] == []
    assert found[-1][1:] == [ZONE]
    return found[2:-2]


def trimmed(record: Sequence[str]) -> list[str]:
    last = max((at for at, text in enumerate(record) if text), default=-1)
    return list(record[: last + 1])


def test_a_table_is_its_caption_its_header_and_its_rows_as_data() -> None:
    moment = datetime(2026, 8, 31, 17, 30, 15, tzinfo=UTC)
    rows = [
        ("Sở Y tế", 1234, date(2026, 9, 2), moment, ByteSize(2_800_000_000), Quantity(99.456, 2, "%"), None),
        (VIETNAMESE, -5, None, None, None, Quantity(7, 2, "%"), Status(msg("unmet"), Tone.BAD)),
    ]
    table = TableBlock(msg("Written"), [verbatim(letter) for letter in "abcdefg"], rows)
    assert shown(table, language="vi") == [
        ["Đã ghi"],
        ["a", "b", "c", "d", "e (B)", "f (%)", "g"],
        ["Sở Y tế", "1234", "2026-09-02", "2026-09-01T00:30:15+07:00", "2800000000", "99.46"],
        [VIETNAMESE, "-5", "", "", "", "7.00", "không đạt"],
    ]


def test_a_header_that_names_its_unit_does_not_name_it_twice() -> None:
    table = TableBlock(
        msg("Report"), (verbatim("Coverage, %"), verbatim("Size")), [(Quantity(61, 0, "%"), ByteSize(3))]
    )
    assert shown(table)[1] == ["Coverage, %", "Size (B)"]


def test_every_block_stands_apart_by_an_empty_record() -> None:
    facts: Sequence[tuple[Message, Cell]] = [(verbatim("Disk"), ByteSize(2048)), (verbatim("Units"), 30)]
    assert shown(
        Heading(2, verbatim("I. Scope")),
        Paragraph(verbatim("Words, with a comma.")),
        Bullets([verbatim("one"), verbatim("- two")]),
        KeyValues(facts),
        Notice(verbatim("Look"), Tone.BAD),
        Verbatim("age -d \\\n  -i key"),
        QrCode("a\nb\n", verbatim("Head code")),
        SignatureBlock([(verbatim("Director"), Name("Nguyễn Ẩn", "Nguyen An")), (verbatim("Clerk"), None)]),
        TableBlock(verbatim("Nothing"), (verbatim("a"),), ()),
    ) == [
        ["I. Scope"],
        [],
        ["Words, with a comma."],
        [],
        ["one"],
        ["'- two"],
        [],
        ["Disk (B)", "2048"],
        ["Units", "30"],
        [],
        ["✗ Look"],
        [],
        ["age -d \\"],
        ["  -i key"],
        [],
        ["Head code"],
        ["a"],
        ["b"],
        [],
        ["Director", "Nguyen An"],
        ["Clerk"],
        [],
        ["Nothing: nothing to show"],
    ]


def test_a_grid_is_a_table_of_signs_with_iso_days_and_what_they_mean_apart() -> None:
    days: Sequence[Cell] = [date(2026, 9, 1), date(2026, 9, 2), verbatim("W36")]
    grid = Grid(msg("Units and days"), days, [("=Sở Y tế", (MET, None, MET))], [(MET, msg("met"))], {1: msg("exempt")})
    assert shown(grid) == [
        ["Units and days"],
        ["", "2026-09-01", "2026-09-02", "W36"],
        ["'=Sở Y tế", "✓", "", "✓"],
        [],
        ["✓", "met"],
        ["2026-09-02", "exempt"],
    ]


def test_charts_are_their_numbers() -> None:
    bars = Bars(msg("Duties"), [(msg("All"), [(Tone.GOOD, msg("met"), 7), (Tone.BAD, msg("unmet"), 0)])])
    line = Line(verbatim("web-1"), Tone.GOOD, (99.5, None))
    lines = LineChart(verbatim("Availability"), (date(2026, 9, 1), date(2026, 9, 2)), (line,), 1, "%")
    assert shown(bars, lines) == [
        ["Duties"],
        ["What", "met", "unmet"],
        ["All", "7", "0"],
        [],
        ["Availability"],
        ["When", "web-1 (%)"],
        ["2026-09-01", "99.5"],
        ["2026-09-02"],
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_record_has_as_many_fields_as_the_widest_and_ends_as_the_rfc_asks(language: str) -> None:
    data = formats.load("csv").render(document(), language=language)
    assert len({len(record) for record in records(data)}) == 1
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")


def test_texts_of_others_are_whole_and_no_formula() -> None:
    word = "ữ" * 1_000_000
    texts = ("=1+1", "@SUM(1)", "+84 258", "-x", "\t=1", HOSTILE, word, 'a"b,c\r\nd')
    rows = [(text, verbatim(text)) for text in texts]
    table = TableBlock(verbatim("=caption"), (verbatim("=a"), verbatim("+b")), rows)
    found = shown(table, KeyValues([(verbatim("@label"), "=value")]), Paragraph(verbatim("-words")))
    fields = [field for record in found for field in record]
    assert not [field for field in fields if field.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert fields.count(word) == 2
    assert 'a"b,c\\r\\nd' in fields
    assert not any("\u202e" in field or "\x1b" in field for field in fields)


@pytest.mark.heavy
def test_a_long_table_is_whole_and_takes_little_memory() -> None:
    at = datetime(2026, 9, 1, tzinfo=UTC)
    rows = [(number, at + timedelta(seconds=number), "Sở Y tế", ByteSize(number)) for number in range(20_000)]
    made = Document(
        msg("Report"), [TableBlock(msg("Records"), [verbatim(letter) for letter in "abcd"], rows)], zone=ZONE
    )
    tracemalloc.start()
    data = formats.load("csv").render(made, language="vi")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.count(b"\r\n") == len(rows) + 6
    assert most < 4 * len(data)


@pytest.mark.heavy
def test_libreoffice_reads_the_same_from_it(tmp_path: Path) -> None:
    need("soffice")
    rows = [("=1+1", 1234, date(2026, 9, 2)), (VIETNAMESE, 5, None)]
    made = Document(
        msg("Report"), [TableBlock(msg("Records"), [verbatim(letter) for letter in "abc"], rows)], zone=ZONE
    )
    (tmp_path / "made.csv").write_bytes(formats.load("csv").render(made, language="vi"))
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to", "xlsx"]
    subprocess.run(
        [*command, "--infilter=CSV:44,34,76,1,,0,false,true,false,false", "--outdir", str(tmp_path), "made.csv"],
        cwd=tmp_path, check=True, capture_output=True, timeout=300, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    from openpyxl import load_workbook

    sheet = load_workbook(tmp_path / "made.xlsx").worksheets[0]
    found = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=5, max_row=6)]
    assert found == [["'=1+1", 1234, datetime(2026, 9, 2)], [VIETNAMESE, 5, None]]
