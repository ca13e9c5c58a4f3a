"""Poll who can work in the portal, by its own table of accounts

Reads the content database of each source of updates that names a product, by the same account: names, roles, whether
an account is blocked, and its last use. Passwords and addresses are not read. The answer is recorded; 'portalops
credential audit' and the check cred.portal-accounts compare it with the register. Each run of the job that checks the
servers polls too.

Example: portalops credential poll portal-db

EXIT STATUS: 0 every portal answered, 2 there is no such portal, 3 a portal could not be asked
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.credentials import refuse_extra, typed
from commands.jobs.portal_accounts import poll_portals, portals_of, record_accounts
from portalops.config import Settings
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Cell, Status, TableBlock, Tone

if TYPE_CHECKING:
    from portalops.config.tables import KindTable


@shape
class PortalAccountShape:
    """One account of a portal."""

    id: str
    roles: tuple[str, ...]
    admin: bool
    open: bool
    """It is not blocked."""
    last_login_at: datetime | None


@shape
class PolledPortal:
    """One portal that was asked."""

    id: str
    """Of its source of updates."""
    record: int | None
    """Null of a dry run, and where nothing was found out."""
    accounts: tuple[PortalAccountShape, ...] | None
    """Null if the portal could not be asked."""
    problem: str | None
    """Why it could not be asked."""


def poll(
    ctx: typer.Context,
    portal: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(metavar="PORTAL", help=_("Id of the source of updates; its connection is used")),
    ] = None,
    *,
    dry_run: DryRun = False,
) -> Result[tuple[PolledPortal, ...]]:
    refuse_extra(ctx)
    session = open_session(ctx)
    rows: list[tuple[Cell, ...]] = []
    data: list[PolledPortal] = []
    warnings: list[Message] = []
    for each in poll_portals(
        _chosen(session.settings, portal),
        session.zone_of_portal,
        None if dry_run else lambda seen: record_accounts(session.recorder, seen),
    ):
        seen = each.found
        if isinstance(seen, Message):
            warnings.append(seen)
            rows.append((each.portal, None, None, Status(msg("not seen"), Tone.UNSURE)))
            data.append(PolledPortal(each.portal, None, None, str(seen)))
            continue
        admins = sum(account.is_admin and account.is_open for account in seen.accounts)
        said = msg("nothing: this was a dry run") if each.seq is None else msg("record {seq}", seq=each.seq)
        is_open = sum(account.is_open for account in seen.accounts)
        rows.append((each.portal, is_open, admins, Status(said, Tone.GOOD)))
        accounts = tuple(
            PortalAccountShape(account.name, account.roles, account.is_admin, account.is_open, account.last_login_at)
            for account in seen.accounts
        )
        data.append(PolledPortal(each.portal, each.seq, accounts, None))
    headers = (msg("Portal"), msg("Open accounts"), msg("Admins among them"), msg("Recorded in"))
    view = TableBlock(nmsg("{n} portal", "{n} portals", len(rows)), headers, rows)
    return Result(tuple(data), [view], warnings, exit_code=ExitCode.PARTIAL if warnings else ExitCode.OK)


def _chosen(settings: Settings, name: str | None) -> tuple[KindTable, ...]:
    there = portals_of(settings)
    wanted = None if name is None else typed(name, "PORTAL")
    chosen = tuple(table for table in there if wanted in {None, table.id})
    if not chosen:
        raise UsageError(
            msg("there is no portal {portal} that can be asked", portal=wanted)
            if wanted
            else msg("there is no portal that can be asked"),
            msg(
                'A portal is asked through a source of updates with kind "sql" and a product: {portals}.',
                portals=", ".join(table.id for table in there) or msg("none"),
            ),
        )
    return chosen


VERB = Verb(poll, is_strict=True)
