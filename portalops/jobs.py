"""What is due, decided from the ledger alone; pure.

A job is due once in each of its slots: a local hour, day, ISO week or month. A complete run fulfils the
slot. One that failed or was incomplete is tried again, but not within the hour; one that crashed or was
interrupted is tried again at once. A slot that has passed is not caught up with, it stays missed: what was not done
in its week cannot be done in it any more.

A job may have a time in its slot (`at`, `on`). It is due from then on, and what was done before then does not fulfil
its slot. Only if its time in the slot before passed without a complete run, it is overdue: it is done once, at once,
and again at its time.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from portalops.errors import LedgerError
from portalops.model.message import Message, msg
from portalops.model.runs import LAST_DAY, WEEKDAYS, Every, Job, Run, Slot
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.registers.plans import PlannedSpan, RecordedPlan, planned_spans
from portalops.registers.runs import RunName, parse_run_id

RETRY_AFTER = timedelta(hours=1)
"""How long after a failed or incomplete run the same slot is left alone."""

START_GRACE = timedelta(hours=1)
"""How long after its slot's end a run may start and still count for it: it was due before, and waited."""

MAX_SLOTS = 1_000_000
"""How many slots one search for missed ones covers: an hourly job has as many in a hundred years."""

_SETTLED_AFTER = START_GRACE + timedelta(hours=3)
"""How long after a slot's end a newer run shows that none comes for it any more, whatever was done to the clocks in that hour."""

_HELD_FOR = timedelta(days=32)
"""How long a run can matter: the longest slot is a month, and is settled within the hours after it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run and its result."""

    run: Run
    outcome: RunOutcome | None
    """None while it runs, if it crashed, or if its details cannot be read: never taken for complete."""
    running: bool = False
    """Its process is alive."""
    interrupted: bool = False
    """A person or the system stopped it: nothing was found to be wrong that waiting could cure."""


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that is to be done now."""

    job: Job
    slot: str
    late: bool
    """The slot before passed without a complete run in its time, although the job was done before: it is overdue."""
    attempt: int
    """1 for the first in its slot."""
    reason: Message


def due(
    jobs: Iterable[Job], attempts: Sequence[Attempt], now: datetime, zone: ZoneInfo, *, forced: bool = False
) -> tuple[DueJob, ...]:
    """Return the jobs to do now, in the order given.

    Args:
        jobs: the plan.
        attempts: what was tried, at least since the start of each job's previous slot.
        now: aware.
        zone: the portal's, in which slots begin and end.
        forced: a person asked for these jobs, due or not.
    """
    found = (_due(job, _named(job, attempts), now, zone, forced=forced) for job in jobs)
    return tuple(each for each in found if each is not None)


def next_due(job: Job, attempts: Sequence[Attempt], now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a job is due next, in UTC; `now` if it is due already. While it is at work, that is in its next slot."""
    mine = _named(job, attempts)
    local = now.astimezone(zone)
    following = job.every.next_start(local)
    starts = (slot_start(job.every, local), following, job.every.next_start(following))
    moments = {now.astimezone(UTC), *(_retry_at(attempt) for _name, attempt in mine)}
    for start in starts:
        moments |= {start.astimezone(UTC), due_from(job, start), start.astimezone(UTC) + START_GRACE}
    coming = sorted(each for each in moments if each >= now)
    idle = [(name, attempt) for name, attempt in mine if not attempt.running]
    at_work = len(idle) < len(mine)
    if at_work:
        return due_from(job, following)
    return next((each for each in coming if _due(job, mine, each, zone, forced=False)), due_from(job, following))


def due_from(job: Job, start: datetime) -> datetime:
    """Return from which moment on a job is due in one of its slots, in UTC.

    A time that the clocks leave out there, when summer time begins, is the first moment after the gap; one that comes twice,
    when it ends, is the first of the two.

    Args:
        job: with its time, if it has one.
        start: when the slot begins, local.
    """
    if not job.has_time:
        return start.astimezone(UTC)
    day = start.date()
    match job.every:
        case Every.WEEK if job.on:
            day += timedelta(days=WEEKDAYS.index(job.on))
        case Every.MONTH if job.on == LAST_DAY:
            day = job.every.next_start(start).date() - timedelta(days=1)
        case Every.MONTH if job.on:
            day = day.replace(day=int(job.on))
    wall = datetime.combine(day, time.fromisoformat(job.at or "00:00"))
    return max(_first_at(wall, start.tzinfo), start.astimezone(UTC))


def moved_times(job: Job, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield when in a span the clocks leave a job's time out, or let it come twice.

    Yields:
        from when on the job is due there, in UTC; and whether its time is left out, else it comes twice.
    """
    start = slot_start(job.every, since.astimezone(zone))
    while job.at and start.astimezone(UTC) < until:
        moment = due_from(job, start)
        local = moment.astimezone(zone)
        if local.strftime("%H:%M") != job.at:
            yield moment, True
        elif local.utcoffset() != local.replace(fold=1).utcoffset():
            yield moment, False
        start = job.every.next_start(start)


def _first_at(wall: datetime, zone: tzinfo | None) -> datetime:
    """Return the first moment, in UTC, at which clocks of a zone show a time of day or, where they leave it out, a later one."""
    local = wall.replace(tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # PEP 495: of a time that is left out, fold=1 gives a moment before the gap, and fold=0 one after it.
    before, after = local.replace(fold=1).astimezone(UTC), moment
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def slot_start(every: Every, local: datetime) -> datetime:
    """Return the local moment at which the slot that holds `local` began."""
    hour = local.replace(minute=0, second=0, microsecond=0)
    match every:
        case Every.HOUR:
            return hour
        case Every.DAY:
            return hour.replace(hour=0)
        case Every.WEEK:
            return hour.replace(hour=0) - timedelta(days=local.weekday())
        case Every.MONTH:
            return hour.replace(hour=0, day=1)


def previous_slot_start(every: Every, local: datetime) -> datetime:
    """Return the local moment at which the slot before the one that holds `local` began."""
    start = slot_start(every, local)
    step = timedelta(hours=1) if every is Every.HOUR else timedelta(days=1)
    return slot_start(every, start - step)


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
    a Thursday expects its first weekly run in the week after. Hand in only the runs that shall count:
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


@dataclass(frozen=True, slots=True)
class ExpectedSlot:
    """A slot of a planned job, its ends in the plan's time zone."""

    job: Job
    start: datetime
    end: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Return the job's id and the slot's name, as ids of runs hold them."""
        return self.job.id, self.job.every.slot(self.start)

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
        self._missed: dict[tuple[str, str], list[ExpectedSlot]] = {}
        self._started: dict[tuple[str, str], deque[datetime]] = {}
        self._held: deque[tuple[datetime, tuple[str, str]]] = deque()
        """All that `_started` holds, in the order in which it came."""
        self._newest = datetime.min.replace(tzinfo=UTC)

    def add(self, run: Run) -> None:
        """Take a run into account."""
        name = parse_run_id(run.id)
        if name is None:
            return
        key = name.job, name.slot
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
        return [
            Slot(slot.job, name, slot.start.date()) for (_job, name), slots in self._missed.items() for slot in slots
        ]

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


def _due(
    job: Job, mine: Sequence[tuple[RunName, Attempt]], now: datetime, zone: ZoneInfo, *, forced: bool
) -> DueJob | None:
    start, before = _slots_at(job, mine, now.astimezone(zone))
    slot, slot_before = job.every.slot(start), job.every.slot(before)
    tried, tried_before = _attempts_of_slot(mine, slot), _attempts_of_slot(mine, slot_before)
    is_known = any(name.slot != slot for name, _attempt in mine)
    late = is_known and not _is_fulfilled(_begun_from(tried_before, due_from(job, before)))
    its_time = due_from(job, start)
    counted = _begun_from(tried, its_time) if now >= its_time else tried
    if forced:
        reason: Message | None = msg("it was requested")
    elif now < its_time and not late:
        reason = None
    else:
        reason = None if any(attempt.running for _name, attempt in mine) else _reason(counted, slot, now)
    if reason is None:
        return None
    if late and not forced and not counted:
        reason = msg("no run is recorded for {slot}, and {before} was missed", slot=slot, before=slot_before)
        if tried_before or job.has_time:
            reason = msg("it was due at {moment}, and no complete run has started since", moment=due_from(job, before))
    number = max((name.attempt for name, _attempt in mine if name.slot == slot), default=0) + 1
    return DueJob(job, slot, late, number, reason)


def _slots_at(job: Job, mine: Sequence[tuple[RunName, Attempt]], local: datetime) -> tuple[datetime, datetime]:
    """Return the starts of the slot that is worked on at a local moment, and of the one before it.

    A job whose time lies in the last hour of its slot may be begun an hour after its end, which counts for it: nobody
    looks each minute what is due.
    """
    start, before = slot_start(job.every, local), previous_slot_start(job.every, local)
    its_time, end = due_from(job, before), start.astimezone(UTC)
    if job.has_time and its_time > end - START_GRACE and local.astimezone(UTC) < end + START_GRACE:
        tried = _begun_from(_attempts_of_slot(mine, job.every.slot(before)), its_time)
        if not _is_fulfilled(tried):
            return before, previous_slot_start(job.every, before)
    return start, before


def _reason(tried: Sequence[Attempt], slot: str, now: datetime) -> Message | None:
    """Say why the slot is to be worked on, or return None if it is not."""
    newest = _newest(tried)
    if newest is None:
        return msg("no run is recorded for {slot}", slot=slot)
    if _is_fulfilled(tried) or newest.running or now < _retry_at(newest):
        return None
    finished_at = newest.run.finished_at
    if finished_at is None:
        return msg("the run that began at {moment} did not finish", moment=newest.run.started_at)
    if newest.interrupted:
        return msg("the run that ended at {moment} was interrupted", moment=finished_at)
    match newest.outcome:
        case RunOutcome.INCOMPLETE:
            return msg("the run that ended at {moment} was incomplete", moment=finished_at)
        case RunOutcome.FAILED:
            return msg("the run that ended at {moment} failed", moment=finished_at)
        case _:
            return msg("the result of the run that ended at {moment} cannot be read", moment=finished_at)


def _retry_at(attempt: Attempt) -> datetime:
    finished_at = attempt.run.finished_at
    if finished_at is None:
        return attempt.run.started_at
    return finished_at if attempt.interrupted else finished_at + RETRY_AFTER


def _begun_from(attempts: Iterable[Attempt], moment: datetime) -> tuple[Attempt, ...]:
    return tuple(attempt for attempt in attempts if attempt.run.started_at >= moment)


def _is_fulfilled(attempts: Iterable[Attempt]) -> bool:
    return any(attempt.outcome is RunOutcome.COMPLETE for attempt in attempts)


def _newest(attempts: Sequence[Attempt]) -> Attempt | None:
    return max(attempts, key=lambda attempt: attempt.run.started_seq, default=None)


def _named(job: Job, attempts: Iterable[Attempt]) -> tuple[tuple[RunName, Attempt], ...]:
    """Return a job's attempts with what their ids say."""
    named = ((parse_run_id(attempt.run.id), attempt) for attempt in attempts)
    return tuple((name, attempt) for name, attempt in named if name is not None and name.job == job.id)


def _attempts_of_slot(mine: Iterable[tuple[RunName, Attempt]], slot: str) -> tuple[Attempt, ...]:
    return tuple(attempt for name, attempt in mine if name.slot == slot)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:  # what zoneinfo raises for a name that is none
        raise LedgerError(
            msg("a plan names an unknown time zone: {name}", name=repr(name[:80])),
            msg("Install the time zone data of the system: tzdata."),
        ) from error


def _slots(every: Every, first: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the local starts and ends of the slots that lie wholly between two moments."""
    local = first.astimezone(zone)
    start = slot_start(every, local)
    if start < local:
        start = every.next_start(local)
    while (following := every.next_start(start)).astimezone(UTC) <= end.astimezone(UTC):
        yield start, following
        start = following
