"""Do what was chosen, one job after the other, then judge the duties and show both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from commands.cli.clock import note_clock
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.due import JUDGED_ON, Chosen, RunRequest, chosen, nothing_due, plan_now, still_due
from commands.jobs.performed import PerformedJob, ShownJob
from commands.jobs.report_files import recorded_reports
from commands.jobs.runner import attempt, not_begun, problem_lines, problem_notices
from commands.jobs.standings import JudgedDuties, ShownStanding, exit_code_of, judge_period, overview, standing_data
from portalops.errors import ExitCode, FileUnwritable, Locked, PortalOpsError, worst
from portalops.files import write_atomically
from portalops.model.message import Message, msg
from portalops.model.period import current_period
from portalops.model.runs import Job, ReportResult, Resource
from portalops.model.verdicts import RunOutcome
from portalops.ports import LedgerReader
from portalops.private_folder import FILE_MODE
from portalops.reports.document import Block, KeyValues, Paragraph, TableBlock
from portalops.reports.words import outcome_status

logger = logging.getLogger(__name__)


def perform_chosen(
    session: Session, asked: RunRequest, begins: Callable[[Job], None] = lambda _job: None
) -> Iterator[PerformedJob]:
    """Do what is due, and yield it, one job after the other, each with its resource; what another process holds is left out and told.

    Args:
        session: what to work with.
        asked: what the caller wants done.
        begins: is told of each job before it is done.
    """
    until = session.clock.monotonic() + asked.wait_seconds
    for each in chosen(plan_now(session), asked):
        try:
            with _resources(session, each, max(0.0, until - session.clock.monotonic())):
                found = still_due(plan_now(session), each)
                if found is None:
                    continue
                begins(found.job)
                done = attempt(session, found.job, slot=found.slot, late=found.late)
        except (Locked, FileUnwritable) as error:
            done = not_begun(each.due.job, each.due.slot, error)
        yield done


@contextmanager
def _resources(session: Session, each: Chosen, wait_seconds: float) -> Iterator[None]:
    """Hold what a job works on; heavy work that came due by itself also takes its turn, so that after a long pause not all begins at once."""
    job = each.due.job
    until = session.clock.monotonic() + wait_seconds
    with ExitStack() as held:
        if job.kind.is_heavy and not each.is_forced:
            held.enter_context(session.hold(Resource.TURN, job=job.id, wait_seconds=wait_seconds))
        left = max(0.0, until - session.clock.monotonic())
        held.enter_context(session.hold(job.kind.resource, job=job.id, wait_seconds=left))
        yield


def judge_and_mark(session: Session) -> JudgedDuties:
    """Judge the duties of the present period, and note that it was done today."""
    today = session.today
    judged = judge_period(session, current_period(today))
    try:
        write_atomically(session.settings.state_folder / JUDGED_ON, f"{today.isoformat()}\n".encode(), mode=FILE_MODE)
    except FileUnwritable as error:  # then the next one judges again
        logger.warning("it cannot be noted that the duties were judged: %s", error)
    return judged


@shape
class RunOverview:
    """What a run did, and where the duties stand after it."""

    jobs: tuple[ShownJob, ...]
    duties: tuple[ShownStanding, ...] | None
    """Null where nothing was due, so that no duty was judged."""
    reports: tuple[str, ...]
    """Paths of the reports that it wrote, or of the newest that are still there."""
    exit_code: int


def result_of(
    session: Session, performed: Sequence[PerformedJob], judged: JudgedDuties, *, by_itself: bool = False
) -> Result[RunOverview]:
    """Show what was done, and where every duty stands.

    Args:
        session: of the run.
        performed: what was done or tried.
        judged: where the duties stand.
        by_itself: nobody waits for the answer: a job that another process is at is then no failure to be told, else cron would
            mail each quarter of an hour while a backup lasts.
    """
    period = current_period(session.today)
    standings = judged.standings
    codes = [done.exit_code for done in performed]
    exit_code = worst([*codes, exit_code_of(standings), judged.exit_code])
    view: list[Block] = [_jobs_table(performed)] if performed else [Paragraph(nothing_due(plan_now(session)))]
    view += problem_notices(performed)
    view += overview(standings, session.rulebook, period)
    settings = session.settings
    reports = _report_paths(settings.report.folder, session.reader, performed)
    view.append(KeyValues([*((msg("Report"), path) for path in reports), (msg("Exit status"), _meaning(exit_code))]))
    data = RunOverview(
        jobs=tuple(done.shown() for done in performed),
        duties=tuple(standing_data(standing) for standing in standings),
        reports=tuple(reports),
        exit_code=int(exit_code),
    )
    failed = [
        done
        for done in performed
        if done.outcome is RunOutcome.FAILED and not (by_itself and done.exit_code is ExitCode.LOCKED)
    ]
    failures = [said for said, _tone in problem_lines(failed)]
    stepped = note_clock(settings.state_folder, session.clock)
    told = () if stepped is None else (stepped,)
    return Result(data, view, (*judged.warnings(), *told), exit_code, (*failures, *told))


def _jobs_table(performed: Sequence[PerformedJob]) -> TableBlock:
    headers = (msg("Job"), msg("For"), msg("Outcome"), msg("Seconds"), msg("What was done"))
    rows = [
        (done.job.id, _slot_words(done), outcome_status(done.outcome), f"{done.seconds:.1f}", done.summary)
        for done in performed
    ]
    return TableBlock(msg("Jobs of this run"), headers, rows)


def _slot_words(done: PerformedJob) -> Message | str:
    return msg("{slot}, late", slot=done.slot) if done.late else done.slot


def _report_paths(folder: Path, ledger: LedgerReader, performed: Sequence[PerformedJob]) -> list[str]:
    """Return where this run's reports lie, or else the newest ones that are still there."""
    results = [done.result for done in performed if isinstance(done.result, ReportResult)]
    if not results:
        try:
            recorded, unreadable = recorded_reports(ledger)
        except PortalOpsError as error:  # what was done must be shown all the same
            logger.warning("the reports that were written cannot be listed: %s", error)
        else:
            results = [report.body for report in recorded[-1:]]
            for each in unreadable:
                logger.info("a report that was written cannot be listed: %s", each)
    paths = [folder / file.name for result in results for file in result.files]
    here = Path.cwd()
    return [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in paths if path.exists()]


def _meaning(code: ExitCode) -> Message:
    return msg("{code}: {meaning}", code=str(int(code)), meaning=code.meaning)
