"""List the workers that are at work

Example: portalops worker list; portalops worker list --json

EXIT STATUS: 0 there is one, 1 there is none
"""

from __future__ import annotations

import typer

from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.worker.steps import cluster_settings, seen_workers
from portalops.errors import ExitCode
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, Paragraph, TableBlock


def list_workers(ctx: typer.Context) -> Result[JsonValue]:
    session = open_session(ctx)
    cluster_settings(session)
    found = seen_workers(session)
    headers = (msg("Worker"), msg("Machine"), msg("Since"), msg("Account"))
    rows: list[tuple[Cell, ...]] = [
        (show_text(each.name, 60), each.address, each.since, each.account) for each in found
    ]
    view: list[Block] = (
        [TableBlock(msg("Workers"), headers, rows)] if rows else [Paragraph(msg("No worker is at work."))]
    )
    data: JsonValue = [
        {"id": each.name, "address": each.address, "since": each.since.isoformat(), "account": each.account}
        for each in found
    ]
    return Result(data, view, exit_code=ExitCode.OK if found else ExitCode.UNMET)


VERB = Verb(list_workers)
