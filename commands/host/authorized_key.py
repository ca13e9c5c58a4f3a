"""Print the line that lets portalops in, for the account's authorized_keys

The key may do nothing but run commands, and only from the addresses given: no forwarding, no terminal. On a host that
others are reached through it may also pass on to those, and to nothing else.

Example: portalops host authorized-key web1 --from 10.20.0.5 >> authorized_keys

EXIT STATUS: 0 printed, 2 wrong usage
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Optional

import typer

from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Verbatim
from portalops.system.ssh import public_key_of


def authorized_key(
    ctx: typer.Context,
    host: Annotated[Optional[str], typer.Argument(metavar="HOST", help=_("For this host; for any by default"))] = None,  # noqa: UP045  # Typer reads it at run time
    *,
    sources: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option("--from", metavar="ADDRESS", help=_("Where portalops comes from, or a network; may be repeated")),
    ] = None,
) -> Result[JsonValue]:
    session = open_session(ctx)
    known = known_host(session, host) if host is not None else None
    way = session.settings.servers.ways.get(known.id) if known else None
    identity = way.identity if way else session.settings.servers.identity
    if identity is None:
        raise UsageError(
            msg("no private key is configured"),
            msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it."),
        )
    if not sources:
        raise UsageError(
            msg("--from is needed: the addresses that portalops comes from"),
            msg("A key that is stolen is then of no use elsewhere; 'ip -brief address' shows this machine's."),
        )
    for each in sources:
        if not _is_source(each):
            raise UsageError(
                msg("{value} is no address and no network", value=show_text(each, 60)),
                msg("Such as 10.20.0.5 or 10.20.0.0/28."),
            )
    onward = sorted(
        f'permitopen="{f"[{each.host}]" if ":" in each.host else each.host}:{each.port}"'
        for each in session.settings.servers.ways.values()
        if known is not None and each.jump == known.id
    )
    options = ",".join(("restrict", f'from="{",".join(sources)}"', *(("port-forwarding", *onward) if onward else ())))
    line = f"{options} {public_key_of(identity)} portalops@{session.settings.portal.id}"
    return Result({"id": host or "any", "line": line}, [Verbatim(line)])


def _is_source(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


VERB = Verb(authorized_key)
