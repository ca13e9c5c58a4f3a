"""Do parts of jobs until somebody stops it

Each part is done once, in a thread; what a worker that died had begun goes to the next one after half a minute.
SIGTERM and Ctrl-C let it end what it has begun and take nothing new.

Example: portalops worker run; portalops worker run --slots 128

EXIT STATUS: 0 it was asked to stop; 4 the database cannot be reached; 75 a worker of this name is at work; 78 the
configuration is wrong or names no cluster
"""

from __future__ import annotations

import os
import socket
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.validity import require_valid
from portalops.locale import _
from portalops.model.message import nmsg
from portalops.reports.document import Paragraph

_MOST_OF_MACHINE = 38
"""Characters of the machine's name in a worker's, so that the process's number behind them is still listed."""


@shape
class EndedWorker:
    """A worker that was asked to stop."""

    id: str
    parts: int
    """How many parts it did."""


def run(
    ctx: typer.Context,
    *,
    slots: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(min=2, max=1024, metavar="N", help=_("How many parts at once; cluster.slots by default")),
    ] = None,
    name: Annotated[str, typer.Option(help=_("Of this worker; machine and process by default"))] = "",
) -> Result[EndedWorker]:
    from commands.worker import steps  # noqa: PLC0415  # an extra, which the help does without

    session = open_session(ctx)
    require_valid(session.settings)
    called, done = steps.do_parts(
        session, name or f"{socket.gethostname()[:_MOST_OF_MACHINE]}-{os.getpid()}", slots=slots
    )
    return Result(EndedWorker(called, done), [Paragraph(nmsg("{n} part was done", "{n} parts were done", done))])


VERB = Verb(run)
