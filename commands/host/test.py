"""Try the way to a server step by step

Tries the connection, the host's key, the login, a session, the script, each command that runs as root, the helper,
and the programs. sudo is only asked whether it would run a command. Nothing is recorded.

Example: portalops host test web1

EXIT STATUS: 0 every step works, 1 something on the host is missing or refused, 2 there is no such host, 3 it cannot
be reached
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.host_steps import install_hint, steps_to
from commands.jobs.servers import known_host
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Paragraph, Status, TableBlock, Tone


@shape
class TriedStep:
    """One step of the way to a host."""

    id: str
    works: bool
    said: str
    """What was seen, in English."""
    hint: str | None


def try_out(
    ctx: typer.Context, host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
) -> Result[tuple[TriedStep, ...]]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    steps, is_reached = steps_to(known, session.settings.servers.ways, session.reader)
    rows = [
        (
            step.what,
            Status(msg("works"), Tone.GOOD) if step.works else Status(msg("does not work"), Tone.BAD),
            step.reported,
        )
        for step in steps
    ]
    data = tuple(
        TriedStep(
            step.id,
            step.works,
            show_text(str(step.reported), 1000),
            show_text(str(step.hint), 1000) if step.hint else None,
        )
        for step in steps
    )
    table = TableBlock(msg("The way to {host}", host=known.id), (msg("Step"), msg("State"), msg("What was seen")), rows)
    if not is_reached:
        hints = [Paragraph(step.hint) for step in steps if step.hint is not None]
        return Result(data, [table, *hints], exit_code=ExitCode.PARTIAL)
    if all(step.works for step in steps):
        return Result(data, [table])
    return Result(data, [table, Paragraph(install_hint(known))], exit_code=ExitCode.UNMET)


VERB = Verb(try_out)
