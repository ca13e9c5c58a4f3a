"""What a year of sets takes on a medium, by how often one of them is full: from what recorded sets took. Pure.

A differential holds dumps whole, and of files what has changed since its base; so a part of it grows with the days between. That
part is taken to grow by so many bytes a day as in the recorded ones, and a differential never to be larger than a full set.
Nothing is taken off for sets that are removed by the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portalops.model.backups import BackupSet, SetKind
from portalops.model.record import Digest
from portalops.model.runs import DaySpan, Every, Span
from portalops.model.verdicts import RunOutcome

NEWEST = 30
"""So many recorded differentials tell how fast they grow."""
LEAST_AGE = timedelta(hours=12)
"""One that was made sooner after its base tells nothing of a day."""
OTHER_SPAN = DaySpan(14)
"""The number of days that is shown where none is configured."""
_YEAR = timedelta(days=365)
_STEPS = {Every.HOUR: timedelta(hours=1), Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class RecordedSizes:
    """What recorded sets took."""

    full_bytes: int | None
    """Of the newest full set; None if none is recorded."""
    whole_bytes: int | None
    """Of the newest differential, what does not depend on its base, such as dumps; None if none is recorded that can tell."""
    growth: float | None
    """Bytes by which the rest of a differential grows in a day; None if none is recorded that can tell."""


@dataclass(frozen=True, slots=True)
class YearCost:
    """What a year takes under one choice."""

    full_every: Span | None
    """None for full sets alone."""
    is_configured: bool
    fulls: int
    differentials: int
    stored_bytes: int | None
    """None where nothing is recorded that it could be reckoned from."""


def recorded_sizes(sets: Sequence[BackupSet]) -> RecordedSizes:
    """Return what recorded sets took; those that lack something are left out.

    Args:
        sets: oldest first.
    """
    whole = [each for each in sets if each.outcome is RunOutcome.COMPLETE]
    made: Mapping[Digest, datetime] = {each.bag_sha256: each.created_at for each in whole if each.kind is SetKind.FULL}
    fulls = [each.stored_bytes for each in whole if each.kind is SetKind.FULL]
    telling = [
        (each, (each.created_at - made[each.base]) / timedelta(days=1))
        for each in whole
        if each.kind is SetKind.DIFF
        and each.base is not None
        and each.base in made
        and each.created_at - made[each.base] >= LEAST_AGE
    ][-NEWEST:]
    if not telling:
        return RecordedSizes(fulls[-1] if fulls else None, None, None)
    newest = telling[-1][0]
    growth = sum(_changed_bytes(each) for each, _days in telling) / sum(days for _each, days in telling)
    return RecordedSizes(fulls[-1], newest.stored_bytes - _changed_bytes(newest), growth)


def _changed_bytes(made: BackupSet) -> int:
    """Return what the streams of a set take that hold what has changed."""
    return sum(
        pack.stored_bytes
        for stream in made.streams
        if stream.differential
        for pack in (*stream.packs, *([stream.index] if stream.index is not None else []))
    )


def year_costs(
    sizes: RecordedSizes, every: Every, configured: Span | None, *, now: datetime, zone: ZoneInfo
) -> tuple[YearCost, ...]:
    """Return what a year from now takes with full sets alone, and with one in each week, month or number of days.

    Args:
        sizes: of recorded sets.
        every: how often a set is made.
        configured: what the configuration says.
        now: aware.
        zone: the portal's.
    """
    choices: list[Span | None] = [
        None,
        Every.WEEK,
        Every.MONTH,
        configured if isinstance(configured, DaySpan) else OTHER_SPAN,
    ]
    if configured not in choices:
        choices.append(configured)
    return tuple(_cost(sizes, every, each, is_configured=each == configured, now=now, zone=zone) for each in choices)


def _cost(
    sizes: RecordedSizes, every: Every, full_every: Span | None, *, is_configured: bool, now: datetime, zone: ZoneInfo
) -> YearCost:
    fulls = differentials = 0
    total: float | None = 0.0
    base: datetime | None = None
    slot = ""
    for moment in _moments(every, now, zone):
        here = full_every.slot(moment) if full_every is not None else ""
        if base is None or full_every is None or here != slot:
            fulls += 1
            base, slot, size = moment, here, sizes.full_bytes
        else:
            differentials += 1
            size = _differential(sizes, (moment - base) / timedelta(days=1))
        total = None if total is None or size is None else total + size
    return YearCost(full_every, is_configured, fulls, differentials, None if total is None else round(total))


def _differential(sizes: RecordedSizes, days: float) -> int | None:
    if sizes.growth is None or sizes.whole_bytes is None or sizes.full_bytes is None:
        return None
    return min(sizes.full_bytes, sizes.whole_bytes + round(sizes.growth * days))


def _moments(every: Every, now: datetime, zone: ZoneInfo) -> Sequence[datetime]:
    """Return when sets are made within a year; a month is reckoned as a twelfth of it."""
    step = _STEPS.get(every, _YEAR / 12)
    return [(now + step * number).astimezone(zone) for number in range(_YEAR // step)]
