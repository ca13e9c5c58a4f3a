"""What the polls can speak for: a day on which nobody looked is no day without updates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from portalops.model.organisation import UnitId
from portalops.model.updates import Channel, Observation, Poll, SourceTraits

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which stretches of time each source has shown."""

    intervals: Mapping[str, Sequence[Interval]]
    """By source, apart from one another, in order."""
    serving: Mapping[Channel, tuple[SourceTraits, ...]]
    """The sources of each channel."""

    def sources(self, channel: Channel, unit: UnitId | None) -> tuple[SourceTraits, ...]:
        """Return the sources that would show an item: a unit's own and those of all units."""
        return tuple(one for one in self.serving.get(channel, ()) if unit is None or one.unit in {None, unit})

    def percent(self, sources: Iterable[SourceTraits], start: datetime, end: datetime) -> int:
        """Return the share of a stretch of time that every one of the sources has shown; 0 without sources."""
        return min((self._percent_of(one.id, start, end) for one in sources), default=0)

    def reaches(self, sources: Sequence[SourceTraits], end: datetime) -> bool:
        """Say whether every one of the sources was looked at after a moment."""
        lasts = [self.intervals[one.id][-1][1] if self.intervals.get(one.id) else None for one in sources]
        return bool(lasts) and all(last is not None and last >= end for last in lasts)

    def _percent_of(self, source: str, start: datetime, end: datetime) -> int:
        if end <= start:
            return 100
        shown = sum(
            (min(last, end) - max(first, start)).total_seconds()
            for first, last in self.intervals.get(source, ())
            if last > start and first < end
        )
        return int(100 * shown / (end - start).total_seconds())


def cover(
    polls: Iterable[Poll],
    sources: Iterable[SourceTraits],
    observations: Iterable[Observation],
    *,
    pulled: frozenset[str] = frozenset(),
    begins: Mapping[str, datetime] | None = None,
) -> Coverage:
    """Work out the coverage.

    A source whose rows name their channel serves each channel that it was seen to serve; a sub-portal whose items are
    pulled by the portal shows submissions too. Of the time before its oldest item no source shows anything, however
    complete its answers are: a database that was set up in May is silent about April, and that is nobody's omission.
    """
    spans: dict[str, list[Interval]] = defaultdict(list)
    for poll in polls:
        if poll.ok and poll.covers_from is not None:
            start = max(poll.covers_from, (begins or {}).get(poll.source, poll.covers_from))
            spans[poll.source].append((min(start, poll.polled_at), poll.polled_at))
    channels: dict[str, set[Channel]] = defaultdict(set)
    for one in observations:
        channels[one.source].add(one.channel)
    serving: dict[Channel, list[SourceTraits]] = defaultdict(list)
    for traits in sources:
        also = {Channel.SUBMISSION} if traits.id in pulled else set()
        for channel in {traits.channel, *channels[traits.id], *also}:
            serving[channel].append(traits)
    return Coverage(
        {source: _merged(own) for source, own in spans.items()},
        {channel: tuple(own) for channel, own in serving.items()},
    )


def _merged(spans: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
