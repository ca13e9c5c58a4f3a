"""How many occasions items come to at least and at most, where each is known to have come within an interval only. Pure.

An item came at one moment of its interval, and nobody knows at which. `fewest_*` holds for every placement of the items, `most_*`
for the best one (docs/decisions/0015). Days are ordinals (`date.toordinal`), both ends of a range belong to it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from checks.updates.rules.stamps import Stamp


class DayRange(NamedTuple):
    """The local days on one of which an item came."""

    first: int
    last: int


class Interval(NamedTuple):
    """The moments at one of which an item came; a point where both are the same."""

    first: Stamp
    last: Stamp


def fewest_days(ranges: Iterable[DayRange]) -> int:
    """Return the fewest distinct days on which all items can have come: the greedy piercing by earliest end, which is exact.

    >>> fewest_days([DayRange(1, 2), DayRange(2, 3), DayRange(5, 5)])
    2
    """
    count, pierced = 0, None
    for first, last in sorted({*ranges}, key=lambda one: one[1]):
        if pierced is None or first > pierced:
            count, pierced = count + 1, last
    return count


def most_days(ranges: Iterable[DayRange], days: Sequence[int], unseen: Collection[int] = ()) -> int:
    """Return the most distinct days on which something can have come.

    Args:
        ranges: of the items; each comes on one day, or on none of these.
        days: those that count, in order.
        unseen: days in which nobody knows what came: each may hold something of its own.
    """
    all_ranges = [*ranges]
    distinct = {*all_ranges}
    if all(first == last for first, last in distinct):  # as in most weeks: each day once
        known = {first for first, _last in distinct}.union(unseen)
        return sum(day in known for day in days)
    waiting = sorted(all_ranges)
    open_ends: list[int] = []
    count, following = 0, 0
    for day in days:
        if day in unseen:
            count += 1
            continue
        while following < len(waiting) and waiting[following][0] <= day:
            heapq.heappush(open_ends, waiting[following][1])
            following += 1
        while open_ends and open_ends[0] < day:
            heapq.heappop(open_ends)
        if open_ends:
            heapq.heappop(open_ends)
            count += 1
    return count


def fewest_windows(intervals: Iterable[Interval], length: int) -> int:
    """Return how many stretches of a length are needed at least to hold all items.

    Args:
        intervals: of the items.
        length: of a stretch in milliseconds.
    """
    count, end = 0, None
    for first, last in sorted(intervals, key=lambda one: one[1]):
        if end is None or first > end:
            count, end = count + 1, last + length
    return count


def fewest_sessions(intervals: Iterable[Interval], gap: int) -> int:
    """Return a number of sessions that no placement falls below; exact where every item is a point.

    Items whose intervals lie further apart than the gap are never in one session, and no chain of others joins them.
    """
    count, end = 0, None
    for first, last in sorted(intervals):
        if end is None or first > end + gap:
            count += 1
        end = last if end is None else max(end, last)
    return count


def most_sessions(intervals: Sequence[Interval], gap: int) -> int:
    """Return a number of sessions that no placement exceeds; exact where every item is a point."""
    points = [one for one in intervals if one.first == one.last]
    return fewest_sessions(points, gap) + len(intervals) - len(points)
