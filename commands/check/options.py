"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Annotated

import typer

from checks.servers.catalogue import chosen
from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.checks import CheckScan
from portalops.model.findings import Finding
from portalops.model.message import msg
from portalops.model.text import show_text

Hosts = Annotated[list[str] | None, typer.Option("--host", help=_("Only this host; may be repeated"))]
Families = Annotated[
    list[str] | None, typer.Option("--family", help=_("Only this family of checks, such as ssh; may be repeated"))
]
CheckArgument = Annotated[str, typer.Argument(metavar="CHECK", help=_("A check's id, such as ssh.root-login"))]
HostOption = Annotated[str, typer.Option("--host", metavar="ID", help=_("The host"))]
Approver = Annotated[str, typer.Option("--approver", metavar="NAME", help=_("Who decided it"))]


def chooser(
    session: Session,
    newest: CheckScan | None,
    findings: Sequence[Finding],
    hosts: Collection[str] | None,
    families: Collection[str] | None,
) -> Callable[[str, str], bool]:
    """Return what says of a host and a check whether they were asked for.

    Args:
        session: has the configuration.
        newest: the newest scan; groups of hosts have their names there.
        findings: a host or a family of one may be there no more.
        hosts: those asked for; all by default.
        families: as `hosts`.

    Raises:
        UsageError: there is no such host.
        UnknownCheck: there is no such family of checks.
    """
    configured = {host.id for host in session.settings.hosts}
    known = {*configured, *(one.host for one in (newest.hosts if newest else ())), *(one.host for one in findings)}
    for name in hosts or ():
        if name not in known:
            raise UsageError(
                msg("there is no host {host}", host=show_text(name, 60)),
                msg("The hosts are: {hosts}.", hosts=", ".join(sorted(configured)) or msg("none")),
            )
    found = {one.check.partition(".")[0] for one in findings}
    for family in families or ():
        if family not in found:
            chosen(families=(family,))
    return lambda host, check: (not hosts or host in hosts) and (not families or check.partition(".")[0] in families)


def require_host(session: Session, host: str, *, besides: Iterable[str] = ()) -> None:
    """Make sure that a host is configured.

    Args:
        session: has the configuration.
        host: its id.
        besides: what else is known by a name, such as hosts that stand by for each other.

    Raises:
        UsageError: it is not.
    """
    known = sorted({*(each.id for each in session.settings.hosts), *besides})
    if host not in known:
        raise UsageError(
            msg("there is no host {host}", host=host[:60]),
            msg("The hosts are: {hosts}.", hosts=", ".join(known) or msg("none")),
        )
