"""Show a check's page, newest results and findings

The page explains what the check reads, why, and the source of its rule.

Example: portalops check show ssh.root-login

EXIT STATUS: 0 shown, 2 no such check
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from checks.servers.catalogue import chosen
from checks.servers.check import Check
from commands.check.steps import known_findings, newest_results, newest_scan
from commands.check.views import ShownFinding, ShownResult, finding_data, result_data, results_table, waived_of
from commands.cli.check_page import page_blocks
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.compliance.ledger_checks import RecordCheck, record_checks
from portalops.locale import _
from portalops.locale.pages import vietnamese_page
from portalops.model.message import msg
from portalops.model.rulebook import Duty, DutyId, Rulebook
from portalops.model.verdicts import Severity
from portalops.reports.document import Block, Heading, KeyValues, Paragraph, TableBlock
from portalops.reports.words import finding_status, severity_status

WHY = msg("Why this is checked, and by which rule")
"""Above the page."""


@shape
class CheckDetails:
    """A check with its page, its newest results and its findings."""

    id: str
    clause: str
    severity: Severity
    title: str
    """The good state."""
    remedy: str
    duties: tuple[DutyId, ...]
    """The duties that it is evidence for."""
    probes: tuple[str, ...]
    """What it asks of hosts; empty for a ledger check."""
    page: str
    page_vi: str | None
    results: tuple[ShownResult, ...]
    findings: tuple[ShownFinding, ...]


def show(ctx: typer.Context, check: Annotated[str, typer.Argument(help=_("The check's id"))]) -> Result[CheckDetails]:
    session = open_session(ctx)
    for own in record_checks():
        if own.id == check:
            return _show_ledger_check(session.rulebook, own)
    (one,) = chosen(ids=(check,))
    newest = newest_scan(session)
    seen = newest_results(session)
    results = [result for result in seen.body.results() if result.check == one.id] if seen else []
    known = [each for each in known_findings(session, newest).standings if each.finding.check == one.id]
    duties = [duty for duty in session.rulebook.duties if one.id in duty.checks]
    view: list[Block] = [
        Heading(2, msg("{check}: {title}", check=one.id, title=one.title)),
        KeyValues(
            (
                (msg("Clause"), one.clause),
                (msg("Severity"), severity_status(one.severity)),
                (msg("Remedy"), one.remedy),
                *((msg("Duty"), msg("{duty}: {title}", duty=duty.id, title=duty.title)) for duty in duties),
                (msg("Probes"), ", ".join(probe.id for probe in (*one.needs, *one.uses))),
                (msg("Exempt roles"), ", ".join(sorted(one.exempt_roles)) or None),
                (msg("Last checked"), seen.at if seen else None),
            )
        ),
        Heading(3, WHY),
        *page_blocks(one.id, one.page, one.numbers),
    ]
    waived = waived_of(session, results)
    if results:
        view.append(results_table(results, waived))
    if known:
        headers = (msg("Host"), msg("State"), msg("First seen"), msg("Last seen"), msg("Due"))
        rows = [
            (
                each.finding.host,
                finding_status(each),
                each.finding.first_seen_at,
                each.finding.last_seen_at,
                each.due_on,
            )
            for each in known
        ]
        view.append(TableBlock(msg("Findings of this check"), headers, rows))
    custodians: dict[str, str] = {each.id: each.custodian for each in session.settings.hosts}
    data = _page(
        one,
        duties,
        one.numbers,
        probes=tuple(probe.id for probe in (*one.needs, *one.uses)),
        results=tuple(result_data(result, waived.get((result.host, result.check))) for result in results),
        findings=tuple(finding_data(each, custodians.get(each.finding.host, "")) for each in known),
    )
    return Result(data, view, (seen.said,) if seen and seen.said else ())


def _show_ledger_check(rulebook: Rulebook, one: RecordCheck) -> Result[CheckDetails]:
    """Show the page of a ledger check; how it stands is the duty's standing."""
    duties = [duty for duty in rulebook.duties if one.id in duty.checks]
    view: list[Block] = [
        Heading(2, msg("{check}: {title}", check=one.id, title=one.title)),
        KeyValues(
            (
                (msg("Clause"), one.clause),
                (msg("Severity"), severity_status(one.severity)),
                (msg("Remedy"), one.remedy),
                *((msg("Duty"), msg("{duty}: {title}", duty=duty.id, title=duty.title)) for duty in duties),
            )
        ),
        Heading(3, WHY),
        *page_blocks(one.id, one.page, {}),
        *(Paragraph(msg("Run 'portalops status {duty}' to see how it stands.", duty=duty.id)) for duty in duties),
    ]
    return Result(_page(one, duties, {}), view)


def _page(
    one: Check | RecordCheck,
    duties: Sequence[Duty],
    numbers: Mapping[str, int],
    *,
    probes: tuple[str, ...] = (),
    results: tuple[ShownResult, ...] = (),
    findings: tuple[ShownFinding, ...] = (),
) -> CheckDetails:
    return CheckDetails(
        id=one.id,
        clause=one.clause,
        severity=one.severity,
        title=str(one.title),
        remedy=str(one.remedy),
        duties=tuple(duty.id for duty in duties),
        probes=probes,
        page=one.page,
        page_vi=vietnamese_page(one.id, numbers),
        results=results,
        findings=findings,
    )


VERB = Verb(show)
