"""Days that a register may have got wrong: a spreadsheet exchanges day and month, a registrar writes another month or year. Pure.

An officer types 09/11/2026 for 9 November. A spreadsheet that is set to American English takes that for 11 September, and keeps it so: as
2026-09-11, or as 11/09/2026 where the column shows day first. What it can't take for a day, such as 13/11/2026, stays a text.
So an exchange shows in two ways: by days in both forms in one answer, or by a line that came up when the exchanged day was.

A slip of the day itself, such as 01/11 for 10/11, looks like a paper that was entered late. Papers that wait are entered together, though, and
lines of like days stand beside them: a line by itself may be of its day, or of the day on which it came up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from checks.updates.dates import DateRules, DayOrder, settle_order

ENTERED_WITHIN = timedelta(days=7)
"""So long after its day a paper may be entered that is still taken for one of that day: the work of a week is often typed at its end."""
SLIP_WITHIN = timedelta(days=10)
"""So long after the day that was meant, a line of another month or year is still taken for a slip; that day stands once in so many days."""
ENTERED_AHEAD = timedelta(days=1)
"""A paper may be entered the evening before the day under which it is registered."""

_BESIDE = timedelta(days=3)
"""So far apart at most, over a weekend, are the days of papers that come in one after another."""

OUT_OF_ORDER = "out-of-order"
"""How a line is marked whose day lies out of those of the lines beside it."""

_YEAR_FIRST = re.compile(r"\d{4}([-/])(\d{1,2})\1(\d{1,2})")
_DAY_ALONE = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2}(?:[ T]00:00(?::00(?:\.0+)?)?)?")


def exchanged_day(day: date) -> date | None:
    """Return a day with its day and month exchanged; None where that is no other day.

    >>> exchanged_day(date(2026, 9, 11)), exchanged_day(date(2026, 9, 13)), exchanged_day(date(2026, 9, 9))
    (datetime.date(2026, 11, 9), None, None)
    """
    if day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def day_before_slip(day: date, *, after: date, until: date) -> date | None:
    """Return the day that a registrar meant who wrote another month, or another year: it lies shortly before a line came up.

    Args:
        day: as it stands there.
        after: the day of the last poll that did not have the line.
        until: the day of the first poll that had it.

    Returns:
        The only such day; None where the line may have been entered in time as it is, or nothing is like it.

    >>> day_before_slip(date(2026, 7, 27), after=date(2026, 8, 26), until=date(2026, 8, 27))
    datetime.date(2026, 8, 27)
    """
    if day >= after - SLIP_WITHIN:
        return None
    for back in range(SLIP_WITHIN.days + 1):
        meant = until - timedelta(days=back)
        if meant.day == day.day:
            return meant if (meant.month == day.month) != (meant.year == day.year) else None
    return None


def is_entered_on(day: date, *, after: date, until: date) -> bool:
    """Say whether a line that came up between two polls was entered on a day, or within the week after it.

    Args:
        day: on which it may have been entered.
        after: the day of the last poll that did not have it.
        until: the day of the first poll that had it.
    """
    return after - ENTERED_WITHIN <= day <= until + ENTERED_AHEAD


def places_out_of_order(days: Sequence[date | None]) -> frozenset[int]:
    """Return the places of days that lie more than a week before both of the days beside them, or before the only one.

    So is a day of which those beside lie about the same day a week later: 12/11 for 19/11, between 18/11 and 20/11.

    Args:
        days: of the lines of one answer, in their order; None for those of which no day is known.

    >>> written = [date(2026, 11, 9), date(2026, 11, 1), date(2026, 11, 10), date(2026, 10, 2), date(2026, 10, 5)]
    >>> sorted(places_out_of_order(written))
    [1]
    >>> sorted(places_out_of_order([date(2026, 11, 18), date(2026, 11, 12), date(2026, 11, 20)]))
    [1]
    """
    known = [(place, day) for place, day in enumerate(days) if day is not None]
    found = set()
    for at, (place, day) in enumerate(known):
        beside = [known[other][1] for other in (at - 1, at + 1) if 0 <= other < len(known)]
        if not beside:
            continue
        first, last, week_later = min(beside), max(beside), day + ENTERED_WITHIN
        if first > week_later or week_later - _BESIDE <= first <= last <= week_later + _BESIDE:
            found.add(place)
    return frozenset(found)


def is_entered_late(day: date, *, after: date, until: date) -> bool:
    """Say whether a line that came up between two polls was entered a week or more after its day.

    Args:
        day: that it names.
        after: the day of the last poll that did not have it, which may be the day before.
        until: the day of the first poll that had it.

    >>> [is_entered_late(date(2026, 11, 12), after=date(2026, 11, day), until=date(2026, 11, 19)) for day in (17, 18, 19)]
    [False, True, True]
    """
    return day <= until - ENTERED_WITHIN and day < after - ENTERED_WITHIN + timedelta(days=2)


def shows_exchange(texts: Iterable[str], rules: DateRules) -> bool:
    """Say whether the days of one column of one answer show that a spreadsheet exchanged some.

    Those with the year first have no day above 12, while others, written day first, have. Where `date_formats` are set, days with
    the year first that none of them reads are such days.

    Args:
        texts: the dates as they stand there.
        rules: by which they are read, with the order that they were found to have.
    """
    if rules.formats:
        return True
    if rules.order is not DayOrder.DAY_FIRST:
        return False
    written = tuple(texts)
    if settle_order(replace(rules, order=DayOrder.ASSUMED), written).order is not DayOrder.DAY_FIRST:
        return False  # an earlier answer shows the order, and this one has no day as text
    return all(
        int(found[2]) <= 12 and int(found[3]) <= 12
        for text in written
        if text[:4].isdigit() and (found := _YEAR_FIRST.match(text))
    )


def may_be_exchanged(text: str, rules: DateRules) -> bool:
    """Say whether a date with the year first is a day that fits both orders, and none of `date_formats` reads it."""
    if not text[:4].isdigit():
        return False
    text = text.strip()
    found = _YEAR_FIRST.match(text)
    if found is None or not _DAY_ALONE.fullmatch(text):
        return False
    month, day = int(found[2]), int(found[3])
    return month <= 12 and day <= 12 and month != day and not any(_reads(text, pattern) for pattern in rules.formats)


def _reads(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007  # only whether it can be read
    except ValueError:
        return False
    return True
