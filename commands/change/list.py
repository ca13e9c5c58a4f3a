"""List the changes: the state of each, and whether it was approved before it was begun

Closed changes are listed with --all.

Example: portalops change list --host web1

EXIT STATUS: 0 every change is in order, 1 one was begun before its approval, or its window is open without approval,
2 there is no such host, 3 a decision is not kept, or a record cannot be read
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.change.views import ChangeShape, change_data, list_exit_code, unread_notice
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.registers.changes import read_changes
from portalops.reports.document import Block, Paragraph, TableBlock
from portalops.reports.words import change_kind_word, change_state_word, order_status

SHOWN_LETTERS = 60


def list_(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option("--host", metavar="ID", help=_("Only of this host"))] = None,
    every: Annotated[bool, typer.Option("--all", help=_("Also closed changes"))] = False,
) -> Result[tuple[ChangeShape, ...]]:
    session = open_session(ctx)
    register = read_changes(session.reader)
    chosen = (
        tuple(register.changes.values())
        if host is None
        else register.find_by_host(known_host(session.settings.hosts, host).id)
    )
    shown = [each for each in chosen if every or each.closed is None]
    now = session.clock.now()
    headers = (
        msg("Change"),
        msg("State"),
        msg("Kind"),
        msg("What is changed"),
        msg("Hosts"),
        msg("From"),
        msg("To"),
        msg("Order"),
    )
    rows = [
        (
            each.id,
            change_state_word(each.state),
            change_kind_word(each.kind),
            show_text(each.request.body.what, SHOWN_LETTERS),
            ", ".join(each.request.body.hosts),
            each.request.body.begins_at,
            each.request.body.ends_at,
            order_status(each.order().judged(now)),
        )
        for each in shown
    ]
    view: list[Block] = [TableBlock(nmsg("{n} change", "{n} changes", len(rows)), headers, rows)]
    if not register.is_begun:
        view = [Paragraph(msg("The register holds no change yet: 'portalops change request' requests one"))]
    lost = sorted({*register.lost, *(seq for each in chosen for seq in each.lost)})
    if lost:
        view.append(unread_notice(lost))
    data = tuple(change_data(each, now) for each in shown)
    wrong = [
        each for each in chosen if each not in shown and list_exit_code([each], now, is_whole=True) is not ExitCode.OK
    ]
    warnings: list[Message] = []
    if wrong:  # the exit status is theirs too
        warnings.append(
            nmsg(
                "{n} closed change is out of order: --all lists it",
                "{n} closed changes are out of order: --all lists them",
                len(wrong),
            )
        )
    return Result(data, view, warnings, exit_code=list_exit_code(chosen, now, is_whole=not lost))


VERB = Verb(list_)
