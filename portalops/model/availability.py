"""Whether pages were reachable, moment by moment: what `availability.samples` records hold, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portalops.model.organisation import HostId

COVERED_PERCENT: Final = 95
"""The share of a time in which a page must have been polled, for the result to count for all of it."""


@dataclass(frozen=True, slots=True)
class PageSample:
    """One poll of one page."""

    second: int
    """Since the batch began."""
    status: int
    """Of HTTP; 0 where nothing answered."""
    milliseconds: int
    """From connecting to the end of the answer."""

    @property
    def is_up(self) -> bool:
        """Say whether a visitor got the page, or was led to one."""
        return 200 <= self.status < 400


@dataclass(frozen=True, slots=True)
class PageSamples:
    """The polls of one page of one host, oldest first."""

    host: HostId
    url: str
    samples: tuple[PageSample, ...]


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """The body of an `availability.samples` record, under the key `samples`."""

    station: str
    """What the place that was looked from is called."""
    began_at: datetime
    pages: tuple[PageSamples, ...]


NOT_LOOKED_AT, UP, DOWN = range(3)
"""What a span of a few minutes may be."""


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Spans of a time, and in how many a page was there and away."""

    spans: int
    up: int
    down: int

    @property
    def observed(self) -> int:
        """Return in how many spans it was polled."""
        return self.up + self.down

    @property
    def is_covered(self) -> bool:
        """Say whether it was polled often enough to judge the whole time."""
        return self.observed > 0 and 100 * self.observed >= COVERED_PERCENT * self.spans

    @property
    def percent(self) -> float | None:
        """Return in which share of the polled time it was reachable; None where nothing was polled."""
        return 100 * self.up / self.observed if self.observed else None

    def reaches(self, percent: float) -> bool | None:
        """Say whether the page was reachable in so much of the time; None where it was polled too little to say.

        It was not once it was away for longer than the whole time allows, however much was not looked at.

        Args:
            percent: of the time, 0 to 100, to a millionth.
        """
        whole, asked = 100 * 10**6, round(percent * 10**6)  # as floats, 99.9 % of 1000 would be a little more than 999
        if whole * self.down > (whole - asked) * self.spans:
            return False
        if not self.is_covered:
            return None
        return whole * self.up >= asked * self.observed


@dataclass(frozen=True, slots=True)
class PageSpans:
    """One page over a time that is cut into spans of a few minutes."""

    host: HostId
    url: str
    first_at: datetime
    """When the first span begins."""
    span: timedelta
    """How long one look speaks for."""
    states: bytes
    """A byte a span: `NOT_LOOKED_AT`, `UP` or `DOWN`."""

    def counts(self, since: datetime, until: datetime) -> SpanCounts:
        """Count the spans that begin in a part of the time."""
        part = self.states[self._place(since) : self._place(until)]
        return SpanCounts(len(part), part.count(UP), part.count(DOWN))

    def outages(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return from when to when it was away without a break, oldest first; a span without a poll is a break."""
        found: list[tuple[datetime, datetime]] = []
        at = self.states.find(DOWN)
        while at >= 0:
            end = at
            while end < len(self.states) and self.states[end] == DOWN:
                end += 1
            found.append((self.first_at + at * self.span, self.first_at + end * self.span))
            at = self.states.find(DOWN, end)
        return tuple(found)

    def _place(self, moment: datetime) -> int:
        return max(0, -((self.first_at - moment) // self.span))
