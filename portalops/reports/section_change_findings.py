"""What some checks found over a period, such as those of changes at hosts: opened, ended, or open still. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from portalops.model.findings import Finding
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.registers.findings import stand
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.material import Material
from portalops.reports.section_changes import OF_CHANGES, SEQS_SHOWN
from portalops.reports.words import finding_status, severity_status


def change_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Return the findings of the checks that look for changes which were open in the period or turned in it, oldest first."""
    return findings_in(evidence, lambda check: check.startswith(OF_CHANGES))


def judged_checks(evidence: Evidence) -> tuple[str, ...]:
    """Return the checks that look for changes and judged a host in the period, sorted."""
    return tuple(sorted({check for _host, check in evidence.judged if check.startswith(OF_CHANGES)}))


def findings_in(evidence: Evidence, is_asked: Callable[[str], bool]) -> tuple[Finding, ...]:
    """Return the findings of some checks which were open in the period or turned in it, oldest first."""
    start = evidence.period.bounds(evidence.zone)[0]
    found = [
        each
        for each in evidence.findings
        if is_asked(each.check) and (each.is_open or any(event.at >= start for event in each.events))
    ]
    return tuple(sorted(found, key=lambda each: (not each.is_open, each.opened_at, each.host, each.check)))


def change_finding_blocks(material: Material, findings: Sequence[Finding]) -> Iterator[Block]:
    """Yield these findings with their states, or that there is none and what that rests on."""
    evidence = material.evidence
    judged = judged_checks(evidence)
    if not findings:
        if judged:
            yield Paragraph(
                msg(
                    "No finding of a change was open in the period; checks that judged: {checks}.",
                    checks=", ".join(judged),
                )
            )
        else:
            yield Paragraph(
                msg("No check looked for changes on hosts in the period, so the lack of findings shows nothing.")
            )
        return
    caption = msg("Findings of changes that were open in the period, the most pressing first")
    yield from bounded(finding_table(material, findings, caption))


def finding_table(material: Material, findings: Sequence[Finding], caption: Message) -> TableBlock:
    """Return a row a finding, the most pressing first."""
    evidence = material.evidence
    rows: list[tuple[Cell, ...]] = []
    numbers = material.rulebook.numbers
    for standing in stand(findings, evidence.waivers, numbers, evidence.last_day(), evidence.zone):
        each = standing.finding
        rows.append(
            (
                each.check,
                show_text(each.host, 96),
                severity_status(each.severity).word,
                finding_status(standing),
                each.message,
                each.opened_at,
                each.last_seen_at,
                ", ".join(str(event.seq) for event in each.events[-SEQS_SHOWN:]),
            )
        )
    headers = (
        msg("Check"), msg("Host"), msg("Severity"), msg("State"), msg("What was seen"), msg("Open since"), msg("Last seen"),
        msg("Records"),
    )  # fmt: skip
    return TableBlock(caption, headers, rows)
