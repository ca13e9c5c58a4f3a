"""Do what is due, then show where every duty stands

What is due comes from the ledger: a job is due once in each of its hours, days, weeks or months. Name jobs to do them
now, due or not. With --due, as timers call it, nothing is judged where nothing was due, but once a day.

Example: portalops run; portalops run daily-check; portalops run --dry-run

EXIT STATUS: 0 done, all met; 1 something is not met; 3 done in part; 4 a job failed; 5 integrity; 75 a job was left
out, since another process works on the same; 78 configuration
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.alarms import renew_alarms
from commands.jobs.due import PlannedJob, RunRequest, chosen, is_idle, nothing_due, plan_now, planned_result
from commands.jobs.ledger_server import excess_rights
from commands.jobs.monitors import Watch
from commands.jobs.notify import notify_failed_run, notify_idle_run, notify_run
from commands.jobs.run import RunOverview, judge_and_mark, perform_chosen, result_of
from commands.jobs.runner import record_plan
from commands.jobs.unrecorded import REFUSED, back_up_due
from commands.jobs.validity import require_valid
from portalops.errors import ExitCode
from portalops.files import require_writable
from portalops.locale import _
from portalops.reports.document import Paragraph

if TYPE_CHECKING:
    from commands.jobs.performed import PerformedJob


def run(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="JOB", help=_("Jobs to do now; without any, those that are due"))
    ] = None,
    due_only: Annotated[bool, typer.Option("--due", help=_("Of the named jobs, do only those that are due"))] = False,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help=_("Wait so long for what another process works on")),
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[RunOverview | tuple[PlannedJob, ...]]:
    session = open_session(ctx)
    asked = RunRequest(tuple(jobs or ()), due_only=due_only, wait_seconds=wait)
    if dry_run:
        return _planned(session, asked)
    performed: list[PerformedJob] = []
    try:
        return _run(session, asked, performed)
    except Exception as error:  # whichever it is: those who watch hear of it, and it goes on to whoever called
        Watch(session).fail(error, performed)
        notify_failed_run(session, error, performed)
        raise


def _planned(session: Session, asked: RunRequest) -> Result[tuple[PlannedJob, ...]]:
    require_valid(session.settings)
    plan = plan_now(session)
    return planned_result(plan, chosen(plan, asked))


def _run(session: Session, asked: RunRequest, performed: list[PerformedJob]) -> Result[RunOverview]:
    """Do what is due, judge, and tell whom it concerns; what was done is in `performed` also where an error ends the run."""
    if asked.due_only and is_idle(session, asked):
        require_writable(session.settings.state_folder)  # else the next job is lost, and nobody would hear of it before
        notify_idle_run(session)
        if session.settings.monitors:
            Watch(session).idle()
        return _idle(session)
    require_valid(session.settings)
    if session.settings.ledger_store is not None:
        session.warnings += excess_rights(session.kept(writable=False).records)
    told = Watch(session)
    try:
        record_plan(session)
    except REFUSED as refused:
        raise back_up_due(session, asked, refused, performed) from refused
    for done in perform_chosen(session, asked, begins=told.job_begins):
        performed.append(done)
        told.job_ended(done)
    if not performed:
        require_writable(session.settings.state_folder)
    judged = judge_and_mark(session)
    alarms = renew_alarms(session, judged)
    result = result_of(session, performed, judged, by_itself=asked.due_only)
    notify_run(
        session,
        performed,
        judged.standings,
        alarms=alarms,
        exit_code=result.exit_code,
        ledger_changed=judged.exit_code is ExitCode.INTEGRITY,
    )
    told.end(performed, judged)
    return result


def _idle(session: Session) -> Result[RunOverview]:
    """Say that nothing was due; no duty is judged, which the data says by its null."""
    return Result(RunOverview((), None, (), 0), [Paragraph(nothing_due(plan_now(session)))])


VERB = Verb(run)
