"""The days off that a year is expected to have before its official notice is known, and the days that the notice may still change.

Fixed days, Tết, Hùng Kings' day and days in compensation come from the package `holidays`, which keeps Vietnam's lunar calendar (UTC+7)
and the rules of Labour Code 45/2019/QH14, Articles 111.3 and 112. The notice decides the rest: which five days are Tết, which day is
the second of National Day, and which working day is swapped for a Saturday. So an expectation is never taken for a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version

from portalops.model.values import dataclass

SATURDAY = 5
NAMES: Sequence[tuple[str, str]] = (
    ("Dương lịch", "new-year"),
    ("Hùng Vương", "hung-kings"),
    ("Chiến thắng", "victory"),
    ("Quốc tế Lao động", "labour"),
    ("Quốc khánh", "national-day"),
    ("Văn hóa", "culture-day"),
    ("Tết", "tet"),
)
"""What a name in Vietnamese holds, and what the calendar calls that holiday; the first that fits."""

COMPENSATION = "nghỉ bù"
NEW_YEAR_OF_TET = "Tết Nguyên Đán"
"""What the package calls the first day of the lunar year, and that day alone."""

TET_BEFORE, TET_AFTER = timedelta(days=7), timedelta(days=10)
"""Around the lunar new year: in the notices of 2010 to 2026 the days off and those worked for them, but for Saturdays, lie within."""

AROUND = timedelta(days=3)
"""Around any other day off. A swap bridges to a weekend, and a weekend is two days."""

SWAPPED_WITHIN = timedelta(days=14)
"""How far from a day off the Saturday lies that is worked for it: 13 days in 2010 and 2013, 11 in 2026."""

OPEN = frozenset({"tet", "national-day"})
"""Holidays of which the notice chooses the days each year (Article 112.3)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What somebody expects of a year."""

    source: str
    """Who, with its version."""
    off: Mapping[date, str]
    """Days off, with their Vietnamese names."""
    work: Sequence[date]
    """Days of weekly rest that are worked instead."""

    def is_off(self, day: date) -> bool:
        """Say whether nobody is expected to work on a day."""
        return day in self.off or (day.weekday() >= SATURDAY and day not in self.work)


def calendar_name(name: str) -> str:
    """Return what the calendar calls a holiday of a Vietnamese name; an unknown name as it stands.

    >>> calendar_name("Mùng hai Tết Nguyên Đán"), calendar_name("Tết Dương lịch (nghỉ bù)")
    ('tet', 'new-year')
    """
    return next((own for part, own in NAMES if part in name), name)


@cache
def expect(year: int) -> Expected:
    """Return what is expected of a year; nothing off where the package does not reach, before 1975 and from 2101 on."""
    import holidays  # noqa: PLC0415  # costs as much time as a short command, and few commands ask for a year without a table

    found = holidays.country_holidays("VN", years=year, language="vi")
    work = sorted(day for day in getattr(found, "weekend_workdays", ()) if day.year == year)
    off = {day: str(name) for day, name in found.items() if day.year == year}
    return Expected(f"holidays {version('holidays')}", off, work)


def open_days(expected: Expected) -> Mapping[date, str]:
    """Return the days that the official notice of a year may change, each with the name of the holiday that it goes with.

    These are the expected days off, the days around them, and Saturdays near those that a swap is likely for: Tết, National Day, and
    holidays that leave a single working day before a weekend. Days of December before are among them only if such a swap reaches them.
    """
    found: dict[date, tuple[timedelta, str]] = {}
    for holiday, called in expected.off.items():
        name = calendar_name(called)
        for day in _list_open(expected, holiday, name, is_new_year=called == NEW_YEAR_OF_TET):
            distance = abs(day - holiday)
            if day not in found or distance < found[day][0]:
                found[day] = (distance, name)
    return {day: found[day][1] for day in sorted(found)}


def _list_open(expected: Expected, holiday: date, name: str, *, is_new_year: bool) -> Iterator[date]:
    before, after = (TET_BEFORE, TET_AFTER) if is_new_year else (AROUND, AROUND)
    bridges = [day for day in _days(holiday, AROUND, AROUND) if _is_bridge(expected, day)]
    yield from (day for day in _days(holiday, before, after) if day.year == holiday.year or day in bridges)
    if bridges or name in OPEN:
        yield from (
            day
            for day in _days(holiday, SWAPPED_WITHIN, SWAPPED_WITHIN)
            if day.weekday() == SATURDAY and (day.year == holiday.year or bridges)
        )


def _is_bridge(expected: Expected, day: date) -> bool:
    """Say whether a day is a single working day between days off."""
    one = timedelta(days=1)
    # What is expected of the year after is not asked: its first day is always off.
    next_is_off = expected.is_off(day + one) or (day.month, day.day) == (12, 31)
    return not expected.is_off(day) and expected.is_off(day - one) and next_is_off


def _days(holiday: date, before: timedelta, after: timedelta) -> Iterator[date]:
    first = (holiday - before).toordinal()
    yield from map(date.fromordinal, range(first, (holiday + after).toordinal() + 1))
