"""The one way through for every job: a started record, the work, a finished record.

A run that ends in an error leaves a finished record with that error. One whose process was killed leaves
its started record alone, and that is how a crash shows. While it lasts, a run holds its job's lock,
which the kernel frees with the process, so that running and crashed can be told apart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import UTC, datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.errors import ExitCode, InternalFault, LedgerError, PortalOpsError
from portalops.jobs import Attempt, previous_slot_start
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.heeded import HeededLedger, done_work, heeded, numbers_mistimed
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft
from portalops.ledger.stores import Locks
from portalops.model.installations import Direction, Installation, InstalledVersion, installation_of
from portalops.model.message import Message, kept, msg, verbatim
from portalops.model.record import FINISHED, STARTED, Record, RunId
from portalops.model.runs import Job, JobId, Plan, Run, RunLog, RunSummary
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from portalops.registers.installations import INSTALLATION, newest_installed
from portalops.registers.plans import PLAN
from portalops.registers.runs import parse_run_id, run_id
from portalops.system import logs

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)

REACH_BACK = 500
"""Started records of a kind among which the last run of a job is looked for that was not done lately."""
LOG = "log"
"""The key of a `RunLog` in a finished record's body."""
MAX_PROBLEMS = 1000
MAX_PROBLEM = 500
"""Longest problem that a summary keeps, in characters."""


@dataclass(frozen=True, slots=True)
class Work(Generic[ResultT]):
    """What a job hands back when it has ended by itself."""

    outcome: RunOutcome
    exit_code: ExitCode
    result: ResultT | None
    """A dataclass of `portalops.model`; it goes into the blob under the job's kind. None if there is none."""
    problems: tuple[Message | str, ...] = ()
    """One line for each thing that went wrong; text where it is the same in every language."""

    @property
    def shown_problems(self) -> tuple[Message, ...]:
        """The problems for people."""
        return tuple(each if isinstance(each, Message) else verbatim(each) for each in self.problems)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the two records around a piece of work bear."""

    run: RunId
    """Not in use yet."""
    kind: str
    """Their kind without its ending, and the key of the result in the finished one's body."""
    subject: str
    """Two pieces of work on one subject are not done at once."""
    duty: str = ""
    begun: Mapping[str, object] = field(default_factory=dict)
    """What the started record's body holds beside the circumstances."""
    late: bool = False
    """It was overdue."""
    is_alone: bool = True
    """Nothing else is done by the process meanwhile."""


@dataclass(frozen=True, slots=True)
class RecordedRun(Generic[ResultT]):
    """A run that was recorded."""

    run: RunId
    work: Work[ResultT]
    summary: RunSummary
    started: Record
    finished: Record


def record_run(
    ledger: Ledger,
    job: Job,
    slot: str,
    work: Callable[[], Work[ResultT]],
    *,
    clock: Clock,
    circumstances: Circumstances,
    suffix: str = "",
    late: bool = False,
) -> RecordedRun[ResultT]:
    """Do a job's work between its two records.

    Args:
        ledger: open for appending.
        job: its kind names the records, its id is their subject.
        slot: which of the job's slots the run is for.
        work: does it, and judges how it went.
        clock: for the summary's times.
        circumstances: who, where and how.
        suffix: tells apart several runs that belong to one slot.
        late: it was overdue.

    Raises:
        Locked: another process is at this job.
        LedgerError: a record could not be written; before the work began, if it was the started one.
        BaseException: whatever the work raised, after it was recorded as failed.
    """
    run = run_id(job, slot, taken=ledger.run_ids(run_id(job, slot, suffix=suffix)), suffix=suffix)
    frame = Frame(run, job.kind.value, job.id, job.duty, late=late)
    return record_framed(ledger, frame, work, clock=clock, circumstances=circumstances)


def record_framed(
    ledger: Ledger, frame: Frame, work: Callable[[], Work[ResultT]], *, clock: Clock, circumstances: Circumstances
) -> RecordedRun[ResultT]:
    """Do a piece of work between its two records, whether it is planned or not; the rest as in `record_run`."""
    with (
        ledger.locks.held(lock_name(frame.subject), holder=frame.run),
        _logged(frame, clock) as said,
    ):
        begun_at = clock.now()
        body = bodies.write({"circumstances": circumstances, **frame.begun})
        kind = f"{frame.kind}{STARTED}"
        started = ledger.append(kind, run=frame.run, subject=frame.subject, duty=frame.duty, body=body)
        logs.log_event(logger, logging.INFO, logs.Event.RUN_STARTED, f"run {frame.run} began")
        try:
            done = work()
        except BaseException as error:
            failed: Work[ResultT] = Work(RunOutcome.FAILED, exit_code_of(error), None, (problem_of(error),))
            _finish(ledger, frame, failed, begun_at, said, clock=clock, circumstances=circumstances)
            raise
        try:
            summary, finished = _finish(ledger, frame, done, begun_at, said, clock=clock, circumstances=circumstances)
        except (TypeError, ValueError) as error:
            # A result that no blob holds is a fault of ours. Left at that, the run would look as if it had been killed.
            failed = Work(RunOutcome.FAILED, exit_code_of(error), None, (problem_of(error), *done.problems))
            _finish(ledger, frame, failed, begun_at, said, clock=clock, circumstances=circumstances)
            raise
        _claim_at_once(ledger, frame)
    return RecordedRun(frame.run, done, summary, started, finished)


def _claim_at_once(ledger: Ledger, frame: Frame) -> None:
    """Claim a run while its lock is held: to other machines, what nobody claims is not done."""
    if ledger.claimant is None or not ledger.claimant.is_shared or not frame.is_alone:
        return
    try:
        ledger.claim()
    except PortalOpsError as error:  # the command's end tries again, and says so
        logger.info("run %s is not claimed yet: %s", frame.run, error)


@contextmanager
def _logged(frame: Frame, clock: Clock) -> Iterator[logs.RunLines]:
    """Let lines be about a run, and keep them; where several are under way in one process, they belong to none."""
    if not frame.is_alone:
        yield logs.RunLines([])
        return
    with logs.log_subject(logs.Subject(frame.run, frame.subject, frame.duty)), logs.kept(clock.now) as said:
        yield said


def record_plan(ledger: Ledger, plan: Plan, circumstances: Circumstances) -> Record | None:
    """Record what is expected from now on, if it is not what was recorded last; return the record made.

    A plan whose details are lost is no hindrance: what is expected is recorded anew.
    """
    seen = newest_plan(ledger)
    if seen is not None and _is_plan(ledger, seen, plan):
        return None
    body = ledger.keep(bodies.write({PLAN: plan, "circumstances": circumstances}))

    def unless_recorded() -> list[Draft]:  # another process may have, since
        newest = newest_plan(ledger)
        is_new = newest is not None and (seen is None or newest.seq > seen.seq)
        return (
            [] if newest is not None and is_new and _is_plan(ledger, newest, plan) else [ledger.draft(PLAN, body=body)]
        )

    recorded = ledger.append_decided(unless_recorded)
    return recorded[0] if recorded else None


def newest_plan(ledger: Ledger) -> Record | None:
    """Return the newest plan that duties are judged by: of what a writer may not record, and of a wrong time, none counts."""
    return next(heeded(ledger, ledger).records(kinds=(PLAN,), newest_first=True, limit=1), None)


def _is_plan(ledger: Ledger, record: Record, plan: Plan) -> bool:
    try:
        return bodies.required_part(ledger.blob(record.body), PLAN, Plan) == plan
    except PortalOpsError as error:
        logger.warning("the newest plan cannot be read, and is recorded anew: %s", error)
        return False


def record_installation(
    ledger: Ledger, installed: InstalledVersion, circumstances: Circumstances
) -> Installation | None:
    """Record which portalops writes this ledger from now on, if it is not the one that was recorded last; return what changed.

    Where the newest such record cannot be read, how this one differs from it is unknown, and is recorded as that.
    """
    changed = _changed_installation(ledger, installed)
    if changed is None:
        return None
    done: list[Installation] = []

    def decide() -> Sequence[Draft]:
        done[:] = [
            each for each in (_changed_installation(ledger, installed),) if each
        ]  # another run may have been quicker
        return [
            ledger.draft(
                INSTALLATION, body=ledger.keep(bodies.write({INSTALLATION: each, "circumstances": circumstances}))
            )
            for each in done
        ]

    ledger.append_decided(decide)
    return done[0] if done else None


def _changed_installation(ledger: Ledger, installed: InstalledVersion) -> Installation | None:
    try:
        return installation_of(installed, newest_installed(ledger))
    except LedgerError as error:
        logger.warning("the newest record of an installation cannot be read, and another one is made: %s", error)
        return Installation(Direction.UNKNOWN, installed, None)


def read_attempts(ledger: Ledger, jobs: Sequence[Job], now: datetime, zone: ZoneInfo) -> tuple[Attempt, ...]:
    """Return what was tried since shortly before each job's previous slot: all that `jobs.due` needs.

    How a run ended is read only where it matters, in the current and the previous slot.
    """
    local = now.astimezone(zone)
    attempts: list[Attempt] = []
    mistimed = numbers_mistimed(ledger)
    with ledger.view():
        done, whole = done_work(ledger), ledger.whole
        for kind in sorted({job.kind for job in jobs}):
            attempts += _attempts_of_kind(whole, [job for job in jobs if job.kind is kind], local, mistimed, done)
    return tuple(attempts)


def _attempts_of_kind(
    ledger: Ledger, jobs: Sequence[Job], local: datetime, mistimed: Collection[int], done: HeededLedger | None
) -> Iterator[Attempt]:
    slots: set[tuple[str, str]] = set()
    oldest = local
    for job in jobs:
        before = previous_slot_start(job.every, local)
        slots |= {(job.id, job.every.slot(local)), (job.id, job.every.slot(before))}
        oldest = min(oldest, previous_slot_start(job.every, before))
    silent = {job.id: job for job in jobs}
    for told in ledger.runs(kinds=[jobs[0].kind.value], since=oldest.astimezone(UTC)):
        name, run = parse_run_id(told.id), _as_done(ledger, told, done)
        if name is None or run is None or run.started_seq in mistimed:
            continue
        silent.pop(name.job, None)
        if (name.job, name.slot) in slots:
            yield _attempt(ledger, run)
        else:
            yield Attempt(run, None, running=is_running(ledger.locks, run))
    yield from _long_ago(ledger, silent, oldest.astimezone(UTC), mistimed, done)


def _as_done(ledger: Ledger, run: Run, done: HeededLedger | None) -> Run | None:
    """Return what counts of a run; also of one that another machine is at, which claims its beginning later."""
    if done is None:
        return run
    kept = done.without_unheeded_end(run)
    return kept if done.is_claimed(run.started_seq, run.started_at) or is_running(ledger.locks, kept) else None


def _long_ago(
    ledger: Ledger,
    silent: Mapping[JobId, Job],
    until: datetime,
    mistimed: Collection[int],
    done: HeededLedger | None,
) -> Iterator[Attempt]:
    """Yield the newest run of each job that left none since, so that one which is overdue is told from a new one."""
    for job in silent.values():
        kind = f"{job.kind.value}{STARTED}"
        for record in ledger.records(kinds=(kind,), until=until, newest_first=True, limit=REACH_BACK):
            name = parse_run_id(record.run)
            counts = record.seq not in mistimed and (done is None or done.is_claimed(record.seq, record.at))
            if name is not None and name.job == job.id and counts:
                run = Run(record.run, job.kind.value, record.subject, record.duty, record.at, record.seq)
                yield Attempt(run, None)
                break


def _attempt(ledger: Ledger, run: Run) -> Attempt:
    summary = ledger.summary(run)
    return Attempt(
        run,
        summary.outcome if summary else None,
        running=is_running(ledger.locks, run),
        interrupted=summary is not None and summary.exit_code == ExitCode.INTERRUPTED,
        partial=summary is not None and summary.exit_code == ExitCode.PARTIAL,
    )


def is_running(locks: Locks, run: Run) -> bool:
    """Say whether an unfinished run's process is alive, on any machine that writes to the ledger."""
    return run.finished_at is None and locks.is_held_by(lock_name(run.subject), run.id)


def lock_name(job: str) -> str:
    """Return the name of a job's lock."""
    return f"job-{job}"


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code that an exception leads to."""
    match error:
        case PortalOpsError():
            return error.exit_code
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case _:
            return InternalFault.exit_code


def problem_of(error: BaseException) -> Message:
    """Return an exception as one line for the summary."""
    match error:
        case PortalOpsError():
            return error.message
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED.meaning
        case _:
            return verbatim(show_text(f"{type(error).__name__}: {error}", MAX_PROBLEM))


def _finish(
    ledger: Ledger,
    frame: Frame,
    work: Work[ResultT],
    begun_at: datetime,
    lines: logs.RunLines,
    *,
    clock: Clock,
    circumstances: Circumstances,
) -> tuple[RunSummary, Record]:
    said = tuple(kept(problem, MAX_PROBLEM) for problem in work.problems[:MAX_PROBLEMS])
    if len(work.problems) > MAX_PROBLEMS:
        said += (msg("... {n} more", n=len(work.problems) - MAX_PROBLEMS),)
    summary = RunSummary(
        work.outcome, int(work.exit_code), begun_at, clock.now(), tuple(map(str, said)), frame.late, said
    )
    parts: dict[str, object] = {"circumstances": circumstances, "run": summary}
    if work.result is not None:
        parts[frame.kind] = work.result
    if (log := _kept_log(ledger, lines)) is not None:
        parts[LOG] = log
    body = bodies.write(parts)
    kind = f"{frame.kind}{FINISHED}"
    finished = ledger.append(kind, run=frame.run, subject=frame.subject, duty=frame.duty, body=body)
    _log_end(frame, summary)
    return summary, finished


def _kept_log(ledger: Ledger, said: logs.RunLines) -> RunLog | None:
    """Keep what was logged, and return what refers to it; None if there is nothing, or it cannot be kept."""
    if not said.lines:
        return None
    try:
        return RunLog(ledger.keep(said.data()), len(said.lines), said.more)
    except LedgerError as error:  # that it ended is more than how
        logger.warning("the log of a run is not kept: %s", error)
        return None


def _log_end(frame: Frame, summary: RunSummary) -> None:
    code, outcome = summary.exit_code, summary.outcome
    has_failed = outcome is RunOutcome.FAILED or code not in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
    event = logs.Event.RUN_FAILED if has_failed else logs.Event.RUN_FINISHED
    level = logging.ERROR if has_failed else logging.INFO if outcome is RunOutcome.COMPLETE else logging.WARNING
    first = f": {summary.problems[0]}" if summary.problems else ""
    logs.log_event(logger, level, event, f"run {frame.run} ended {outcome.value}, exit status {code}{first}")
