"""What is expected of a year, held against what the notices of seventeen years said afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from portalops.calendar import load
from portalops.calendar.expected import COMPENSATION, Expected, expect, open_days
from portalops.model.period import Period

CALENDAR = load()


def expected_before_its_notice(year: int) -> Expected:
    """Return what the law alone gives: without the swaps, which only a notice names."""
    found = expect(year)
    return replace(found, off={day: name for day, name in found.off.items() if "thay cho" not in name}, work=())


@pytest.mark.parametrize("year", sorted(CALENDAR.years))
def test_each_day_on_which_the_notice_differed_from_what_was_expected_was_open(year: int) -> None:
    expected, next_year = expected_before_its_notice(year), expected_before_its_notice(year + 1)
    may_change = open_days(expected).keys() | open_days(next_year).keys()

    wrong = [
        day
        for day in Period(date(year, 1, 1), date(year, 12, 31)).days()
        if CALENDAR.is_working(day) == expected.is_off(day)
    ]

    assert [day for day in wrong if day not in may_change] == []


@pytest.mark.parametrize("year", sorted(CALENDAR.years))
def test_an_expected_year_keeps_most_days_certain(year: int) -> None:
    assert len(open_days(expected_before_its_notice(year))) <= 60


def test_tet_2027_is_expected_by_the_lunar_calendar_with_its_days_in_compensation() -> None:
    off = sorted(day for day in expect(2027).off if day.month == 2)

    assert off == [date(2027, 2, day) for day in range(4, 11)]


def test_a_holiday_on_weekly_rest_gives_the_next_working_day() -> None:
    # 1 May 2027 is a Saturday.
    assert COMPENSATION in expect(2027).off[date(2027, 5, 3)]


def test_vietnams_own_lunar_calendar_is_used() -> None:
    # In 2030 the lunar year begins on 2 February in Vietnam, and a day later in China.
    assert expect(2030).off[date(2030, 2, 2)] == "Tết Nguyên Đán"


def test_a_saturday_is_open_where_one_working_day_is_left_before_a_weekend() -> None:
    # Thursday 1 January 2032 leaves Friday; Friday 1 January 2027 leaves nothing.
    assert {date(2031, 12, 20), date(2032, 1, 2), date(2032, 1, 10)} <= open_days(expect(2032)).keys()
    assert date(2027, 1, 9) not in open_days(expect(2027))
    assert open_days(expect(2027)).keys() == {day for day in open_days(expect(2027)) if day.year == 2027}


def test_a_day_goes_with_the_holiday_that_is_nearest() -> None:
    days = open_days(expect(2027))

    assert (days[date(2027, 4, 28)], days[date(2027, 5, 5)], days[date(2027, 2, 15)]) == ("victory", "labour", "tet")


def test_of_a_year_that_the_lunar_calendar_does_not_reach_nothing_is_expected() -> None:
    assert (dict(expect(2101).off), dict(open_days(expect(2101)))) == ({}, {})
