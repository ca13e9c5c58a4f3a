"""Periods are whole local days; weeks are ISO weeks."""

from __future__ import annotations

from datetime import date

import pytest

from portalops.model.period import Period, Week, current_period, parse_period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11-25", date(2026, 11, 25), date(2026, 11, 25)),
        ("2026-W48", date(2026, 11, 23), date(2026, 11, 29)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2026-W40..2026-W41", date(2026, 9, 28), date(2026, 10, 11)),
        ("2026-11-01..2026-11", date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_a_period_is_read_from_its_shortest_form(text: str, first: date, last: date) -> None:
    assert parse_period(text) == Period(first, last)


@pytest.mark.parametrize(
    "text",
    [
        *("", "..", "tomorrow", "2026-13", "2026-W54", "2026-02-30", "26-11-25", "2026-W48..2026-W40", "2026-1-1-1"),
        *(
            "0001",
            "1969-12-31",
            "3000",
            "9999",
            "9999-12",
            "9999-W52",
            "2026..9999",
        ),  # moments around it can't be counted
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_period(text)


def test_a_week_at_the_turn_of_the_year_keeps_its_iso_year() -> None:
    assert Week.of(date(2027, 1, 1)) == Week(2026, 53)
    assert str(Week(2026, 53)) == "2026-W53"


def test_the_first_look_covers_the_last_complete_week_and_the_current_days() -> None:
    assert current_period(date(2026, 11, 25)) == Period(date(2026, 11, 16), date(2026, 11, 25))
