"""Print the line for authorized_keys that lets portalops log in

The key may only run commands, and only from the given addresses: no forwarding, no terminal. On a jump host it may
also forward to the hosts behind it, and to nothing else.

Example: portalops host authorized-key web1 --from 10.20.0.5 >> authorized_keys

EXIT STATUS: 0 printed, 2 wrong usage
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Verbatim
from portalops.system.ssh import public_key_of


@shape
class KeyLine:
    """A line of authorized_keys."""

    id: str
    """The host, or `any`."""
    line: str


def authorized_key(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Argument(metavar="HOST", help=_("Only for this host; for any host by default"))
    ] = None,  # Typer reads it at run time
    *,
    sources: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option(
            "--from", metavar="ADDRESS", help=_("Address or network that portalops connects from; may be repeated")
        ),
    ] = None,
) -> Result[KeyLine]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host) if host is not None else None
    way = session.settings.servers.ways.get(known.id) if known else None
    identity = way.identity if way else session.settings.servers.identity
    if identity is None:
        raise UsageError(
            msg("no private key is configured"),
            msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it."),
        )
    if not sources:
        raise UsageError(
            msg("--from is missing: the addresses that portalops connects from"),
            msg(
                "Give them, so that a stolen key is useless elsewhere; 'ip -brief address' shows this machine's"
                " addresses."
            ),
        )
    for each in sources:
        if not _is_source(each):
            raise UsageError(
                msg("{value} is neither an address nor a network", value=show_text(each, 60)),
                msg("Write it like 10.20.0.5 or 10.20.0.0/28."),
            )
    onward = sorted(
        f'permitopen="{f"[{each.host}]" if ":" in each.host else each.host}:{each.port}"'
        for each in session.settings.servers.ways.values()
        if known is not None and each.jump == known.id
    )
    options = ",".join(("restrict", f'from="{",".join(sources)}"', *(("port-forwarding", *onward) if onward else ())))
    line = f"{options} {public_key_of(identity)} portalops@{session.settings.portal.id}"
    return Result(KeyLine(host or "any", line), [Verbatim(line)])


def _is_source(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


VERB = Verb(authorized_key)
