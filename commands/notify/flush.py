"""Send the waiting letters now

Each run sends them as well.

Example: portalops notify flush

EXIT STATUS: 0 no letter waits, 3 letters still wait
"""

from __future__ import annotations

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.sending import channels_of, dispatch_of, record, send_waiting
from portalops.errors import ExitCode
from portalops.model.message import Message, msg, nmsg
from portalops.notify.settings import settings_of
from portalops.notify.state import NotifyFolder
from portalops.reports.document import Block, Paragraph


@shape
class FlushShape:
    """How many letters wait to be sent."""

    before: int
    """When the command began."""
    waiting: int
    """Now."""


def flush(ctx: typer.Context) -> Result[FlushShape]:
    session = open_session(ctx)
    settings = settings_of(session.settings)
    folder = NotifyFolder(settings.state_folder)
    before = len(folder.load(session.clock.now()).letters)
    if before:
        dispatch = dispatch_of(session)
        send_waiting(dispatch, settings, channels_of(dispatch, settings))
        record(dispatch, folder)
    left = len(folder.load(session.clock.now()).letters)
    said: Message = msg("No letter is waiting to be sent.")
    if left:
        said = nmsg("{n} letter still waits to be sent.", "{n} letters still wait to be sent.", left)
    view: list[Block] = [Paragraph(said)]
    return Result(FlushShape(before, left), view, exit_code=ExitCode.PARTIAL if left else ExitCode.OK)


VERB = Verb(flush, is_strict=True)
