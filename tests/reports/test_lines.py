"""Numbers over time: drawn as lines that break where nothing is known, and told as a table where there are no pictures."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from portalops.model.message import msg, verbatim
from portalops.reports import formats
from portalops.reports.charts import COLUMNS_IN_BAND, MOST_LINES, bands_of
from portalops.reports.document import Bars, Document, Grid, GridMark, Line, LineChart, QrCode, Tone
from portalops.reports.pictures import Chart, pictures_of
from portalops.reports.reader import Reader
from portalops.reports.terminal import render_blocks
from tests.reports.page import Page

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = [date(2026, 11, 2) + timedelta(days=day) for day in range(5)]


def chart(*lines: Sequence[float | None], moments: Sequence[date | datetime] = DAYS) -> LineChart:
    drawn = [Line(verbatim(f"web{at}"), Tone.GOOD, values) for at, values in enumerate(lines, 1)]
    limits = ((msg("required"), 99.0),)
    return LineChart(msg("Availability by day"), moments, drawn, decimals=2, unit="%", limits=limits, highest=100)


def picture(block: Chart) -> ET.Element:
    (drawn,) = pictures_of(block, Reader("en", ZONE))
    return ET.fromstring(drawn)  # made by us


def curves(drawn: ET.Element) -> list[str]:
    every = (each for each in drawn.iter() if each.get("class", "").startswith("curve"))
    return [each.attrib["d"] for each in every if "h14" not in each.attrib["d"]]


def test_a_line_breaks_where_a_number_is_not_known() -> None:
    (path,) = curves(picture(chart([100.0, 99.5, None, 98.0, 99.0])))
    assert path.count("M") == 2
    assert path.count("L") == 2


def test_a_number_between_unknown_ones_is_a_mark_of_its_own() -> None:
    many = [date(2026, 1, 1) + timedelta(days=day) for day in range(60)]
    values = [None, 99.0, *[None] * 58]
    drawn = picture(chart(values, moments=many))
    assert [each for each in drawn.iter() if each.get("class") == "dot good" and "m-3 0a" in each.attrib["d"]]


def test_time_of_which_nothing_is_known_is_shaded_and_named() -> None:
    drawn = picture(chart([100.0, None, None, 98.0, 99.0]))
    titles = ["".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert "not known" in titles


def test_lines_differ_by_dash_and_are_named_where_they_end() -> None:
    drawn = picture(chart(*([99.0 - at] * 5 for at in range(MOST_LINES))))
    dashes = [each.attrib["stroke-dasharray"] for each in drawn.iter() if each.get("class", "").startswith("curve")]
    assert len({*dashes}) == MOST_LINES
    words = "".join(drawn.itertext())
    assert all(f"web{at}" in words for at in range(1, MOST_LINES + 1))


@pytest.mark.parametrize(
    ("columns", "sizes"),
    [
        ([*["day"] * 1, "week", *(["day"] * 7 + ["week"]) * 4, "day", "week"], [18, 18]),
        ([*["day"] * 7, "week"] * 4, [32]),
        (["day"] * 40, [20, 20]),
        (["week"] * 53, [27, 26]),
        ([], []),
    ],
)
def test_a_broad_grid_is_cut_into_pictures_of_about_one_breadth_behind_a_week(
    columns: Sequence[str], sizes: Sequence[int]
) -> None:
    cells = [date(2026, 11, 1) if each == "day" else each for each in columns]

    bands = list(bands_of(cells))

    assert [len(each) for each in bands] == list(sizes)
    assert [at for band in bands for at in band] == list(range(len(columns)))
    assert max(sizes, default=0) <= COLUMNS_IN_BAND


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be told apart"):
        picture(chart(*([99.0] * 5 for _ in range(MOST_LINES + 1))))


def test_one_moment_is_drawn_as_a_mark() -> None:
    drawn = picture(chart([100.0], moments=DAYS[:1]))
    assert [each for each in drawn.iter() if each.get("class") == "dot good"]


def test_who_cannot_see_it_is_told_the_numbers() -> None:
    described = "".join(picture(chart([100.0, 99.5, None, 98.0, 99.0])).itertext())
    assert (
        "web1: first 100.00\u00a0%, last 99.00\u00a0%, lowest 98.00\u00a0%, highest 100.00\u00a0%, unknown at 1 time"
        in described
    )


def test_off_a_terminal_it_is_a_table_with_local_numbers() -> None:
    shown = render_blocks([chart([100.0, None, 99.5, 98.0, 99.0])], language="vi", zone=ZONE, width=None, colour=False)
    assert "02/11/2026" in shown
    assert "99,50\u00a0%" in shown
    assert "–" in shown.splitlines()[-4]


def test_data_hold_numbers_and_null_where_nothing_is_known() -> None:
    made = Document(msg("Report"), [chart([100.0, None, 99.456, 98.0, 99.0])])
    (block,) = json.loads(formats.load("json").render(made, language="en"))["blocks"]
    assert block["lines"][0]["values"] == [100.0, None, 99.46, 98.0, 99.0]
    assert block["moments"][0] == "2026-11-02"


def test_a_workbook_holds_numbers_that_can_be_reckoned_with() -> None:
    made = Document(msg("Report"), [chart([100.0, None, 99.456, 98.0, 99.0])])
    sheet = load_workbook(io.BytesIO(formats.load("xlsx").render(made, language="en"))).worksheets[1]
    assert [cell.value for cell in sheet["B"]][-5:] == [100, None, 99.46, 98, 99]


def test_a_page_shows_it_as_a_named_picture() -> None:
    made = Document(msg("Report"), [chart([100.0, 99.0, 99.5, 98.0, 99.0])])
    page = Page(formats.load("html").render(made, language="en").decode())
    (drawn,) = page.root.all("svg")
    assert drawn.attributes["role"] == "img"
    assert "Availability by day" in drawn.words()


def test_a_chart_without_moments_says_so_in_words() -> None:
    made = Document(msg("Report"), [chart([], moments=())])
    assert "Availability by day: nothing to show." in formats.load("html").render(made, language="en").decode()


@pytest.mark.parametrize(
    "block",
    [
        Grid(msg("Weeks"), DAYS, [("web1", [GridMark("✓", Tone.GOOD, msg("met"))] * 5)]),
        Bars(msg("Duties"), [(msg("All"), [(Tone.GOOD, msg("met"), 7)])]),
        chart([1.0] * 5, moments=[datetime(2026, 11, 2, hour, tzinfo=UTC) for hour in range(5)]),
        QrCode("1-aaaa-bbbb", msg("Head code")),
    ],
)
def test_a_picture_stands_alone_and_names_no_colour_of_a_page(block: Chart) -> None:
    for drawn in pictures_of(block, Reader("vi", ZONE)):
        assert b"var(" not in drawn
        assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"  # made by us


@pytest.mark.parametrize(("most", "ticks"), [(1, "0 1"), (2, "0 1 2"), (9, "0 5 10"), (90, "0 25 50 75 100")])
def test_what_is_counted_is_told_in_whole_numbers(most: int, ticks: str) -> None:
    counts = LineChart(msg("counts"), DAYS[:2], [Line(msg("x"), Tone.BAD, [0, most])], lowest=0)

    axis = [each.text for each in picture(counts).iter() if each.get("class") == "axis end"]

    assert axis == ticks.split()
