"""Do what is due: back up, verify, check, collect, judge, report.

Cron, systemd timers and people all come through this one door. What is due is read from the ledger
alone, so any of them may miss a beat and nothing runs twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from commands import status
from commands._jobs import (
    Performed,
    attempt,
    not_begun,
    problem_lines,
    problem_notices,
    record_plan,
    require_valid,
    resource_lock,
)
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from commands.report import recorded_reports
from portalops.errors import ExitCode, FileUnwritable, Locked, PortalOpsError, UsageError, worst
from portalops.jobs import DueJob, due, next_due
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.period import current_period
from portalops.model.runs import JobKind, ReportResult, Resource
from portalops.model.verdicts import RunOutcome
from portalops.reports.document import Block, KeyValues, Paragraph, Table
from portalops.reports.words import outcome_status

logger = logging.getLogger(__name__)

app = typer.Typer()

ORDER = tuple(JobKind)
"""Backups first and reports late, so that a report tells of the same run's work; what is anchored is over all of them."""


@app.command(
    help=_(
        "Do what is due, then show where every duty stands\n\nWhat is due comes from the ledger: a job is due once in"
        " each of its hours, days, weeks or months. Name jobs to do them now, due or not. With --due, as timers call it,"
        " nothing is judged where nothing was due, but once a day.\n\nExample: portalops run; portalops run daily-check;"
        " portalops run --dry-run\n\nEXIT STATUS: 0 done, all met; 1 something is not met; 3 done in part; 4 a job"
        " failed; 5 integrity; 75 a job was left out, since another process works on the same; 78 configuration"
    )
)
def run(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(help=_("Jobs to do now; without any, those that are due"))] = None,
    due_only: Annotated[bool, typer.Option("--due", help=_("Of the named jobs, do only those that are due"))] = False,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help=_("Wait so long for what another process works on")),
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result:
    session = open_session(ctx)
    require_valid(session.settings)
    asked = Asked(tuple(jobs or ()), due_only=due_only, wait_seconds=wait)
    if dry_run:
        return _planned(session, _chosen(session, asked))
    record_plan(session)
    return _done(session, _performed(session, asked))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants done."""

    names: tuple[str, ...] = ()
    """Jobs; empty for all that are planned."""
    due_only: bool = False
    wait_seconds: float = 0

    @property
    def is_forced(self) -> bool:
        """Say whether a person named jobs to do them, due or not."""
        return bool(self.names) and not self.due_only


def _performed(session: Session, asked: Asked) -> list[Performed]:
    """Do what is due, one job after the other, each with its resource; what another process holds is left out and told."""
    until = session.clock.monotonic() + asked.wait_seconds
    performed: list[Performed] = []
    for each in _chosen(session, asked):
        try:
            with _resources(session, each, max(0.0, until - session.clock.monotonic())):
                found = _still(session, each)
                if found is not None:
                    performed.append(attempt(session, found.job, slot=found.slot, late=found.late))
        except (Locked, FileUnwritable) as error:
            performed.append(not_begun(each.due.job, each.due.slot, error))
    return performed


@contextmanager
def _resources(session: Session, each: Chosen, wait_seconds: float) -> Iterator[None]:
    """Hold what a job works on; heavy work that came due by itself also takes its turn, so that after a long pause not all begins at once."""
    job = each.due.job
    until = session.clock.monotonic() + wait_seconds
    with ExitStack() as held:
        if job.kind.is_heavy and not each.is_forced:
            held.enter_context(resource_lock(session, Resource.TURN, job=job.id, wait_seconds=wait_seconds))
        left = max(0.0, until - session.clock.monotonic())
        held.enter_context(resource_lock(session, job.kind.resource, job=job.id, wait_seconds=left))
        yield


@dataclass(frozen=True, slots=True)
class Chosen:
    """A job to do."""

    due: DueJob
    is_forced: bool
    """Due or not."""


def _chosen(session: Session, asked: Asked) -> list[Chosen]:
    """Return what to do, in the order of kinds."""
    known = {job.id: job for job in session.settings.jobs}
    for name in asked.names:
        if name not in known:
            raise UsageError(
                msg("there is no job {name}", name=name[:40]),
                msg("The jobs are: {jobs}.", jobs=", ".join(known) or "-"),
            )
    wanted = [job for job in session.settings.jobs if not asked.names or job.id in asked.names]
    now = session.clock.now()
    attempts, zone = session.attempts(), session.zone_of_portal
    chosen = [Chosen(each, asked.is_forced) for each in due(wanted, attempts, now, zone, forced=asked.is_forced)]
    if any(each.due.job.kind is JobKind.BACKUP for each in chosen):  # the head over a new set leaves at once
        anchoring = [job for job in session.settings.jobs if job.kind is JobKind.ANCHOR]
        if all(each.due.job not in anchoring for each in chosen):
            forced = due(anchoring[:1], attempts, now, zone, forced=True)
            chosen += (Chosen(replace(each, reason=msg("a backup is made before it")), True) for each in forced)
    return sorted(chosen, key=lambda each: ORDER.index(each.due.job.kind))


def _still(session: Session, each: Chosen) -> DueJob | None:
    """Return a job that is to be done now that its resource is held; None if another process did it meanwhile."""
    if each.is_forced:
        return each.due
    found = due([each.due.job], session.attempts(), session.clock.now(), session.zone_of_portal)
    return found[0] if found else None


def _planned(session: Session, chosen: Sequence[Chosen]) -> Result:
    found = [each.due for each in chosen]
    rows = [(each.job.id, each.job.kind.value, each.slot, each.reason) for each in found]
    headers = (msg("Job"), msg("Kind"), msg("For"), msg("Why"))
    view: list[Block] = [Table(msg("What would be done"), headers, rows)] if rows else [Paragraph(_nothing(session))]
    return Result(
        [{"id": each.job.id, "slot": each.slot, "reason": str(each.reason), "late": each.late} for each in found], view
    )


def _done(session: Session, performed: Sequence[Performed]) -> Result:
    period = current_period(session.clock.now().astimezone(session.zone_of_portal).date())
    judged = status.judge_period(session, period)
    standings = judged.standings
    codes = [done.exit_code for done in performed]
    exit_code = worst([*codes, status.exit_code_of(standings), judged.exit_code])
    view: list[Block] = [_jobs_table(performed)] if performed else [Paragraph(_nothing(session))]
    view += problem_notices(performed)
    view += status.overview(standings, session.rulebook, period)
    reports = _report_paths(session, performed)
    view.append(KeyValues([*((msg("Report"), path) for path in reports), (msg("Exit status"), _meaning(exit_code))]))
    data: JsonValue = {
        "jobs": [done.data() for done in performed],
        "duties": [status.standing_data(standing) for standing in standings],
        "reports": reports,
        "exit_code": int(exit_code),
    }
    failed = [done for done in performed if done.outcome is RunOutcome.FAILED]
    failures = [said for said, _tone in problem_lines(failed)]
    return Result(data, view, judged.warnings(), exit_code, failures)


def _jobs_table(performed: Sequence[Performed]) -> Table:
    headers = (msg("Job"), msg("For"), msg("Outcome"), msg("Seconds"), msg("What was done"))
    rows = [
        (done.job.id, _slot_words(done), outcome_status(done.outcome), f"{done.seconds:.1f}", done.summary)
        for done in performed
    ]
    return Table(msg("Jobs of this run"), headers, rows)


def _slot_words(done: Performed) -> Message | str:
    return msg("{slot}, late", slot=done.slot) if done.late else done.slot


def _nothing(session: Session) -> Message:
    now, zone, attempts = session.clock.now(), session.zone_of_portal, session.attempts()
    coming = [(next_due(job, attempts, now, zone), job) for job in session.settings.jobs]
    if not coming:
        return msg("Nothing is due: no job is planned")
    moment, job = min(coming, key=lambda each: each[0])
    return msg("Nothing is due. Next: {job} on {day}", job=job.id, day=moment)


def _report_paths(session: Session, performed: Sequence[Performed]) -> list[str]:
    """Return where this run's reports lie, or else the newest ones that are still there."""
    folder = session.settings.report.folder
    results = [done.result for done in performed if isinstance(done.result, ReportResult)]
    if not results:
        try:
            recorded, unreadable = recorded_reports(session)
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
