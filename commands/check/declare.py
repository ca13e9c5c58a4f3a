"""Draft the declaration of a server from its newest answer

Prints the tables of [checks.declared.host.HOST] from the evidence of the newest scan; the checks of identity, changes
and keys compare with them. Nothing is written. Read every line, remove what does not belong, name the members, and
get approval. Then add the tables to the configuration.

Example: portalops check declare web1 > web1.toml

EXIT STATUS: 0 printed, 1 no scan is recorded, 2 no such host, 3 the newest scan did not reach the host
"""

from __future__ import annotations

from typing import Annotated

import typer

from checks.servers.declared import Declared
from checks.servers.drafting import PROBES, draft
from checks.servers.facts import Facts, found_in
from commands.check.steps import newest_scan
from commands.check.views import describe_supplier
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.servers import known_host
from portalops.errors import HostUnreachable, LedgerMissing
from portalops.locale import _
from portalops.model.checks import HostScan
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.reports.document import Verbatim


@shape
class DraftedDeclaration:
    """The declaration of a host, drafted from its newest answer."""

    id: HostId
    evidence: Digest
    """SHA-256 of that answer."""
    toml: str


def declare(
    ctx: typer.Context, host: Annotated[str, typer.Argument(metavar="HOST", help=_("The host's id"))]
) -> Result[DraftedDeclaration]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    scanned, evidence = _newest(session, known)
    probes = {probe.id: probe for probe in PROBES}
    found, _repeated = found_in(session.ledger.blob(evidence), probes, scanned.gathered_at)
    text = draft(Facts(known, Declared().find_host(known.id), scanned.gathered_at, found))
    warnings = (describe_supplier(scanned),) if scanned.brought_by else ()
    return Result(DraftedDeclaration(known.id, evidence, text), [Verbatim(text)], warnings)


def _newest(session: Session, host: Host) -> tuple[HostScan, Digest]:
    """Return what the newest scan has of a host, and its answer.

    Raises:
        LedgerMissing: there is no scan yet.
        HostUnreachable: the host was not reached in it.
    """
    newest = newest_scan(session)
    if newest is None:
        raise LedgerMissing(msg("no scan is recorded yet"), msg("Run 'portalops check run' to start the first scan."))
    for each in newest.body.hosts:
        if each.host == host.id and each.reached and not each.standby and (answer := each.answer()):
            return each, answer
    raise HostUnreachable(
        msg("the newest scan did not reach {host}", host=host.id),
        msg("Run 'portalops host test {host}' to see why, then 'portalops check run'.", host=host.id),
    )


VERB = Verb(declare)
