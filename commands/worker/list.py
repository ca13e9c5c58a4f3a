"""List the workers that are at work

Example: portalops worker list; portalops worker list --json

EXIT STATUS: 0 there is one, 1 there is none
"""

from __future__ import annotations

from datetime import datetime

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import ExitCode
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, Paragraph, TableBlock


@shape
class ListedWorker:
    """A worker that is at work."""

    id: str
    address: str | None
    """The machine, as the database sees it."""
    since: datetime
    account: str


def list_workers(ctx: typer.Context) -> Result[tuple[ListedWorker, ...]]:
    from commands.worker import steps  # noqa: PLC0415  # an extra, which the help does without

    session = open_session(ctx)
    found = steps.seen_workers(session)
    headers = (msg("Worker"), msg("Machine"), msg("Since"), msg("Account"))
    rows: list[tuple[Cell, ...]] = [
        (show_text(each.name, 60), each.address, each.since, each.account) for each in found
    ]
    view: list[Block] = (
        [TableBlock(msg("Workers"), headers, rows)] if rows else [Paragraph(msg("No worker is at work."))]
    )
    data = tuple(ListedWorker(each.name, each.address, each.since, each.account) for each in found)
    return Result(data, view, exit_code=ExitCode.OK if found else ExitCode.UNMET)


VERB = Verb(list_workers)
