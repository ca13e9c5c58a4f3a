"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from commands.cli.session import Session
from commands.cli.shapes import shape
from portalops.errors import ExitCode
from portalops.model.incidents import REPORT_WORDS, IncidentKind, IncidentState, ReportKind, ReportTimeliness
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.verdicts import Severity
from portalops.registers.incidents import Incident
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, TableBlock, Tone
from portalops.reports.section_incidents import KIND_WORDS, report_status, state_status
from portalops.reports.words import severity_status


@shape
class OpenedShape:
    """The record that opened an incident."""

    record: int | None
    """Null here and elsewhere: of a dry run."""
    at: datetime
    by: str
    evidence: tuple[Digest, ...]


@shape
class DueReport:
    """How a report that is due stands."""

    state: ReportTimeliness
    due_at: datetime
    record: int | None
    """The record of the report that was sent."""


@shape
class SentIncidentReport:
    """A report that was sent."""

    report: ReportKind
    to: str
    sent_at: datetime
    document: str
    how: str
    by: str
    record: int | None
    at: datetime
    """When it was recorded."""
    evidence: tuple[Digest, ...]


@shape
class NoteShape:
    """What was found out or done."""

    at: datetime
    text: str
    by: str
    record: int | None
    evidence: tuple[Digest, ...]


@shape
class ClosedIncident:
    """The record of the closing."""

    record: int | None
    at: datetime
    ended_at: datetime
    open_ends: tuple[str, ...]
    """What was open: `cause`, `lessons`, `first-report`, `full-report`, `unread`, or `credential`, `change` or `finding`, a colon and its id."""
    reason: str | None
    by: str
    evidence: tuple[Digest, ...]


@shape
class ReplacedRecord:
    """A record that cannot be read, and the later one that states the whole of it again."""

    record: int
    by: int


@shape
class IncidentShape:
    """One incident, as the register has it."""

    id: str
    state: IncidentState
    state_record: int | None
    what: str
    kind: IncidentKind
    severity: Severity
    happened_at: datetime | None
    detected_at: datetime
    opened: OpenedShape
    told_record: int | None
    """The record of the present facts."""
    affected: str | None
    holders: tuple[str, ...]
    """Who answers for it."""
    credentials: tuple[str, ...]
    hosts: tuple[HostId, ...]
    changes: tuple[str, ...]
    findings: tuple[str, ...]
    cases: tuple[str, ...]
    cause: str | None
    measures: str | None
    lessons: str | None
    first_report: DueReport
    full_report: DueReport
    reports: tuple[SentIncidentReport, ...]
    notes: tuple[NoteShape, ...]
    closed: ClosedIncident | None
    unreadable: tuple[int, ...]
    """Records of it that cannot be read, and that no later one replaces."""
    said_anew: tuple[ReplacedRecord, ...]


@shape
class RecordedIncident(IncidentShape):
    """An incident after a step."""

    recorded: bool
    """False of a dry run."""


@shape
class AttestedDays:
    """Days of which a named person attests that every incident is in the register."""

    id: str
    """The first and the last day, joined by a slash."""
    by: str
    document: str | None
    evidence: tuple[Digest, ...]
    record: int | None


def incident_view(session: Session, incident: Incident) -> list[Block]:
    """Return one incident for a person: its facts, and each step."""
    numbers, now = session.rulebook.numbers, session.clock.now()
    facts = incident.facts
    rows: list[tuple[Message, Cell]] = [
        (msg("State"), state_status(incident)),
        (msg("What happened"), facts.what),
        (msg("Kind"), KIND_WORDS[facts.kind]),
        (msg("Severity"), severity_status(facts.severity)),
        (msg("Happened"), facts.happened_at),
        (msg("Noticed"), facts.detected_at),
        (msg("Recorded at"), incident.opened.at),
        (msg("What was affected"), facts.affected or None),
        (msg("Who answers"), ", ".join(facts.holders) or None),
        (msg("Credentials"), ", ".join(facts.credentials) or None),
        (msg("Hosts"), ", ".join(facts.hosts) or None),
        (msg("Changes"), ", ".join(facts.changes) or None),
        (msg("Findings"), ", ".join(facts.findings) or None),
        (msg("Cases"), ", ".join(facts.cases) or None),
    ]
    rows += [
        (label, report_status(incident.standing(report, numbers, now)))
        for report, label in ((ReportKind.FIRST, msg("First report")), (ReportKind.FULL, msg("Full report")))
    ]
    closed = incident.closed
    told = closed.body if closed else facts
    rows += [
        (msg("Ended"), closed.body.ended_at if closed else None),
        (msg("Cause"), told.cause or None),
        (msg("Counter-measures"), told.measures or None),
        (msg("Lessons"), told.lessons or None),
    ]
    blocks: list[Block] = [Heading(2, msg("{id}", id=incident.id)), KeyValues(rows), _steps(incident)]
    if incident.lost:
        blocks.append(unread(incident.lost))
    return blocks


def _steps(incident: Incident) -> TableBlock:
    rows: list[tuple[int, tuple[Cell, ...]]] = []

    def add(seq: int, at: datetime, what: Message, said: Message | str, kept: Sequence[str]) -> None:
        rows.append((seq or 1 << 62, (what, at, seq or None, said, ", ".join(kept) or None)))

    opened = incident.opened
    gaps = {gap.seq: gap for gap in incident.gaps}
    if opened.seq not in gaps:
        add(opened.seq, opened.at, msg("opened"), msg("by {name}", name=opened.body.by), opened.evidence)
    for gap in gaps.values():
        said = msg("replaced by record {seq}", seq=str(gap.said_anew)) if gap.said_anew else msg("not replaced")
        add(gap.seq, gap.at, msg("cannot be read"), said, ())
    for corrected in incident.corrections:
        said = msg("by {name}: {reason}", name=corrected.body.by, reason=corrected.body.reason)
        add(corrected.seq, corrected.at, msg("corrected"), said, corrected.evidence)
    for noted in incident.notes:
        said = msg("{at}, {name}: {text}", at=noted.body.at, name=noted.body.by, text=noted.body.text)
        add(noted.seq, noted.at, msg("noted"), said, noted.evidence)
    for reported, by_seq in (*((step, None) for step in incident.reports), *incident.replaced):
        sent = reported.body
        said = msg(
            "{document} to {to}, sent at {sent} by {how}",
            document=sent.document, to=sent.to, sent=sent.sent_at, how=sent.how,
        )  # fmt: skip
        if by_seq is not None:
            said = msg("{paper}; replaced by record {seq}", paper=said, seq=str(by_seq or "?"))
        add(reported.seq, reported.at, REPORT_WORDS[sent.report], said, reported.evidence)
    for closing in incident.closings:
        said = msg("by {name}", name=closing.body.by)
        if closing.body.reason:
            said = msg("by {name}: {reason}", name=closing.body.by, reason=closing.body.reason)
        add(closing.seq, closing.at, msg("closed"), said, closing.evidence)
    for reopened in incident.reopenings:
        said = msg("by {name}: {reason}", name=reopened.body.by, reason=reopened.body.reason)
        add(reopened.seq, reopened.at, msg("reopened"), said, reopened.evidence)
    rows.sort(key=lambda row: row[0])
    headers = (msg("Step"), msg("Recorded at"), msg("Record"), msg("Details"), msg("Digest of the document"))
    return TableBlock(msg("Steps"), headers, [row for _seq, row in rows])


def unread(seqs: Sequence[int]) -> Notice:
    """Return what is told of records that cannot be read."""
    return Notice(msg("{told}. {way_out}", told=describe_unread(seqs), way_out=SAY_ANEW), Tone.UNSURE)


def describe_unread(seqs: Sequence[int]) -> Message:
    """Return the sentence for records that cannot be read."""
    return nmsg(
        "{n} record of incidents cannot be read: {seqs}",
        "{n} records of incidents cannot be read: {seqs}",
        len(seqs),
        seqs=", ".join(str(seq) for seq in seqs[:10]),
    )


SAY_ANEW = msg(
    "The duty is unknown until the same is recorded again: facts and notes by 'incident correct', a report by"
    " 'incident report', a closing by 'incident close', an attestation by 'incident attest'."
)


def code_of(session: Session, incidents: Sequence[Incident], *, is_whole: bool) -> ExitCode:
    """Return the exit status for some incidents: unmet for a report that is late, or what was closed with open ends."""
    numbers, now = session.rulebook.numbers, session.clock.now()
    found = {each.standing(report, numbers, now).timeliness for each in incidents for report in ReportKind}
    is_left = any(each.closed is not None and each.closed.body.open_ends for each in incidents)
    if is_left or found & {ReportTimeliness.LATE, ReportTimeliness.OVERDUE}:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if ReportTimeliness.UNPROVEN in found or not is_whole else ExitCode.OK


def incident_data(session: Session, incident: Incident) -> IncidentShape:
    """Return one incident for programs."""
    facts, closed, opened = incident.facts, incident.closed, incident.opened
    outcome = closed.body if closed else facts
    return IncidentShape(
        id=incident.id,
        state=incident.state,
        state_record=incident.state_seq or None,
        what=facts.what,
        kind=facts.kind,
        severity=facts.severity,
        happened_at=facts.happened_at,
        detected_at=facts.detected_at,
        opened=OpenedShape(opened.seq or None, opened.at, opened.body.by, opened.evidence),
        told_record=incident.told.seq or None,
        affected=facts.affected or None,
        holders=facts.holders,
        credentials=facts.credentials,
        hosts=facts.hosts,
        changes=facts.changes,
        findings=facts.findings,
        cases=facts.cases,
        cause=outcome.cause or None,
        measures=outcome.measures or None,
        lessons=outcome.lessons or None,
        first_report=_due_report(session, incident, ReportKind.FIRST),
        full_report=_due_report(session, incident, ReportKind.FULL),
        reports=tuple(
            SentIncidentReport(
                report=each.body.report,
                to=each.body.to,
                sent_at=each.body.sent_at,
                document=each.body.document,
                how=each.body.how,
                by=each.body.by,
                record=each.seq or None,
                at=each.at,
                evidence=each.evidence,
            )
            for each in incident.reports
        ),
        notes=tuple(
            NoteShape(each.body.at, each.body.text, each.body.by, each.seq or None, each.evidence)
            for each in incident.notes
        ),
        closed=ClosedIncident(
            record=closed.seq or None,
            at=closed.at,
            ended_at=closed.body.ended_at,
            open_ends=closed.body.open_ends,
            reason=closed.body.reason or None,
            by=closed.body.by,
            evidence=closed.evidence,
        )
        if closed
        else None,
        unreadable=incident.lost,
        said_anew=tuple(ReplacedRecord(gap.seq, gap.said_anew) for gap in incident.gaps if gap.said_anew),
    )


def _due_report(session: Session, incident: Incident, report: ReportKind) -> DueReport:
    standing = incident.standing(report, session.rulebook.numbers, session.clock.now())
    return DueReport(standing.timeliness, standing.due_at, standing.sent.seq or None if standing.sent else None)
