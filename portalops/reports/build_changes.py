"""The report on changes: what was asked for, notified and approved, and what was seen to change at the hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from portalops.model.changes import ChangeKind, StepOrder
from portalops.model.findings import Finding
from portalops.model.message import Message, msg
from portalops.model.organisation import Host, HostId
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.changes import ChangeRegister, RecordedChange
from portalops.registers.evidence import Evidence
from portalops.registers.host_scope import narrow_to_host
from portalops.reports.document import Bars, Block, Cell, Document, KeyValues, Paragraph, Tone
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_change_findings import change_finding_blocks, change_findings, judged_checks
from portalops.reports.section_changes import changes_of, register_blocks
from portalops.reports.section_corrections import correction_blocks
from portalops.reports.section_drift import ATTRIBUTIONS, drift_blocks, totals
from portalops.reports.section_duties import duty_table, rest_blocks
from portalops.reports.words import order_status

TITLE = msg("Report on changes")

CLAUSE = "12.2"


def build(material: Material) -> Document:
    """Return the report as a document."""
    material = _cut_down(material)
    evidence = material.evidence
    changes, findings = changes_of(evidence), change_findings(evidence)
    hosts = [each for each in material.hosts if material.scope.host in (None, each.id)]
    sections = (
        Section(msg("Summary, and the duties of Article 12.2"), _summary(material, changes, findings)),
        Section(msg("Changes of the period, with their papers"), register_blocks(evidence)),
        Section(msg("What was corrected or replaced"), correction_blocks(changes)),
        Section(msg("What changed on the hosts"), drift_blocks(material.drift)),
        Section(msg("What the checks found about changes"), change_finding_blocks(material, findings)),
    )
    return framed(TITLE, material, sections, basis=_basis(material, changes, hosts))


def _cut_down(material: Material) -> Material:
    """Return the material with the duties of changes alone; of one host, with what concerns it."""
    host, rulebook = material.scope.host, material.rulebook
    own = [each for each in material.standings if rulebook.duty(each.duty).clause == CLAUSE]
    material = replace(material, standings=own)
    if host is None:
        return material
    seen = narrow_to_host(material.evidence, host)
    register = None if seen.changes is None else _register_of(seen.changes, host)
    return replace(
        material,
        evidence=replace(seen, changes=register, judged=frozenset(each for each in seen.judged if each[0] == host)),
        drift=[each for each in material.drift if each.host == host],
    )


def _register_of(register: ChangeRegister, host: HostId) -> ChangeRegister:
    """Return the changes that are about a host, and every record that may be about it and cannot be read."""
    changes = {each.id: each for each in register.find_by_host(host)}
    return replace(register, changes=changes, lost=register.lost_of(host))


def _basis(
    material: Material, changes: Sequence[RecordedChange], hosts: Sequence[Host]
) -> tuple[tuple[Message, Cell], ...]:
    compared = sum(bool(each.compared) for each in material.drift)
    return (
        (
            msg("Population"),
            msg(
                "every change that was requested, open or due in the period ({changes}); every host of the "
                "configuration ({hosts}), of which {compared} could be compared",
                changes=len(changes),
                hosts=len(hosts),
                compared=compared,
            ),
        ),
        (
            msg("Source"),
            msg(
                "the register of changes as it is now, with the papers that were kept; the answers of the hosts "
                "in the scans; the findings of these checks"
            ),
        ),
        (
            msg("Method"),
            msg(
                "An approval counts from its record, not from the day on the paper. Each scan of a host is "
                "compared with the scan before it. A difference falls under a change only if all of the time in "
                "which it may have happened is in an approved window. What remains unclear never counts as "
                "approved."
            ),
        ),
    )


def _summary(material: Material, changes: Sequence[RecordedChange], findings: Sequence[Finding]) -> Iterator[Block]:
    evidence, standings = material.evidence, material.standings
    yield Paragraph(_verdicts(standings))
    yield from rest_blocks(standings)
    found = totals(material.drift)
    kinds = [each.kind for each in changes]
    yield KeyValues(
        [
            (
                msg("Changes of the period"),
                msg(
                    "{n}, of them {emergencies} emergencies and {standing} standing approvals",
                    n=len(changes),
                    emergencies=kinds.count(ChangeKind.EMERGENCY),
                    standing=kinds.count(ChangeKind.STANDING),
                )
                if evidence.changes and evidence.changes.is_begun
                else msg("nothing is recorded"),
            ),
            *(
                (msg("Seen on the hosts: {state}", state=status.word), found[attribution])
                for attribution, status in ATTRIBUTIONS.items()
                if any(each.compared for each in material.drift)
            ),
            (
                msg("Open findings about changes"),
                sum(each.is_open for each in findings) if findings or judged_checks(evidence) else msg("not known"),
            ),
        ]
    )
    if changes:
        yield Bars(
            msg("Changes of the period by whether they followed the procedure"),
            [(msg("Changes"), _orders(changes, evidence))],
        )
    if material.scope.host is not None:
        yield Paragraph(msg("Duties are the portal's: their verdicts rest on all of its hosts, not on this one alone."))
    caption = msg("Each duty: what it requires, its verdict, and the records of the ledger that it rests on")
    yield duty_table(caption, standings, material.rulebook, material.proof)


def _orders(changes: Sequence[RecordedChange], evidence: Evidence) -> list[tuple[Tone, Message, int]]:
    as_of = min(evidence.now, evidence.period.bounds(evidence.zone)[1])
    judged = [each.order().judged(as_of) for each in changes]
    return [(status.tone, status.word, judged.count(order)) for order in StepOrder for status in (order_status(order),)]


def _verdicts(standings: Sequence[Standing]) -> Message:
    counts = [each.verdict for each in standings]
    return msg(
        "Of {total} duties of Article 12.2: {met} met, {unmet} unmet, {unsure} with insufficient evidence.",
        total=len(counts),
        met=counts.count(DutyVerdict.MET),
        unmet=counts.count(DutyVerdict.UNMET),
        unsure=counts.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
    )


REPORT = Report(title=TITLE, build=build, scopes=frozenset({"host"}), needs=frozenset({"drift"}))
