"""Days of the example: local time, weeks, and which days are worked, as portalops's own calendar has them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from pathlib import Path

ZONE = timezone(timedelta(hours=7), "+07")
"""Vietnam has had no other offset since 1975, so no time zone data base is needed."""

WEEKS_BACK = 14
TABLE = Path(__file__).parents[2] / "portalops" / "calendar" / "working_days.toml"
FIXED_HOLIDAYS = frozenset({(1, 1), (4, 30), (5, 1), (9, 1), (9, 2)})
"""Days off of every year, for years that the calendar has no documents for."""


def monday_of(day: date) -> date:
    """Return the Monday of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def weeks_until(today: date) -> Iterator[date]:
    """Yield the Mondays of the example's history, oldest first, the week of `today` last."""
    for back in range(WEEKS_BACK, -1, -1):
        yield monday_of(today) - timedelta(weeks=back)


def week_index(monday: date) -> int:
    """Return a number that grows by one each week, whatever day the example is built on."""
    return monday.toordinal() // 7


def at(day: date, hour: int, minute: int) -> datetime:
    """Return a local moment."""
    return datetime.combine(day, time(hour, minute), ZONE)


def worked_days(monday: date) -> tuple[date, ...]:
    """Return the days of a week on which offices work, make-up Saturdays and Sundays among them."""
    return tuple(day for day in (monday + timedelta(days=offset) for offset in range(7)) if is_worked(day))


def is_worked(day: date) -> bool:
    """Say whether offices work on a day."""
    years, off, made_up = _table()
    if day.year not in years:
        return day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS
    return day in made_up or (day.weekday() < 5 and day not in off)


@lru_cache(maxsize=1)
def _table() -> tuple[frozenset[int], frozenset[date], frozenset[date]]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    swaps = table["swaps"]
    off = {row["date"] for row in table["off"]} | {day for swap in swaps for day in swap["off"]}
    return frozenset(table["years"]), frozenset(off), frozenset(day for swap in swaps for day in swap["work"])
