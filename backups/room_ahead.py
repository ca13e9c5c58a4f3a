"""Whether a medium takes its next sets: from the sizes of the newest ones, its free room, and what the rules let go until then. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from backups.retention import THERE, Course
from portalops.model.backups import SetId, SetKind
from portalops.model.message import ByteCount, Message, msg
from portalops.model.runs import Every
from portalops.registers.backups import SetEvidence

SETS_AHEAD = 4
"""So many of the next sets must fit; else somebody is told before the medium is full."""
NEWEST = 3
"""The largest of so many of the newest sets of a kind stands for the next one."""
_DAYS: Mapping[Every, int] = {Every.HOUR: 1, Every.DAY: 1, Every.WEEK: 7, Every.MONTH: 31}


@dataclass(frozen=True, slots=True)
class Filling:
    """A medium that does not take all of its next sets."""

    medium: str
    fits: int
    """How many of them it takes."""
    full_on: date
    """The day of the first one that it does not."""
    needed_bytes: int
    free_bytes: int
    """Both as of that day."""

    def describe(self) -> Message:
        """Say it for people."""
        return msg(
            "{medium} is full soon: {n} of its next {ahead} sets fit; that of {day} needs about {needed}, but {free} will be free",
            medium=self.medium,
            n=self.fits,
            ahead=SETS_AHEAD,
            day=self.full_on,
            needed=ByteCount(self.needed_bytes),
            free=ByteCount(max(0, self.free_bytes)),
        )


def days_ahead(every: Every, today: date) -> tuple[date, ...]:
    """Return the days in which the next sets of a rhythm are made, from today on; an hourly one is looked at day by day."""
    return tuple(today + timedelta(days=number) for number in range(SETS_AHEAD * _DAYS[every] + 1))


def filling_of(
    medium: str,
    free_bytes: int,
    sets: Sequence[SetEvidence],
    courses: Sequence[Course],
    marked_until: Mapping[SetId, date],
) -> Filling | None:
    """Return how a medium fills up within its next sets; None if all of them fit, or no size is known.

    Args:
        medium: its id.
        free_bytes: now.
        sets: as recorded, oldest first.
        courses: what becomes of these sets, and of those that are planned; sets without one stay.
        marked_until: of the sets that are marked already, the day from which on they go.
    """
    sizes = {kind: [made.set.stored_bytes for made in sets if made.set.kind is kind][-NEWEST:] for kind in SetKind}
    most = max((size for newest in sizes.values() for size in newest), default=0)
    held = {
        made.set.id: made.set.stored_bytes
        for made in sets
        if any(copy.medium == medium and copy.state in THERE for copy in made.copies)
    }
    coming: list[tuple[date, int]] = []
    going: list[tuple[date, int]] = []
    for each in courses:
        size = held.get(each.set_id, 0)
        if each.is_planned:
            size = max(sizes[each.kind], default=most)  # of a kind that was never made, as much as any
            coming.append((each.made_on, size))
        gone_on = each.removed_on
        if each.marked_on is not None and each.set_id in marked_until:
            gone_on = min(gone_on or marked_until[each.set_id], marked_until[each.set_id])
        if gone_on is not None:
            going.append((gone_on, size))
    free = free_bytes
    for number, (day, size) in enumerate(sorted(coming)[:SETS_AHEAD]):
        room = free + sum(freed for gone_on, freed in going if gone_on < day)
        if room < size:
            return Filling(medium, number, day, size, room)
        free -= size
    return None
