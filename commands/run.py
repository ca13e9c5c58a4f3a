"""Do what is due: back up, verify, check, collect, judge, report.

Cron, systemd timers and people all come through this one door. What is due is read from the ledger
alone, so any of them may miss a beat and nothing runs twice. Timers knock often and mostly for nothing, so that here
only what a knock needs is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands._notify_quiet import after_idle_run
from commands._result import JsonValue, Result
from commands._run_due import Asked, chosen, is_idle, nothing_due, planned_result
from commands._session import Session, open_session
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.reports.document import Paragraph

if TYPE_CHECKING:
    from commands._jobs import Performed

app = typer.Typer()


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
    asked = Asked(tuple(jobs or ()), due_only=due_only, wait_seconds=wait)
    if dry_run:
        return _planned(session, asked)
    performed: list[Performed] = []
    try:
        return _run(session, asked, performed)
    except Exception as error:  # whichever it is: those who watch hear of it, and it goes on to whoever called
        from commands._monitor_work import Watch  # noqa: PLC0415  # start-up time
        from commands._notify_work import after_failed_run  # noqa: PLC0415  # as above

        Watch(session).fail(error, performed)
        after_failed_run(session, error, performed)
        raise


def _planned(session: Session, asked: Asked) -> Result:
    from commands._jobs import require_valid  # noqa: PLC0415  # start-up time

    require_valid(session.settings)
    return planned_result(session, chosen(session, asked))


def _run(session: Session, asked: Asked, performed: list[Performed]) -> Result:
    """Do what is due, judge, and tell whom it concerns; what was done is in `performed` also where an error ends the run."""
    if asked.due_only and is_idle(session, asked):
        after_idle_run(session)
        if session.settings.monitors:
            from commands._monitor_work import Watch  # noqa: PLC0415  # start-up time

            Watch(session).idle()
        return _idle(session)
    from commands._jobs import record_plan, require_valid  # noqa: PLC0415  # start-up time
    from commands._monitor_work import Watch  # noqa: PLC0415  # as above
    from commands._notify_work import after_run  # noqa: PLC0415  # as above
    from commands._run_work import judge_and_mark, perform_chosen, result_of  # noqa: PLC0415  # as above

    require_valid(session.settings)
    if session.settings.ledger_store is not None:
        from commands._ledger_places import excess_rights  # noqa: PLC0415  # start-up time

        session.warnings += excess_rights(session)
    told = Watch(session)
    record_plan(session)
    for done in perform_chosen(session, asked, begins=told.job_begins):
        performed.append(done)
        told.job_ended(done)
    judged = judge_and_mark(session)
    result = result_of(session, performed, judged, by_itself=asked.due_only)
    after_run(
        session,
        performed,
        judged.standings,
        exit_code=result.exit_code,
        ledger_changed=judged.exit_code is ExitCode.INTEGRITY,
    )
    told.end(performed, judged)
    return result


def _idle(session: Session) -> Result:
    """Say that nothing was due; no duty is judged, which the data says by its null."""
    data: JsonValue = {"jobs": [], "duties": None, "reports": [], "exit_code": 0}
    return Result(data, [Paragraph(nothing_due(session))])
