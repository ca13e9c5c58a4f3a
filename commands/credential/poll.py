"""Look at who can work in the portal, by its own table of accounts

Asked are the content databases of the sources of updates that name a product, by the same account, read only: names,
roles, whether an account is blocked, and when it was last used. Passwords and addresses are not read. What was found
is recorded, and 'portalops credential audit' and the check cred.portal-accounts compare it; the job that checks the
servers looks each time.

Example: portalops credential poll portal-db

EXIT STATUS: 0 every portal was seen, 2 there is no such portal, 3 one could not be asked
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands.cli.entries import DryRun
from commands.cli.result import JsonValue, Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.credentials import refuse_extra, typed
from commands.jobs.portal_accounts import poll_portals, portals_of
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Cell, Status, TableBlock, Tone

if TYPE_CHECKING:
    from portalops.config.tables import KindTable


def poll(
    ctx: typer.Context,
    portal: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(metavar="PORTAL", help=_("The id of the source of updates by whose connection it is asked")),
    ] = None,
    *,
    dry_run: DryRun = False,
) -> Result[JsonValue]:
    refuse_extra(ctx)
    session = open_session(ctx)
    rows: list[tuple[Cell, ...]] = []
    data: list[JsonValue] = []
    warnings: list[Message] = []
    for each in poll_portals(session, _chosen(session, portal), dry_run=dry_run):
        seen = each.found
        if isinstance(seen, Message):
            warnings.append(seen)
            rows.append((each.portal, None, None, Status(msg("not seen"), Tone.UNSURE)))
            data.append({"id": each.portal, "record": None, "problem": str(seen)})
            continue
        admins = sum(account.is_admin and account.is_open for account in seen.accounts)
        said = msg("nothing: this was a dry run") if each.seq is None else msg("record {seq}", seq=each.seq)
        is_open = sum(account.is_open for account in seen.accounts)
        rows.append((each.portal, is_open, admins, Status(said, Tone.GOOD)))
        data.append(
            {
                "id": each.portal,
                "record": each.seq,
                "accounts": [
                    {
                        "id": account.name,
                        "roles": list(account.roles),
                        "admin": account.is_admin,
                        "open": account.is_open,
                        "last_login_at": account.last_login_at.isoformat() if account.last_login_at else None,
                    }
                    for account in seen.accounts
                ],
            }
        )
    headers = (msg("Portal"), msg("Open accounts"), msg("Admins among them"), msg("Recorded in"))
    view = TableBlock(nmsg("{n} portal", "{n} portals", len(rows)), headers, rows)
    return Result(data, [view], warnings, exit_code=ExitCode.PARTIAL if warnings else ExitCode.OK)


def _chosen(session: Session, name: str | None) -> tuple[KindTable, ...]:
    there = portals_of(session)
    wanted = None if name is None else typed(name, "PORTAL")
    chosen = tuple(table for table in there if wanted in {None, table.id})
    if not chosen:
        raise UsageError(
            msg("there is no portal {portal} that can be asked", portal=wanted)
            if wanted
            else msg("there is no portal that can be asked"),
            msg(
                'Those are asked that are a source of updates with kind "sql" and a product: {portals}.',
                portals=", ".join(table.id for table in there) or "-",
            ),
        )
    return chosen


VERB = Verb(poll, is_strict=True)
