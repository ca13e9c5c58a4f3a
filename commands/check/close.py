"""Close a finding that no check can judge any more

Only if the host is no longer configured, or the check no longer applies to it. Any other finding closes when its
check passes; record a waiver for what stays as it is.

Example: portalops check close ssh.root-login --host web0 --reason 'taken out of service' --approver 'Nguyễn Văn An'
--reference '12/QĐ-STTTT, 20/11/2026'

EXIT STATUS: 0 closed, 2 no such open finding, or a check can still judge it
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.check.options import Approver, CheckArgument, HostOption
from commands.check.steps import known_findings, newest_scan
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.texts import required_texts
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.checks import CheckScan
from portalops.model.findings import FindingClosed
from portalops.model.message import msg
from portalops.model.record import Recorded
from portalops.model.verdicts import CheckVerdict
from portalops.registers.findings import CLOSED
from portalops.reports.document import Paragraph

DUTY = "12.4-remedy"
Reference = Annotated[
    str, typer.Option("--reference", metavar="DOCUMENT", help=_("Number and date of the written decision"))
]


@shape
class ClosedFinding:
    """A finding that a person closed."""

    id: str
    record: int


def close(
    ctx: typer.Context,
    check: CheckArgument,
    *,
    host: HostOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why no check can judge it any more"))],
    approver: Approver,
    reference: Reference,
) -> Result[ClosedFinding]:
    session = open_session(ctx)
    texts = required_texts({"--reason": reason, "--approver": approver, "--reference": reference})
    newest = newest_scan(session)
    standing = next(
        (
            each
            for each in known_findings(session, newest).standings
            if (each.finding.check, each.finding.host) == (check, host) and each.finding.is_open
        ),
        None,
    )
    if standing is None:
        raise UsageError(
            msg("no finding of {check} on {host} is open", check=check[:60], host=host[:60]),
            msg("Run 'portalops check findings' to see the open findings."),
        )
    if _can_be_judged(session, newest, check, host):
        raise UsageError(
            msg("{check} on {host} is still checked: the finding closes when the check passes", check=check, host=host),
            msg("Fix it, or record the decision to accept it with 'portalops check waive'."),
        )
    closed = FindingClosed(check, standing.finding.host, *texts)
    record = session.recorder.record(CLOSED, "closed", closed, subject=f"{host} {check}", duty=DUTY)
    said = msg("{check} on {host} is closed, in record {seq}", check=check, host=host, seq=record.seq)
    return Result(ClosedFinding(standing.finding.id, record.seq), [Paragraph(said)])


def _can_be_judged(session: Session, newest: Recorded[CheckScan] | None, check: str, host: str) -> bool:
    """Say whether a check will judge this again: it did in the newest scan, or its host is configured."""
    verdicts = {
        result.verdict
        for result in (newest.body.results() if newest else ())
        if (result.check, result.host) == (check, host)
    }
    if verdicts:
        return verdicts != {CheckVerdict.NOT_APPLICABLE}
    return host in {each.id for each in session.settings.hosts}


VERB = Verb(close)
