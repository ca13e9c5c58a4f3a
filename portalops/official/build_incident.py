"""The report on an incident (báo cáo sự cố): the first one, and the full one with cause, counter-measures and lessons. Pure.

What is not known stands in it as not known: a draft that leaves a heading out would hide that something is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from portalops.model.incidents import IncidentFacts, ReportKind, due_at
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.rulebook import Numbers, Rulebook
from portalops.official.build_period import ended
from portalops.official.build_reminder import decision_of
from portalops.official.office import Office
from portalops.official.paper import BodyBlock, LegalBasis, OfficialPaper, PaperKind
from portalops.registers.incidents import Incident
from portalops.reports.document import Bullets, Cell, Heading, Paragraph, TableBlock
from portalops.reports.section_incidents import KIND_WORDS
from portalops.reports.words import joined, severity_status


@dataclass(frozen=True, slots=True)
class TiedCredential:
    """A credential that an incident is tied to, as the paper tells of it; never the secret."""

    id: str
    system: str
    account: str
    kind: Message
    holder: str
    done: Message
    """Whether it was changed or returned since."""


def build_incident(
    incident: Incident,
    access: Sequence[TiedCredential],
    office: Office,
    rulebook: Rulebook,
    *,
    report: ReportKind,
    to_committee: bool,
    zone: str,
) -> OfficialPaper:
    """Return the report on an incident.

    Args:
        incident: what it is about.
        access: the credentials that it is tied to.
        office: who writes.
        rulebook: the regulation.
        report: the first or the full one.
        to_committee: it goes to the Committee; otherwise to the Department.
        zone: IANA name of the portal's zone.
    """
    facts = incident.facts
    is_full = report is ReportKind.FULL
    addressee = office.committee if to_committee else office.department
    what = facts.what.rstrip(".")
    subject = (
        msg("Incident {id}: {what} (full report)", id=incident.id, what=what)
        if is_full
        else msg("Incident {id}: {what} (first report)", id=incident.id, what=what)
    )
    body: list[BodyBlock] = [
        *_general(incident),
        *_course(incident),
        *_answering(facts, access),
        *(_findings(incident) if is_full else _so_far(incident, rulebook.numbers)),
        Paragraph(msg("{agency} reports this to {addressee}./.", agency=office.unit, addressee=addressee)),
    ]
    return OfficialPaper(
        kind=PaperKind.REPORT,
        parent=office.settings.parent,
        agency=office.unit,
        sign=f"BC-{office.settings.abbreviation}",
        place=office.settings.place,
        year=office.day.year,
        subject=subject,
        addressees=(addressee,),
        basis=LegalBasis(
            (
                msg(
                    "Pursuant to Article 12 of the {title}, issued with {decision}",
                    title=rulebook.title, decision=decision_of(rulebook),
                ),
                msg("On the basis of the register of incidents, with evidence that is kept"),
            )
        ),
        body=tuple(body),
        signing=office.signing,
        recipients=(msg("As above"), office.department) if to_committee else (msg("As above"),),
        archive=office.archive,
        zone=zone,
        drafted_on=office.day,
    )  # fmt: skip


def _general(incident: Incident) -> Iterator[BodyBlock]:
    facts = incident.facts
    yield Heading(2, msg("I. THE INCIDENT"))
    lines = [
        msg("What happened: {text}", text=facts.what.rstrip(".;")),
        msg(
            "Kind: {kind}; severity: {severity}",
            kind=KIND_WORDS[facts.kind],
            severity=severity_status(facts.severity).word,
        ),
        msg("Began: {at}", at=facts.happened_at) if facts.happened_at else msg("When it began is not known yet"),
        msg("Noticed: {at}", at=facts.detected_at),
        msg("In the register: number {id}, at {at}", id=incident.id, at=incident.opened.at),
        msg("What was affected: {text}", text=facts.affected.rstrip(".;"))
        if facts.affected
        else msg("What was affected is not known yet"),
    ]
    if facts.hosts:
        lines.append(msg("Servers: {names}", names=", ".join(facts.hosts)))
    if facts.changes:
        lines.append(msg("Changes in the register: {names}", names=", ".join(facts.changes)))
    if facts.findings:
        servers = list(dict.fromkeys(name.partition(":")[0] for name in facts.findings))
        lines.append(msg("Findings of the checks on: {names}", names=", ".join(servers)))
    if facts.cases:
        lines.append(
            nmsg(
                "{n} case about the updating of information, named in the register",
                "{n} cases about the updating of information, named in the register",
                len(facts.cases),
            )
        )
    yield Bullets(ended(lines))


def _course(incident: Incident) -> Iterator[BodyBlock]:
    yield Heading(2, msg("II. COURSE OF THE INCIDENT AND WHAT WAS DONE"))
    notes = sorted(incident.notes, key=lambda step: (step.body.at, step.seq))
    if not notes:
        yield Paragraph(msg("Nothing is noted of its course yet."))
        return
    rows: list[Sequence[Cell]] = [
        (number, step.body.at, verbatim(step.body.text), step.body.by) for number, step in enumerate(notes, 1)
    ]
    yield TableBlock(msg("Course"), (msg("No"), msg("Time"), msg("What was found or done"), msg("By whom")), rows)


def _answering(facts: IncidentFacts, access: Sequence[TiedCredential]) -> Iterator[BodyBlock]:
    yield Heading(2, msg("III. RESPONSIBILITY"))
    if facts.holders:
        yield Paragraph(msg("Responsible: {names}.", names=joined([verbatim(name) for name in facts.holders])))
    else:
        yield Paragraph(msg("It is not established yet who is responsible."))
    if access:
        rows: list[Sequence[Cell]] = [
            (number, one.id, one.system, one.account, one.kind, one.holder or None, one.done)
            for number, one in enumerate(access, 1)
        ]
        headers = (
            msg("No"), msg("Credential"), msg("System"), msg("Account"), msg("Kind"), msg("Holder"), msg("Since then"),
        )  # fmt: skip
        yield TableBlock(msg("Administrative access that the incident concerns"), headers, rows)


def _so_far(incident: Incident, numbers: Numbers) -> Iterator[BodyBlock]:
    facts = incident.facts
    yield Heading(2, msg("IV. FIRST ASSESSMENT"))
    if facts.cause:
        yield Paragraph(msg("Cause, as far as it is known: {text}.", text=facts.cause.rstrip(".;")))
    else:
        yield Paragraph(msg("The cause is being looked into."))
    full = due_at(facts, ReportKind.FULL, numbers)
    yield Paragraph(msg("The full report, with cause and counter-measures, follows by {due}.", due=full))


def _findings(incident: Incident) -> Iterator[BodyBlock]:
    closed = incident.closed
    told = closed.body if closed else incident.facts
    yield Heading(2, msg("IV. CAUSE, COUNTER-MEASURES, LESSONS"))
    yield Bullets(
        ended(
            [
                msg("Cause: {text}", text=told.cause.rstrip(".;")) if told.cause else msg("The cause is not known yet"),
                msg("Counter-measures: {text}", text=told.measures.rstrip(".;"))
                if told.measures
                else msg("No counter-measures are recorded yet"),
                msg("Lessons: {text}", text=told.lessons.rstrip(".;"))
                if told.lessons
                else msg("No lessons are recorded yet"),
            ]
        )
    )
    yield Paragraph(_end(closed.body.ended_at if closed else None))


def _end(ended_at: datetime | None) -> Message:
    if ended_at is None:
        return msg("The incident is still being worked on.")
    return msg("The incident was over at {at}.", at=ended_at)
