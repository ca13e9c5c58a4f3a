"""How items become occasions (lần): by day, by session, or one by one; and how many at least, at most, and hoped for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from checks.updates.rules.comparing import BULK_ITEMS, BULK_WITHIN
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.placing import (
    DayRange,
    Interval,
    fewest_days,
    fewest_sessions,
    fewest_windows,
    most_days,
    most_sessions,
)
from checks.updates.rules.stamps import span
from portalops.model.rulebook import Numbers, Occasions


class Counting(NamedTuple):
    """An item that may count in a stretch of days."""

    days: DayRange
    """On which it came."""
    item: GradedItem
    hoped_on: int | None = None
    """The day on which it counts if an officer confirms what it claims."""
    perhaps_from: int | None = None
    """An earlier day from which on it may have come, if a poll that did not show it got an old answer; None for no such doubt."""

    @property
    def may_come(self) -> DayRange:
        """Return all days on one of which it may have come: more than those of which our polls know."""
        first, last = self.days
        return self.days if self.perhaps_from is None else DayRange(min(first, self.perhaps_from), last)

    @property
    def day(self) -> date:
        """Return the day on which it is shown: the one that it claims where that is possible, else the last on which it can have come."""
        return date.fromordinal(self.shown_on)

    @property
    def shown_on(self) -> int:
        """Return that day as an ordinal."""
        return self.days.last if self.hoped_on is None else self.hoped_on


@dataclass(frozen=True, slots=True)
class CountedDays:
    """Days whose occasions are counted together, as ordinals in order."""

    surely: Sequence[int]
    """Those on which what comes counts for certain."""
    perhaps: Sequence[int]
    """Those on which it may count: the same, and days of which the calendar is not certain."""


class Occurred(NamedTuple):
    """How many occasions items come to."""

    least: int
    """Whatever placement of the items holds."""
    most: int | None
    """In the best placement; None where any number may have come unseen."""
    hoped: int
    """At least, if officers confirm what items claim."""


def count_occasions(
    items: Collection[Counting], days: CountedDays, *, numbers: Numbers, unseen: Collection[int] = ()
) -> Occurred:
    """Return how many occasions items are on some days.

    Args:
        items: those that may have come on these days.
        days: on which they count.
        numbers: how occasions are counted.
        unseen: days of them in which nobody knows what came.
    """
    sure_days, may_days = frozenset(days.surely), days.perhaps
    if not items:
        return Occurred(0, _free(len(unseen), numbers), 0)
    sure = [one for one in items if one.item.is_sure and _lies_in(one.days, sure_days)]
    hoped = sure + [
        one._replace(days=DayRange(one.hoped_on, one.hoped_on))
        for one in items
        if one.hoped_on is not None
        and one.hoped_on in sure_days
        and not (one.item.is_sure and _lies_in(one.days, sure_days))
    ]
    least = _fewest(sure, numbers)
    return Occurred(
        least,
        _most(items, may_days, numbers, unseen),
        least if len(hoped) == len(sure) else max(least, _fewest(hoped, numbers)),
    )


def _free(unseen: int, numbers: Numbers) -> int | None:
    return unseen if numbers.occasion is Occasions.DAY or not unseen else None


def _lies_in(days: DayRange, counted: Collection[int]) -> bool:
    first, last = days
    if first == last:
        return first in counted
    return last - first < 32 and all(day in counted for day in range(first, last + 1))


def _came(one: Counting) -> Interval:
    assert one.item.came is not None
    if one.hoped_on is not None and one.item.hoped_at is not None and one.days.first == one.days.last == one.hoped_on:
        return Interval(one.item.hoped_at, one.item.hoped_at)
    return one.item.came


def _may_have_come(one: Counting) -> Interval:
    came, since = _came(one), one.item.perhaps_since
    return came if since is None else Interval(min(came.first, since), came.last)


def _fewest(items: Sequence[Counting], numbers: Numbers) -> int:
    match numbers.occasion:
        case Occasions.DAY:
            return fewest_days(one.days for one in items)
        case Occasions.SESSION:
            return fewest_sessions(map(_came, items), _gap(numbers))
        case Occasions.ITEMS:
            return fewest_items(items)


def fewest_items(items: Iterable[Counting]) -> int:
    """Return how many items count one by one at least: those that may have been posted in one go are one."""
    single = _sessions(items)
    are_points = all(one.first == one.last for one in single.values())
    if are_points or len(single) < BULK_ITEMS:
        return len(single)
    return fewest_windows(single.values(), BULK_WITHIN)


def most_items(items: Iterable[Counting]) -> int:
    """Return how many items count one by one at most."""
    return len(_sessions(items))


def _sessions(items: Iterable[Counting]) -> dict[str, Interval]:
    return {one.item.session or one.item.seen.id: _came(one) for one in items}


def _most(items: Iterable[Counting], days: Sequence[int], numbers: Numbers, unseen: Collection[int]) -> int | None:
    if numbers.occasion is Occasions.DAY:
        return most_days((one.days if one.perhaps_from is None else one.may_come for one in items), days, unseen)
    if unseen or not days:
        return None if unseen else 0
    first, last = days[0], days[-1]
    own = [one for one in items if one.may_come.first <= last and one.days.last >= first]
    if numbers.occasion is Occasions.ITEMS:
        return most_items(own)
    return most_sessions([*map(_may_have_come, own)], _gap(numbers))


def _gap(numbers: Numbers) -> int:
    return span(timedelta(minutes=numbers.session_gap_minutes))


def occasions(items: Iterable[Counting], *, numbers: Numbers) -> Counter[date]:
    """Return the occasions of each local day on which items are shown."""
    match numbers.occasion:
        case Occasions.DAY:
            return Counter({one.day for one in items})
        case Occasions.ITEMS:
            return Counter({one.item.session or one.item.seen.id: one.day for one in items}.values())
        case Occasions.SESSION:
            days: Counter[date] = Counter()
            before = None
            for one in sorted(items, key=lambda one: _came(one).last):
                at = _came(one).last
                if before is None or at - before > _gap(numbers):
                    days[one.day] += 1
                before = at
            return days
