"""What the looks can speak for: a day on which nobody looked is no day without updates."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from checks.updates.rules.grading import BEGINNING, REMOVED_WITHIN
from checks.updates.rules.placing import Interval
from checks.updates.rules.seen import PollMoment, Served
from checks.updates.rules.stamps import Stamp, moment, span
from checks.updates.rules.unread import UnreadableShare, UnreadPart, unreadable
from portalops.model.organisation import UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits

END: Stamp = 2**62
"""After every moment."""


class UnseenStretch(NamedTuple):
    """A stretch of time in which any number of items may have come unseen."""

    source: str
    since: Stamp
    """`BEGINNING` for all time before."""
    until: Stamp
    """`END` for all time after."""


class StillRegister(NamedTuple):
    """A register that does not prove a week, or its last days: it may be in arrears, or kept on in a file that nobody polls."""

    source: str
    newest: date | None
    """The day of its newest line from before the end of that week; None where it has none."""
    in_arrears: bool = False
    """It has been silent since then for longer than ever in the four weeks before: what came on that day or later may not be entered."""


class DayBounds(NamedTuple):
    """A local day, and from when to when a moment counts on it."""

    day: int
    """As an ordinal."""
    first: Stamp
    last: Stamp
    """Exclusive."""


class SourcePolls(NamedTuple):
    """What the looks at one source come to."""

    intervals: tuple[Interval, ...]
    """The stretches of time that they have shown, apart from one another, in order."""
    starts: tuple[Stamp, ...]
    """Where those begin."""
    unreachable: frozenset[date]
    """Days on which it was looked at and did not answer once."""


class Share(NamedTuple):
    """How much of a stretch of time was seen."""

    percent: int
    unseen_hours: int
    """Those that no look has shown, each that was begun."""


RHYTHM_DAYS = 28
"""Of so many days before a week a register's lines tell how long it is silent at times."""
POLL_DELAY = span(timedelta(minutes=15))
"""By so much a poll may be late without leaving a time that nobody saw."""
_HOUR = span(timedelta(hours=1))
_RHYTHM = span(timedelta(days=RHYTHM_DAYS))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which stretches of time each source has shown."""

    polls_of: Callable[[str], SourcePolls]
    """By source; asked once for each."""
    shared: Mapping[ItemChannel, tuple[UpdateSourceTraits, ...]]
    """The sources of each channel that show every unit."""
    own: Mapping[tuple[ItemChannel, UnitId], tuple[UpdateSourceTraits, ...]]
    """The further sources of one unit."""
    refused: Mapping[str, Sequence[UnreadPart]] = field(default_factory=dict)
    """What could not be read, by source."""
    begins: Mapping[tuple[str, UnitId], Stamp] = field(default_factory=dict)
    """From when on a source tells of a unit that it was seen to carry; from its own beginning on where none is given."""
    arrivals: Mapping[str, Sequence[Stamp]] = field(default_factory=dict)
    """When the lines of each register came by its own word, of all units together, in order; no other source is among them."""
    checks: Sequence[UpdateSourceTraits] = ()
    """The cross-checks, whose new addresses may be what no source shows."""
    _known: dict[str, SourcePolls] = field(default_factory=dict)
    _still: dict[tuple[str, Stamp, Stamp], StillRegister | None] = field(default_factory=dict)
    """Of each register and week, as it is the same for every unit."""

    def sources(self, channel: ItemChannel, unit: UnitId | None) -> tuple[UpdateSourceTraits, ...]:
        """Return the sources that would show an item: a unit's own and those of all units."""
        shared = self.shared.get(channel, ())
        if unit is None:
            return shared + tuple(one for (of, _unit), own in self.own.items() if of is channel for one in own)
        return shared + self.own.get((channel, unit), ())

    def share(
        self, sources: Iterable[UpdateSourceTraits], start: Stamp, end: Stamp, *, unit: UnitId | None = None
    ) -> Share:
        """Return the share of a stretch of time that every one of the sources has shown; nothing without sources."""
        shown = min((self._shown_of(one.id, self._reported_from(one, unit, start), end) for one in sources), default=0)
        if end <= start:
            return Share(100, 0)
        return Share(100 * shown // (end - start), -(-(end - start - shown) // _HOUR))

    def unseen(
        self, source: UpdateSourceTraits, unit: UnitId | None, start: Stamp, end: Stamp
    ) -> Iterator[UnseenStretch]:
        """Yield the stretches that meet a time in which a source has shown nothing, in order; each whole."""
        intervals, starts, _unreachable = self.read_polls(source.id)
        begins = self.begins.get((source.id, unit), BEGINNING) if unit is not None else BEGINNING
        place = max(0, bisect_right(starts, start) - 1)
        before = intervals[place - 1][1] if place else BEGINNING
        for first, last in intervals[place:]:
            shown = max(first, begins)
            if shown >= last:
                continue
            if before < shown and before < end and shown > start:
                yield UnseenStretch(source.id, before, shown)
            before = last
            if before >= end:
                return
        if before < end:
            yield UnseenStretch(source.id, before, END)

    def unseen_days(
        self,
        sources: Iterable[UpdateSourceTraits],
        unit: UnitId | None,
        days: Sequence[DayBounds],
        *,
        for_good: bool = False,
    ) -> frozenset[int]:
        """Return the days of which at least one of the sources has not shown every moment; all without sources.

        Args:
            sources: the sources.
            unit: of which they speak; None for all.
            days: the days in question, in order.
            for_good: without what the next poll may show.
        """
        traits = tuple(sources)
        if not days or not traits:
            return frozenset(one.day for one in days)
        start, end = days[0].first, days[-1].last
        stretches = [each for one in traits for each in self.unseen(one, unit, start, end)]
        if for_good:
            stretches = [self._cut_at_last_poll(each) for each in stretches]
        if not stretches:
            return frozenset()
        return frozenset(
            one.day
            for one in days
            if any(each.since < min(one.last - 1, each.until) and each.until > one.first for each in stretches)
        )

    def _cut_at_last_poll(self, stretch: UnseenStretch) -> UnseenStretch:
        """Return a stretch without what came since the last poll, which the next one may show; whole where there was none."""
        intervals = self.read_polls(stretch.source).intervals
        return stretch._replace(until=min(stretch.until, intervals[-1].last if intervals else END))

    def still(
        self, sources: Sequence[UpdateSourceTraits], start: Stamp, end: Stamp, *, around: Sequence[date], zone: ZoneInfo
    ) -> tuple[StillRegister, ...]:
        """Return the registers that prove nothing of a week or of its last days.

        One that is in arrears may lack papers, whatever other sources show. Of one without a line in the week that is not, such as
        a small one, other sources speak.

        Args:
            sources: that show what a unit sends in.
            start: when the week begins.
            end: when it is over, exclusive.
            around: the working days that are over, from `RHYTHM_DAYS` before the week on, in order.
            zone: in which its newest line has its day.
        """
        found = [self._find_still(one.id, start, end, around=around, zone=zone) for one in sources]
        first = moment(start).astimezone(zone).date()
        is_spoken_for = any(one is None or (one.newest is not None and one.newest >= first) for one in found)
        return tuple(one for one in found if one is not None and (one.in_arrears or not is_spoken_for))

    def _find_still(
        self, source: str, start: Stamp, end: Stamp, *, around: Sequence[date], zone: ZoneInfo
    ) -> StillRegister | None:
        if source not in self.arrivals:
            return None
        week = source, start, end
        if week not in self._still:
            self._still[week] = find_still(source, self.arrivals[source], start, end, around=around, zone=zone)
        return self._still[week]

    def begins_at(self, source: UpdateSourceTraits, unit: UnitId) -> Stamp:
        """Return from when on a source can speak of a unit; `END` where it never did."""
        intervals = self.read_polls(source.id).intervals
        return max(intervals[0].first, self.begins.get((source.id, unit), BEGINNING)) if intervals else END

    def unreadable(
        self, sources: Iterable[UpdateSourceTraits], unit: UnitId | None, start: Stamp, end: Stamp
    ) -> tuple[UnreadableShare, ...]:
        """Return what could not be read of the sources, and may be what a stretch of time lacks."""
        if not self.refused:
            return ()
        own = tuple(sources)
        served = {(one.channel, one.unit) for one in own}
        checks = (one for one in self.checks if (one.channel, one.unit) in served)
        return unreadable(self.refused, (*own, *checks), unit=unit, start=start, end=end)

    def reaches(self, sources: Sequence[UpdateSourceTraits], end: Stamp) -> bool:
        """Say whether every one of the sources was looked at after a moment."""
        return bool(sources) and not self.silent(sources, end)

    def silent(self, sources: Sequence[UpdateSourceTraits], end: Stamp) -> tuple[str, ...]:
        """Return the ids of those of the sources of which no answer from after a moment proves anything."""
        return tuple(one.id for one in sources if not (own := self.read_polls(one.id).intervals) or own[-1].last < end)

    def unreachable(self, sources: Iterable[UpdateSourceTraits], days: Iterable[date]) -> tuple[date, ...]:
        """Return the days on which every one of the sources was looked at and none answered once."""
        dead = [self.read_polls(one.id).unreachable for one in sources]
        return tuple(day for day in days if all(day in own for own in dead)) if dead and all(dead) else ()

    def read_polls(self, source: str) -> SourcePolls:
        """Return what the looks at one source come to."""
        known = self._known.get(source)
        if known is None:
            known = self._known[source] = self.polls_of(source)
        return known

    def _reported_from(self, source: UpdateSourceTraits, unit: UnitId | None, start: Stamp) -> Stamp:
        return start if unit is None or not self.begins else max(start, self.begins.get((source.id, unit), start))

    def _shown_of(self, source: str, start: Stamp, end: Stamp) -> int:
        intervals, starts, _unreachable = self.read_polls(source)
        shown = 0
        for first, last in intervals[max(0, bisect_right(starts, start) - 1) :]:
            if first >= end or start >= end:
                break
            if last > start:
                shown += min(last, end) - max(first, start)
        return shown


def find_still(
    source: str, arrivals: Sequence[Stamp], start: Stamp, end: Stamp, *, around: Sequence[date] = (), zone: ZoneInfo
) -> StillRegister | None:
    """Return a register as one that does not prove a week; None if it does.

    Args:
        source: its id.
        arrivals: when its lines came by its own word, in order.
        start: when the week begins.
        end: when it is over, exclusive.
        around: the working days that are over, from `RHYTHM_DAYS` before the week on, in order; none where only a week without
            a line is asked for.
        zone: in which its newest line has its day.
    """
    begins, ends = bisect_left(arrivals, start), bisect_left(arrivals, end)
    newest = moment(arrivals[ends - 1]).astimezone(zone).date() if ends else None
    in_arrears = False
    if ends == len(arrivals) and newest is not None and around and newest >= around[0]:
        last = moment(end - 1).astimezone(zone).date()
        own = {moment(at).astimezone(zone).date() for at in arrivals[bisect_left(arrivals, start - _RHYTHM) :]}
        in_arrears = any(newest < day <= last for day in around) and is_silent_for_long(own, around)
    if begins < ends and not in_arrears:
        return None
    return StillRegister(source, newest, in_arrears)


def is_silent_for_long(lines: Collection[date], working_days: Sequence[date]) -> bool:
    """Say whether more working days are over since a register's newest line than were ever between two lines, or before the first.

    A register with lines on fewer than half of the working days up to its newest one says nothing by its silence.

    Args:
        lines: the days of its lines.
        working_days: that are over, in order.

    >>> days = [date(2026, 11, day) for day in (2, 3, 4, 5, 6, 9, 10)]
    >>> is_silent_for_long(days[:5], days), is_silent_for_long([days[0], days[3]], days), is_silent_for_long(days[3:5], days)
    (True, True, False)
    """
    came = sorted(lines)
    if not came:
        return False
    places = [bisect_left(working_days, day) for day in came]
    past = [bisect_right(working_days, day) for day in came]
    longest = max(place - before for place, before in zip(places, (0, *past), strict=False))
    is_kept_daily = 2 * len(came) >= past[-1]
    return is_kept_daily and len(working_days) - past[-1] > longest


def cover(
    sources: Iterable[UpdateSourceTraits],
    *,
    served: Mapping[str, Iterable[Served]],
    pulled: frozenset[str],
    looks_of: Callable[[str], SourcePolls],
    refused: Iterable[UnreadPart] = (),
    arrivals: Mapping[str, Sequence[Stamp]] = MappingProxyType({}),
) -> Coverage:
    """Sort the sources by what they show.

    A source whose rows name their channel serves each channel that it was seen to serve; a sub-portal whose items are
    pulled by the portal shows submissions too. Of whose sub-portals a source without a unit tells is what its map of units
    declares, and what it was seen to carry, from the oldest of that on: that it has nothing of any other unit, or of the time
    before, says nothing of that unit.

    Args:
        sources: every source.
        served: what each was seen to serve.
        pulled: ids of the sub-portals that the portal pulls.
        looks_of: what the looks at a source come to.
        refused: what could not be read of their answers.
        arrivals: when the lines of each register came, in order.
    """
    shared: dict[ItemChannel, list[UpdateSourceTraits]] = defaultdict(list)
    own: dict[tuple[ItemChannel, UnitId], list[UpdateSourceTraits]] = defaultdict(list)
    begins: dict[tuple[str, UnitId], Stamp] = {}
    checks: list[UpdateSourceTraits] = []
    for traits in sources:
        if traits.cross_check:
            checks.append(traits)
            continue
        seen = tuple(served.get(traits.id, ()))
        is_pulled = traits.id in pulled
        channels = {traits.channel, *(ItemChannel(one.channel) for one in seen)}
        declared = {unit for _name, unit in traits.unit_names} if traits.channel is ItemChannel.SUBPORTAL else set()
        carried: dict[UnitId, Stamp] = {}
        for one in seen:
            if one.channel == ItemChannel.SUBPORTAL and one.unit is not None:
                carried[one.unit] = min(carried.get(one.unit, one.begins_at), one.begins_at)
        if traits.unit is None:
            begins |= {(traits.id, unit): at for unit, at in carried.items() if unit not in declared}
        for channel in sorted(channels | {ItemChannel.SUBMISSION} if is_pulled else channels):
            if traits.unit is not None:
                own[channel, traits.unit].append(traits)
            elif channel is ItemChannel.SUBPORTAL or (is_pulled and channel not in channels):
                for unit in carried.keys() | declared:
                    own[channel, unit].append(traits)
            else:
                shared[channel].append(traits)
    by_source: dict[str, list[UnreadPart]] = defaultdict(list)
    for each in refused:
        by_source[each.source].append(each)
    return Coverage(
        looks_of,
        {channel: tuple(some) for channel, some in shared.items()},
        {key: tuple(some) for key, some in own.items()},
        by_source,
        begins,
        arrivals,
        checks,
    )


def summed_up(
    looks: Iterable[PollMoment],
    *,
    begins: Stamp | None,
    day_of: Callable[[Stamp], date],
    is_dated: bool = False,
    keeps_all: bool = True,
) -> SourcePolls:
    """Return what the looks at one source come to.

    Whatever came between two looks that both speak for the source stands in the later one, unless it was taken down again
    meanwhile: an item stays for two days at least, or counts for nothing, so that only a longer time without a look leaves a
    stretch unseen. Of the time before the first look nothing is known, but from a source whose rows name their own moment
    (`is_dated`), back to its oldest row: a database that was set up in May is silent about April, and that is nobody's omission.

    Args:
        looks: in order of time.
        begins: the oldest moment that the source knows of.
        day_of: the local day of a moment.
        is_dated: its rows name the moment at which they were made, and its editors cannot write that.
        keeps_all: what it had before the first look is all there still; of a mailbox, clerks may have moved it to folders.
    """
    failed: list[Stamp] = []
    answered: list[Stamp] = []
    whole: list[tuple[Stamp, Stamp, bool]] = []
    for at, ok, covers_from, is_blind, doubts_from, _owner in looks:
        (answered if ok else failed).append(at)
        if doubts_from is not None:
            while whole and whole[-1][0] >= doubts_from:
                whole.pop()
        if ok and not is_blind and covers_from is not None:
            whole.append((at, covers_from, doubts_from is not None))
    spans: list[tuple[Stamp, Stamp]] = []
    before: Stamp | None = None
    for at, covers_from, doubts in whole:
        if is_dated and (keeps_all or before is not None):
            start = covers_from if begins is None else max(covers_from, begins)
        elif before is None or doubts:
            start = at
        else:
            # Polls of each second day are some seconds or minutes late: that is no gap.
            reach = before if at - before <= REMOVED_WITHIN + POLL_DELAY else at - REMOVED_WITHIN
            start = max(covers_from, before, reach)
        spans.append((min(start, at), at))
        before = at
    merged = _merged(spans)
    dead = {day_of(at) for at in failed}
    return SourcePolls(
        merged,
        tuple(first for first, _last in merged),
        frozenset(dead - {day_of(at) for at in answered} if dead else ()),
    )


def _merged(spans: list[tuple[Stamp, Stamp]]) -> tuple[Interval, ...]:
    if not spans:
        return ()
    spans.sort()
    merged: list[Interval] = []
    first, last = spans[0]
    for start, end in spans:
        if start > last:
            merged.append(Interval(first, last))
            first, last = start, end
        elif end > last:
            last = end
    return (*merged, Interval(first, last))
