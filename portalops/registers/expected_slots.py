"""In which slots a planned job was to be done, and in which no run of it began; pure."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from portalops.errors import LedgerError
from portalops.model.message import Message, msg
from portalops.model.runs import Every, Job, JobId, Run, Slot, slot_start
from portalops.model.values import dataclass
from portalops.model.zones import ZONES, UnknownZone, zone_of
from portalops.registers.plans import PlannedSpan, RecordedPlan, planned_spans
from portalops.registers.runs import parse_run_id

START_GRACE = timedelta(hours=1)
"""How long after its slot's end a run may start and still count for it: it was due before, and waited."""

MAX_SLOTS = 1_000_000
"""How many slots one search for missed ones covers: an hourly job has as many in a hundred years."""

_SETTLED_AFTER = START_GRACE + timedelta(hours=3)
"""How long after a slot's end a newer run shows that none comes for it any more, whatever was done to the clocks in that hour."""

_HELD_FOR = timedelta(days=32)
"""How long a run can matter: the longest slot is a month, and is settled within the hours after it."""


def missed_slots(
    plans: Sequence[RecordedPlan],
    runs: Iterable[Run],
    *,
    until: datetime,
    zone: ZoneInfo,
    since: datetime | None = None,
    before: datetime | None = None,
) -> tuple[Slot, ...]:
    """Return the slots in which a planned job left no run at all.

    Slots count that lie wholly within the time in which the job was planned, so a plan that begins on
    a Thursday expects its first weekly run in the week after. A run counts for a slot that its id names, by the duty and
    the job, and by its kind: a part of a run is none. Hand in only the runs that shall count:
    all of them to see whether each slot has a record, the complete ones to see what was fulfilled.

    Args:
        plans: oldest first.
        runs: as recorded.
        until: aware; slots that end later are not missed yet.
        zone: the portal's, for plans that name none.
        since: leave out slots that began earlier.
        before: leave out slots that began at this moment or later.

    Raises:
        LedgerError: a plan names an unknown time zone, there are more than `MAX_SLOTS` slots, or one lies
            outside of the calendar.
    """
    comparison = _Comparison(_sort_slots(_planned_slots(plans, until, zone, since, before)))
    try:
        for run in runs:
            comparison.add(run)
        missed = comparison.finish()
    except OverflowError as error:
        raise _too_many(msg("the recorded plans reach beyond the calendar")) from error
    return tuple(sorted(missed, key=lambda slot: (slot.starts_on, slot.name, slot.job.id)))


def expected_slots(
    plans: Sequence[RecordedPlan], *, until: datetime, zone: ZoneInfo, since: datetime, before: datetime
) -> tuple[ExpectedSlot, ...]:
    """Return every slot in which a job was to be done, by their ends: those that `missed_slots` compares with the runs.

    Args:
        plans: oldest first.
        until: aware; slots that end later are not over.
        zone: the portal's, for plans that name none.
        since: leave out slots that began earlier.
        before: leave out slots that began at this moment or later.

    Raises:
        LedgerError: as `missed_slots` does.
    """
    try:
        return tuple(_sort_slots(_planned_slots(plans, until, zone, since, before)))
    except OverflowError as error:
        raise _too_many(msg("the recorded plans reach beyond the calendar")) from error


class SlotKey(NamedTuple):
    """By what the runs of a slot are known: the kind of their records, and what their ids hold."""

    kind: str
    duty: str
    """The kind of a job without a duty."""
    job: JobId
    slot: str


def slot_key(run: Run) -> SlotKey | None:
    """Return which slot a run names; None if its id was not made from a job."""
    name = parse_run_id(run.id)
    return SlotKey(run.kind, name.duty, name.job, name.slot) if name else None


@dataclass(frozen=True, slots=True)
class ExpectedSlot:
    """A slot of a planned job, its ends in the plan's time zone."""

    job: Job
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """Return the slot's name, as ids of runs hold it."""
        return self.job.every.slot(self.start)

    @property
    def key(self) -> SlotKey:
        """Return by what its runs are known."""
        return SlotKey(self.job.kind.value, self.job.duty or self.job.kind.value, self.job.id, self.name)

    def is_filled_by(self, moment: datetime) -> bool:
        """Say whether a run that began at a moment, and bears the slot's name, counts for it."""
        return self.start <= moment < self.end + START_GRACE


class _Comparison:
    """Slots and the runs that fill them, compared while both go by in time, so that the runs of a month are held and not all.

    A run that comes out of its order is compared with what was found missed before, so the order changes no result.
    """

    def __init__(self, expected: Iterator[ExpectedSlot]) -> None:
        self._expected = expected
        self._ahead = next(expected, None)
        self._missed: dict[SlotKey, list[ExpectedSlot]] = {}
        self._started: dict[SlotKey, deque[datetime]] = {}
        self._held: deque[tuple[datetime, SlotKey]] = deque()
        """All that `_started` holds, in the order in which it came."""
        self._newest = datetime.min.replace(tzinfo=UTC)

    def add(self, run: Run) -> None:
        """Take a run into account."""
        key = slot_key(run)
        if key is None:
            return
        if key in self._missed:
            self._missed[key] = [slot for slot in self._missed[key] if not slot.is_filled_by(run.started_at)]
        self._started.setdefault(key, deque()).append(run.started_at)
        self._held.append((run.started_at, key))
        if run.started_at > self._newest:
            self._newest = run.started_at
            self._settle()

    def finish(self) -> list[Slot]:
        """Return what no run filled; there are no more of them."""
        while self._ahead is not None:
            self._compare(self._ahead)
        return [Slot(slot.job, key.slot, slot.start.date()) for key, slots in self._missed.items() for slot in slots]

    def _settle(self) -> None:
        """Compare the slots that no run fills any more if all come in order, and let go of the runs that fill none that is left."""
        while self._ahead is not None and self._newest - self._ahead.end > _SETTLED_AFTER:
            self._compare(self._ahead)
        while self._newest - self._held[0][0] > _HELD_FOR:
            _moment, key = self._held.popleft()
            self._started[key].popleft()
            if not self._started[key]:
                del self._started[key]

    def _compare(self, slot: ExpectedSlot) -> None:
        key = slot.key
        if not any(slot.is_filled_by(moment) for moment in self._started.get(key, ())):
            self._missed.setdefault(key, []).append(slot)
        self._ahead = next(self._expected, None)


def _sort_slots(spans: Iterable[Iterator[ExpectedSlot]]) -> Iterator[ExpectedSlot]:
    """Yield the slots of all spans by their ends.

    Raises:
        LedgerError: there are more than `MAX_SLOTS`.
    """
    for number, slot in enumerate(heapq.merge(*spans, key=lambda slot: slot.end.astimezone(UTC))):
        if number == MAX_SLOTS:
            raise _too_many(msg("the plans expect more than {n} runs", n=MAX_SLOTS))
        yield slot


def _planned_slots(
    plans: Sequence[RecordedPlan], until: datetime, zone: ZoneInfo, since: datetime | None, before: datetime | None
) -> list[Iterator[ExpectedSlot]]:
    """Return the slots of each span in which a job was planned."""
    return [_slots_of(span, since, before) for span in planned_spans(plans, until, timezone=zone.key)]


def _slots_of(span: PlannedSpan, since: datetime | None, before: datetime | None) -> Iterator[ExpectedSlot]:
    first = span.starts_at if since is None else max(span.starts_at, since)
    for start, end in _slots(span.job.every, first, span.ends_at, _zone(span.timezone)):
        if before is not None and start >= before:
            break
        yield ExpectedSlot(span.job, start, end)


def _too_many(what: Message) -> LedgerError:
    return LedgerError(what, msg("Check the recorded plans: portalops ledger show --kind plan."))


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_of(name)
    except UnknownZone as error:
        raise LedgerError(
            msg("a plan names an unknown time zone: {name}", name=repr(name[:80])),
            msg("Install the time zone data of the system: tzdata.")
            if name in ZONES
            else msg("Check the recorded plans: portalops ledger show --kind plan."),
        ) from error


def _slots(every: Every, first: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the local starts and ends of the slots that lie wholly between two moments."""
    local = first.astimezone(zone)
    start = slot_start(every, local)
    if start < local:
        start = every.next_start(local)
    while (following := every.next_start(start)).astimezone(UTC) <= end.astimezone(UTC):
        # A local hour, or day, that a change of the clocks leaves out begins and ends at one moment: nothing can run in it.
        if start.astimezone(UTC) < following.astimezone(UTC):
            yield start, following
        start = following
