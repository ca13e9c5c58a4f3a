"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portalops.model.message import msg, verbatim
from portalops.reports.document import ByteSize, Cell, Status, TableBlock, Tone
from portalops.reports.table_csv import write_table
from tests.reports.sample import VIETNAMESE

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def fields(*row: Cell) -> Sequence[str]:
    heads = [verbatim(f"head {number}") for number in range(len(row))]
    data = write_table(TableBlock(msg("Report"), heads, [row]), language="vi", zone=ZONE)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1]


@pytest.mark.parametrize(
    "text", ["=1+1", "+84 258 3822 229", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", '="a",b', "-x", "+1+1"]
)
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert fields(text, verbatim(text)) == [f"'{text}", f"'{text}"]


@pytest.mark.parametrize(("text", "shown"), [("\t=1+1", "'\\t=1+1"), ("\r=1+1", "'\\r=1+1"), ("a\r\n=1", "a\\r\\n=1")])
def test_signs_that_a_spreadsheet_skips_are_shown_and_start_no_line(text: str, shown: str) -> None:
    assert fields(text) == [shown]


@pytest.mark.parametrize("text", ["+3", "-12", "-1,5%", "–", "plain", VIETNAMESE])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert fields(text) == [text]


def test_a_header_is_as_harmless_as_a_row() -> None:
    data = write_table(TableBlock(msg("Report"), [verbatim("=1+1")], []), language="vi", zone=ZONE)
    assert data == b"\xef\xbb\xbf'=1+1\r\n"


def test_values_are_raw_and_words_are_the_readers() -> None:
    row = (-1234, date(2026, 9, 2), datetime(2026, 9, 1, 17, 0, tzinfo=UTC), ByteSize(2048), None)
    assert fields(*row, Status(msg("unmet"), Tone.BAD)) == [
        "-1234",
        "2026-09-02",
        "2026-09-02T00:00:00+07:00",
        "2048",
        "",
        "không đạt",
    ]
