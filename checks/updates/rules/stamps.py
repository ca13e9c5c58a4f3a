"""Moments as whole milliseconds since 1970, UTC: what the store keeps and the rules count with. Pure.

A year of ten thousand units has ten million observations. Numbers are compared and sorted many times faster than
moments with zones, and which local day one lies on is found in a table of the days' ends.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

Stamp: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00Z."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


def stamp(moment: datetime) -> Stamp:
    """Return an aware moment as a stamp; what is finer than a millisecond is dropped."""
    return (moment - EPOCH) // _MILLISECOND


def moment(at: Stamp) -> datetime:
    """Return a stamp as a moment in UTC."""
    return EPOCH + timedelta(milliseconds=at)


def span(length: timedelta) -> int:
    """Return a length of time in milliseconds."""
    return length // _MILLISECOND


class LocalDays:
    """On which local day a stamp counts."""

    def __init__(self, first: date, last: date, *, zone: ZoneInfo, cutoff: str) -> None:
        """Make the table.

        Args:
            first: the earliest day that is asked for often; others are worked out one by one.
            last: the latest such day.
            zone: the portal's.
            cutoff: local time such as `17:00` until which a moment counts on its day; `24:00` is midnight.
        """
        self._zone = zone
        self._cutoff = None if cutoff == "24:00" else time.fromisoformat(cutoff)
        self._ends = [self._end(first + timedelta(days=number)) for number in range((last - first).days + 1)]
        self._before = self._end(first - _DAY)
        self._first = first.toordinal()

    def ordinal(self, at: Stamp) -> int:
        """Return the day on which a stamp counts, as an ordinal."""
        index = bisect_left(self._ends, at)
        inside = at > self._before and index < len(self._ends)
        return self._first + index if inside else self._slowly(at).toordinal()

    def is_one(self, first: Stamp, last: Stamp) -> bool:
        """Say whether two stamps, the earlier first, count on one day."""
        index = bisect_left(self._ends, first)
        if first > self._before and index < len(self._ends):
            return last <= self._ends[index]
        return self._slowly(first) == self._slowly(last)

    def bounds(self, day: date) -> tuple[Stamp, Stamp]:
        """Return from when, and until when (exclusive), a stamp counts on a day."""
        return self._end(day - _DAY) + 1, self._end(day) + 1

    def _end(self, day: date) -> Stamp:
        """Return the last stamp that counts on a day."""
        if self._cutoff is None:
            return stamp(datetime.combine(day + _DAY, time(), self._zone)) - 1
        return stamp(datetime.combine(day, self._cutoff, self._zone))

    def _slowly(self, at: Stamp) -> date:
        local = moment(at).astimezone(self._zone)
        is_late = self._cutoff is not None and local.time() > self._cutoff
        return local.date() + _DAY if is_late else local.date()
