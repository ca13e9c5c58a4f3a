"""The compliance report: every duty of the regulation over a period, with the evidence behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from portalops.model.message import Message, msg, verbatim
from portalops.model.reading import limits_of
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.proof import Proof
from portalops.reports.assessment import assessment_of
from portalops.reports.document import (
    Bars,
    Block,
    Document,
    Heading,
    KeyValues,
    Paragraph,
    TableBlock,
    Tone,
)
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_backups import backup_blocks
from portalops.reports.section_changes import change_blocks
from portalops.reports.section_credentials import credential_blocks
from portalops.reports.section_duties import duty_table, rest_blocks
from portalops.reports.section_evidence import exception_blocks
from portalops.reports.section_handling import handling_blocks
from portalops.reports.section_incidents import incident_blocks
from portalops.reports.section_places import place_blocks
from portalops.reports.section_servers import server_blocks
from portalops.reports.section_updates import update_blocks
from portalops.reports.words import clause_heading, clause_words, duty_status

TITLE = msg("Report on the duties of the portal")


def build(material: Material) -> Document:
    """Return the report as a document."""
    evidence, numbers, units = material.evidence, material.rulebook.numbers, material.units
    standings, rulebook, calendar = material.standings, material.rulebook, material.calendar
    sections = (
        Section(msg("Summary"), _summary(standings, rulebook)),
        Section(msg("The duties, clause by clause"), _duties(standings, rulebook, material.proof)),
        Section(msg("Backup copies (Article 10)"), backup_blocks(evidence, limits_of(numbers))),
        Section(
            msg("Updates of the portal and the units (Article 11)"),
            (*update_blocks(evidence, units, calendar), *handling_blocks(evidence, units, calendar, numbers)),
        ),
        Section(msg("Servers, changes and access (Article 12)"), _article_12(material)),
        Section(
            msg("Exceptions"), exception_blocks(evidence, standings, units, rulebook, own_run=material.proof.own_run)
        ),
    )
    return replace(framed(TITLE, material, sections), assessment=assessment_of(material))


def _article_12(material: Material) -> Iterator[Block]:
    evidence, numbers = material.evidence, material.rulebook.numbers
    yield Heading(3, msg("Results of the server checks"))
    yield from server_blocks(evidence, numbers)
    yield Heading(3, msg("Where the servers are, and who is responsible for them (Article 12.1)"))
    yield from place_blocks(evidence, material.hosts)
    yield Heading(3, msg("Changes (Article 12.2)"))
    yield from change_blocks(evidence)
    yield Heading(3, msg("Administrative credentials (Article 12.5)"))
    yield from credential_blocks(evidence)
    yield Heading(3, msg("Incidents (Article 12.5)"))
    yield from incident_blocks(evidence, numbers)


def _summary(standings: Sequence[Standing], rulebook: Rulebook) -> Iterator[Block]:
    counts = {verdict: sum(standing.verdict is verdict for standing in standings) for verdict in DutyVerdict}
    yield Paragraph(
        msg(
            "Of {total} duties: {met} met, {unmet} unmet, {unsure} with insufficient evidence. A "
            "duty is met only where evidence in the period shows it.",
            total=len(standings),
            met=counts[DutyVerdict.MET],
            unmet=counts[DutyVerdict.UNMET],
            unsure=counts[DutyVerdict.INSUFFICIENT_EVIDENCE],
        )
    )
    yield from rest_blocks(standings)
    groups: dict[str, list[Standing]] = {}
    for standing in standings:
        groups.setdefault(_article(rulebook, standing), []).append(standing)
    rows = [(msg("All duties"), _parts(standings))]
    rows += [(clause_words(article), _parts(group)) for article, group in groups.items()]
    yield Bars(msg("Duties by verdict"), rows)
    unmet = [standing for standing in standings if standing.verdict is DutyVerdict.UNMET]
    if unmet:
        yield TableBlock(
            msg("Unmet duties"),
            (msg("Duty"), msg("What it requires"), msg("Why")),
            [(standing.duty, rulebook.duty(standing.duty).title, standing.reason) for standing in unmet],
        )


def _parts(standings: Sequence[Standing]) -> list[tuple[Tone, Message, int]]:
    return [
        (duty_status(verdict).tone, duty_status(verdict).word, sum(each.verdict is verdict for each in standings))
        for verdict in DutyVerdict
    ]


def _article(rulebook: Rulebook, standing: Standing) -> str:
    return rulebook.duty(standing.duty).clause.partition(".")[0]


def _duties(standings: Sequence[Standing], rulebook: Rulebook, proof: Proof) -> Iterator[Block]:
    yield duty_table(
        msg("Every duty: what it requires, its verdict, and the records of the ledger that it rests on"),
        standings,
        rulebook,
        proof,
    )
    judged = {rulebook.duty(standing.duty).clause for standing in standings}
    yield Heading(3, msg("What the clauses say (Vietnamese, as issued)"))
    yield KeyValues(
        [
            (clause_heading(clause.id), verbatim(clause.text.strip()))
            for clause in rulebook.clauses
            if clause.id in judged
        ]
    )


REPORT = Report(title=TITLE, build=build)
