"""Look for what would stop portalops here, and name the cure.

It reads and changes nothing.
"""

from __future__ import annotations

import typer

from commands._result import Result
from commands._session import open_session
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg
from portalops.reports.document import Paragraph, Table

app = typer.Typer()


@app.command(
    help=_(
        "Look for what would stop portalops on this machine\n\nConfiguration, keys, secrets, folders, media, sources, ledger,"
        " clock and programs, each with its cure. Changes nothing."
        "\n\nExample: portalops doctor"
        "\n\nEXIT STATUS: 0 nothing bad was found, 1 something bad was found, 3 something could not be found out"
    )
)
def doctor(ctx: typer.Context) -> Result:
    from commands._diagnoses import State, examine  # noqa: PLC0415  # start-up time

    found = examine(open_session(ctx))
    states = [diagnosis.state for diagnosis in found]
    headers = (msg("Subject"), msg("State"), msg("What was seen"), msg("What to do"))
    rows = [(item.subject, item.state.value, item.seen, item.cure) for item in found]
    summary = msg(
        "{bad} bad, {unknown} unknown, {warnings} warnings, {good} good",
        bad=states.count(State.BAD),
        unknown=states.count(State.UNKNOWN),
        warnings=states.count(State.WARNING),
        good=states.count(State.GOOD),
    )
    exit_code = ExitCode.OK
    if State.BAD in states:
        exit_code = ExitCode.UNMET
    elif State.UNKNOWN in states:
        exit_code = ExitCode.PARTIAL
    return Result(
        data=[
            {
                "id": item.subject,
                "state": item.state.name.lower(),
                "seen": str(item.seen),
                "cure": str(item.cure) if item.cure else "",
            }
            for item in found
        ],
        view=[Table(msg("What the doctor found"), headers, rows), Paragraph(summary)],
        exit_code=exit_code,
    )
