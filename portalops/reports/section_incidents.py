"""The incidents of a period, and who attested that there were no others: with the record and the digest behind each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from portalops.model.incidents import (
    REPORT_WORDS,
    IncidentKind,
    IncidentState,
    ReportKind,
    ReportStanding,
    ReportTimeliness,
)
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.rulebook import Numbers
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.registers.incidents import Incident, IncidentRegister, end_words, first_day_not_over
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import joined, severity_status

INCIDENTS_SHOWN = 120
KIND_WORDS: Mapping[IncidentKind, Message] = {
    IncidentKind.CREDENTIAL: msg("administrative access lost, disclosed or misused"),
    IncidentKind.INTRUSION: msg("intrusion"),
    IncidentKind.MALWARE: msg("malware"),
    IncidentKind.DEFACEMENT: msg("defacement"),
    IncidentKind.DATA_LEAK: msg("disclosure of data"),
    IncidentKind.DATA_LOSS: msg("loss of data"),
    IncidentKind.DENIAL: msg("denial of service"),
    IncidentKind.OUTAGE: msg("failure of power, hardware, software or network"),
    IncidentKind.OTHER: msg("another incident"),
}
STATE_WORDS: Mapping[IncidentState, Status] = {
    IncidentState.OPEN: Status(msg("open"), Tone.UNSURE),
    IncidentState.CLOSED: Status(msg("closed"), Tone.GOOD),
    IncidentState.REOPENED: Status(msg("open again"), Tone.UNSURE),
}


def report_status(standing: ReportStanding) -> Status:
    """Return the words for how a report of an incident stands."""
    due = standing.due_at
    match standing.timeliness, standing.sent:
        case (ReportTimeliness.IN_TIME, sent) if sent is not None:
            return Status(msg("sent {at}, in time", at=sent.sent_at), Tone.GOOD)
        case (ReportTimeliness.LATE, sent) if sent is not None:
            return Status(msg("sent {at}, late: due {due}", at=sent.sent_at, due=due), Tone.BAD)
        case (ReportTimeliness.UNPROVEN, sent) if sent is not None and standing.noticed_before is not None:
            before = standing.noticed_before
            return Status(
                msg("sent {at}; noticed {noticed} by an earlier record", at=sent.sent_at, noticed=before), Tone.UNSURE
            )
        case (ReportTimeliness.UNPROVEN, sent) if sent is not None and standing.noticing_lost is not None:
            lost = str(standing.noticing_lost)
            return Status(
                msg("sent {at}; record {seq}, of when it was noticed, cannot be read", at=sent.sent_at, seq=lost),
                Tone.UNSURE,
            )
        case (ReportTimeliness.UNPROVEN, sent) if sent is not None and not sent.is_kept:
            return Status(msg("said to be sent {at}; the paper is not kept", at=sent.sent_at), Tone.UNSURE)
        case (ReportTimeliness.UNPROVEN, sent) if sent is not None:
            text = msg("said to be sent {at}; recorded {recorded} only", at=sent.sent_at, recorded=sent.recorded_at)
            return Status(text, Tone.UNSURE)
        case (ReportTimeliness.DUE, _):
            return Status(msg("due {due}", due=due), Tone.UNSURE)
        case _:
            return Status(msg("not sent, was due {due}", due=due), Tone.BAD)


def ties_of(incident: Incident) -> str:
    """Return the ids of everything that an incident is tied to."""
    facts = incident.facts
    return ", ".join(map(show_text, (*facts.credentials, *facts.hosts, *facts.changes, *facts.findings, *facts.cases)))


def incident_blocks(evidence: Evidence, numbers: Numbers, host: HostId | None = None) -> Iterator[Block]:
    """Yield the incidents that were noticed or recorded in the period or open in it, and the days that were attested.

    Of one host only its own incidents stand there; an attestation is held against those of all hosts.
    """
    register = evidence.incidents
    if register is None or not register.is_begun:
        yield Paragraph(msg("Nothing is recorded in the register of incidents; that shows nothing of the period."))
        return
    if lost := register.every_lost():
        seqs = ", ".join(str(seq) for seq in lost[:10])
        yield Notice(msg("Records of incidents that cannot be read: {seqs}.", seqs=seqs), Tone.BAD)
    shown = incidents_of(evidence, host)
    headers = (
        msg("Incident"), msg("What happened"), msg("Severity"), msg("Noticed"), msg("Who answers"), msg("Tied to"),
        msg("State"), msg("Records"),
    )  # fmt: skip
    caption = msg("Incidents that were noticed in the period, or open in it (Article 12.5)")
    if shown:
        yield from bounded(TableBlock(caption, headers, [_row(each) for each in shown]), INCIDENTS_SHOWN)
        yield from bounded(_reports(shown, numbers, evidence.now), 2 * INCIDENTS_SHOWN)
    else:
        yield Paragraph(
            msg(
                "No incident of the period is in the register; that there was none is shown only for the days of which somebody attests it."
            )
        )
    days = _attestations(register, evidence)
    if days.rows:
        yield from bounded(days)
    else:
        yield Paragraph(msg("Nobody attests of a day of the period that every incident is in the register."))


def incidents_of(evidence: Evidence, host: HostId | None = None) -> tuple[Incident, ...]:
    """Return the incidents of the period, in the order in which they were opened; of one host, those that are tied to it."""
    if evidence.incidents is None:
        return ()
    start, end = evidence.period.bounds(evidence.zone)
    every = evidence.incidents.incidents.values() if host is None else evidence.incidents.find_by_host(host)
    return tuple(each for each in every if is_of(each, start, end))


def is_of(incident: Incident, start: datetime, end: datetime) -> bool:
    """Say whether an incident was noticed before the end of a time, and not closed before its start; or first recorded in it."""
    closed = incident.closed
    noticed = incident.facts.detected_at
    return start <= incident.opened.at < end or (
        noticed < end and (noticed >= start or closed is None or closed.at >= start)
    )


def _row(incident: Incident) -> tuple[Cell, ...]:
    facts = incident.facts
    return (
        incident.id,
        msg("{what} ({kind})", what=show_text(facts.what, 200), kind=KIND_WORDS[facts.kind]),
        severity_status(facts.severity),
        facts.detected_at,
        ", ".join(map(show_text, facts.holders)) or None,
        ties_of(incident) or None,
        state_status(incident),
        ", ".join(map(str, incident.seqs)),
    )


def _reports(incidents: Sequence[Incident], numbers: Numbers, now: datetime) -> TableBlock:
    rows: list[tuple[Cell, ...]] = []
    for incident in incidents:
        by_seq = {step.seq: step for step in incident.reports}
        for report in ReportKind:
            standing = incident.standing(report, numbers, now)
            step = by_seq[standing.sent.seq] if standing.sent else None
            rows.append(
                (
                    incident.id,
                    REPORT_WORDS[report],
                    report_status(standing),
                    show_text(step.body.document) if step else None,
                    show_text(step.body.to) if step else None,
                    ", ".join(step.evidence) or None if step else None,
                    step.seq if step else None,
                )
            )
    headers = (
        msg("Incident"), msg("Report"), msg("State"), msg("Document"), msg("To whom"), msg("SHA-256"), msg("Record"),
    )  # fmt: skip
    return TableBlock(msg("Their reports, and whether each was in time"), headers, rows)


def state_status(incident: Incident) -> Status:
    """Return where an incident stands, with what was open when it was closed."""
    closed = incident.closed
    if closed is None or not closed.body.open_ends:
        return STATE_WORDS[incident.state]
    ends: Sequence[Message] = [end_words(end) for end in closed.body.open_ends]
    return Status(msg("closed all the same: {ends}", ends=joined(ends)), Tone.BAD)


def _attestations(register: IncidentRegister, evidence: Evidence) -> TableBlock:
    period = evidence.period
    rows: list[tuple[Cell, ...]] = []
    for step in register.attested:
        body = step.body
        if body.last < period.first or period.last < body.first:
            continue
        against = register.find_contradicting(step, evidence.zone)
        remark: Cell = None
        if against:
            ids = ", ".join(each.id for each in against)
            remark = Status(msg("void, since incidents were recorded later: {ids}", ids=ids), Tone.BAD)
        elif not step.evidence:
            remark = Status(msg("the paper is not kept"), Tone.UNSURE)
        elif (early := first_day_not_over(step, evidence.zone)) is not None:
            remark = Status(msg("{day} was not over when it was attested", day=early), Tone.UNSURE)
        rows.append(
            (body.first, body.last, show_text(body.by), show_text(body.document) or None, ", ".join(step.evidence) or None,
             step.seq, step.at, remark)
        )  # fmt: skip
    headers = (
        msg("From"), msg("To"), msg("Who attests"), msg("Document"), msg("SHA-256"), msg("Record"), msg("Recorded at"),
        msg("Remarks"),
    )  # fmt: skip
    return TableBlock(msg("Days for which a person attests that every incident is in the register"), headers, rows)
