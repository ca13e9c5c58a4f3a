from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from checks.updates.dates import DateRules, WrittenDates, settle_order
from checks.updates.exchanged_days import exchanged_day, is_entered_on, may_be_exchanged, shows_exchange
from checks.updates.recognition import without_anticipated
from checks.updates.sources import build_update_source
from portalops.config.tables import KindTable
from portalops.model.updates import ListedItem, Listing
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import ZONE, at

RULES = DateRules(ZONE)
HEADER = "Số đến,Ngày đến,Tác giả,Trích yếu\n"


@pytest.mark.parametrize(
    ("texts", "is_shown"),
    [
        (("2026-09-11", "13/11/2026"), True),
        (("2026-09-11 00:00:00", "13/11/2026", "05/11/2026"), True),
        (("2026-09-11", "2026-11-13", "13/11/2026"), False),
        (("2026-09-11", "11/13/2026"), False),
        (("2026-09-11", "09/11/2026"), False),
        (("2026-09-11",), False),
    ],
)
def test_days_in_both_forms_show_an_exchange_where_none_with_the_year_first_is_above_12(
    texts: tuple[str, ...], is_shown: bool
) -> None:
    assert shows_exchange(texts, settle_order(RULES, texts)) is is_shown


@pytest.mark.parametrize(
    ("text", "formats", "may_be"),
    [
        ("2026-09-11", (), True),
        ("2026/9/11", (), True),
        ("2026-09-11 00:00:00", (), True),
        ("2026-09-13", (), False),
        ("2026-09-09", (), False),
        ("2026-09-11 08:30", (), False),
        ("11/09/2026", (), False),
        ("2026-09-11", ("%d/%m/%Y",), True),
        ("2026-09-11", ("%Y-%m-%d",), False),
    ],
)
def test_a_day_alone_with_the_year_first_may_be_exchanged_unless_a_format_reads_it(
    text: str, formats: tuple[str, ...], may_be: bool
) -> None:
    assert may_be_exchanged(text, DateRules(ZONE, formats)) is may_be


@pytest.mark.parametrize(("day", "is_on"), [(1, False), (2, True), (9, True), (11, True), (12, False)])
def test_a_line_is_entered_on_its_day_or_within_the_week_after_it(day: int, is_on: bool) -> None:
    other = exchanged_day(date(2026, day, 11)) or date(2026, 11, day)

    assert is_entered_on(other, after=date(2026, 11, 9), until=date(2026, 11, 10)) is is_on


def test_a_line_of_a_future_day_does_not_count_on_it_where_it_stood_there_on_the_exchanged_one() -> None:
    line = ListedItem(
        "2026/7", "", "7/BC", at("2026-11-09 00:00"), "2026-11-09", created_at=at("2026-11-09 00:00"),
        line="7", exchanged_on=date(2026, 9, 11),
    )  # fmt: skip

    exchanged, _hidden = without_anticipated(Listing((line,)), {"7": at("2026-09-11 12:00")})
    entered_before, _hidden = without_anticipated(Listing((line,)), {"7": at("2026-11-08 20:00")})

    assert (exchanged.items, len(exchanged.rejected)) == ((), 1)
    assert entered_before.items == (line,)


def test_a_register_refuses_days_that_may_be_exchanged_and_says_what_to_do(tmp_path: Path) -> None:
    lines = "1,2026-09-11,Sở Y tế,Báo cáo\n2,13/11/2026,Sở Y tế,Báo cáo\n3,2026-11-11,Sở Y tế,Báo cáo\n"
    source = _register(tmp_path)

    listing = source.parse((HEADER + lines).encode(), polled_at=at("2026-11-14 20:00"))  # type: ignore[attr-defined]

    assert [one.external_id for one in listing.items] == ["2026/2", "2026/3"]
    assert [str(one.what) for one in listing.rejected] == [
        "line 2: day and month of ngày đến 2026-09-11 may be exchanged by a spreadsheet: have days kept as text, and set date_formats"
    ]


def test_a_database_row_whose_day_may_be_exchanged_has_no_date(tmp_path: Path) -> None:
    table = {"channel": "submission", "url": "sqlite:///x.sqlite", "query": "SELECT 1"}
    source = build_update_source(KindTable.alone("rows", "sql", table, tmp_path), zone=ZONE, web=HttpWeb())
    columns = ["external_id", "title", "published_at"]
    rows = [["1", "Báo cáo", "2026-09-11"], ["2", "Báo cáo", "13/11/2026"]]

    listing = source.parse(json.dumps({"columns": columns, "rows": rows}).encode(), polled_at=at("2026-11-14 20:00"))

    assert [(one.published_at, one.raw_date) for one in listing.items] == [
        (None, "2026-09-11"),
        (at("2026-11-13 00:00"), "13/11/2026"),
    ]


@pytest.mark.parametrize(
    ("earlier", "day"),
    [(("10/19/2026",), 9), (("19/10/2026",), 11), (("2026-10-19",), None), (("10/19/2026", "19/10/2026"), 0)],
)
def test_earlier_answers_show_the_order_of_one_that_shows_none(
    tmp_path: Path, earlier: tuple[str, ...], day: int | None
) -> None:
    source = _register(tmp_path)
    assert source.is_order_wanted(("11/09/2026",))
    assert not source.is_order_wanted(("11/09/2026", "11/19/2026"))

    known = source.ordered_by(earlier)

    if day is None:
        assert known is None
        return
    assert known is not None
    data = f"{HEADER}1,11/09/2026,Sở Y tế,Báo cáo\n2,2026-11-13,Sở Y tế,Báo cáo\n".encode()
    first, *others = known.parse(data, polled_at=at("2026-11-14 20:00")).items  # type: ignore[attr-defined]
    assert bool(others) is bool(day)
    assert not day or (first.published_at is not None and first.published_at.astimezone(ZONE).day == day)


def _register(folder: Path) -> WrittenDates:
    table = {"channel": "submission", "file": "register.csv"}
    source = build_update_source(KindTable.alone("so-den", "register", table, folder), zone=ZONE, web=HttpWeb())
    assert isinstance(source, WrittenDates)
    return source
