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

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from portalops.model.message import Message, msg
from portalops.model.runs import LAST_DAY, WEEKDAYS, Every, Job, JobId, JobKind, Run, slot_start
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.registers.expected_slots import START_GRACE
from portalops.registers.runs import RunName, parse_run_id

RETRY_AFTER = timedelta(hours=1)
"""How long after a failed or incomplete run the same slot is left alone."""


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
    partial: bool = False
    """It ended with the exit status of what is done in part: of a complete backup, a copy is owed, or its signature."""


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


def owed_copies(jobs: Sequence[Job], attempts: Sequence[Attempt]) -> Job | None:
    """Return the job that makes the copies which a backup job's newest run owes, where no copy job is planned; None if none is owed.

    Args:
        jobs: the plan.
        attempts: what was tried lately.
    """
    if any(job.kind is JobKind.COPY for job in jobs):
        return None
    for job in jobs:
        newest = _newest([attempt for _name, attempt in _named(job, attempts)]) if job.kind is JobKind.BACKUP else None
        if newest is not None and newest.outcome is RunOutcome.COMPLETE and newest.partial:
            return Job(JobId(JobKind.COPY.value), JobKind.COPY, job.every)
    return None


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


def previous_slot_start(every: Every, local: datetime) -> datetime:
    """Return the local moment at which the slot before the one that holds `local` began."""
    start = slot_start(every, local)
    step = timedelta(hours=1) if every is Every.HOUR else timedelta(days=1)
    return slot_start(every, start - step)


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
