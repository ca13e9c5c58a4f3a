"""What the verbs of `portalops incident` share: reading the register, taking what a person wrote, and telling of an incident."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Optional

import typer

from commands.cli.entries import MAX_TEXT, caller_of, written_text
from commands.cli.result import JsonValue, Result
from commands.cli.session import Session
from commands.jobs.credentials import refuse_secret
from commands.jobs.credentials import register_of as credentials_of
from portalops.errors import ExitCode, LedgerMissing, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.incidents import REPORT_WORDS, IncidentKind, IncidentsAttested, ReportKind, ReportTimeliness
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.registers.incidents import (
    KEYS,
    Body,
    Incident,
    IncidentRegister,
    OfIncident,
    people_left,
    read_incidents,
    subject_of,
    taken,
)
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, TableBlock, Tone
from portalops.reports.section_incidents import KIND_WORDS, report_status, state_status
from portalops.reports.words import severity_status

DUTY = "12.5-incidents"
OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
IdArgument = Annotated[str, typer.Argument(metavar="ID", help=_("The incident's id, such as IN-2026-001"))]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who; the account that calls by default"))]


def guarded(text: str, option: str) -> str:
    """Return what a person wrote, on one line.

    Raises:
        UsageError: it is empty or too long, or looks like a secret, which is not repeated.
    """
    text = unicodedata.normalize("NFC", text)
    if len(text) <= MAX_TEXT:  # the longer is refused anyhow, and looking at it would take its time
        refuse_secret(text, option)
    return written_text(text, option)


def find_actor(session: Session, by: str) -> str:
    """Return who does it: as `--by` says, or the account that calls; raises as `guarded` does."""
    return guarded(by, "--by") if by else caller_of(session)


def register_of(session: Session) -> IncidentRegister:
    """Return the register; an empty one before there is a ledger."""
    try:
        return read_incidents(session.ledger)
    except LedgerMissing:
        return IncidentRegister()


def known_incident(register: IncidentRegister, name: str) -> Incident:
    """Return an incident.

    Raises:
        UsageError: there is none of this id.
    """
    if (found := register.incidents.get(name)) is not None:
        return found
    refuse_secret(name, "ID")
    if name in register.unopened:
        raise UsageError(
            msg("the record that opened {id} cannot be read", id=name),
            msg(
                "Say the whole anew: 'portalops incident correct {id} --what ... --kind ... --severity ... --detected ... --reason"
                " ...'. What was recorded after it then counts again.",
                id=name,
            ),
        )
    close = difflib.get_close_matches(name[:60], register.incidents, 1)
    raise UsageError(
        msg("there is no incident {id}", id=show_text(name, 60)),
        msg("Did you mean {close}?", close=close[0]) if close else msg("'portalops incident list --all' lists them."),
    )


def record(
    session: Session, kind: str, make: Callable[[IncidentRegister], Body], document: bytes | None, *, dry_run: bool
) -> tuple[Body, IncidentRegister, IncidentRegister, int]:
    """Record what is made of the register as it stands while nobody else can write, unless this is a dry run.

    Args:
        session: has the ledger.
        kind: of the record.
        make: returns the body, or raises `UsageError`.
        document: kept with it by its digest.
        dry_run: record nothing.

    Returns:
        The body, the register before and after, and the record's number; 0 of a dry run, whose register after is that before.
    """
    if dry_run:
        before = register_of(session)
        return make(before), before, before, 0
    ledger, circumstances = session.writable_ledger, session.circumstances
    made: list[tuple[IncidentRegister, Body]] = []

    def decide() -> tuple[Draft]:
        before = read_incidents(ledger)
        body = make(before)  # what is refused leaves no document behind
        evidence = () if document is None else (ledger.keep(document),)
        made.append((before, body))
        parts = {"circumstances": circumstances, KEYS[kind][0]: body, "evidence": evidence}
        return (ledger.draft(kind, subject=subject_of(body), duty=DUTY, body=ledger.keep(bodies.write(parts))),)

    (done,) = ledger.append_decided(decide)
    before, body = made[-1]
    return body, before, read_incidents(ledger), done.seq


def step(
    session: Session,
    kind: str,
    name: str,
    make: Callable[[Incident], OfIncident],
    document: bytes | None,
    *,
    dry_run: bool,
    warn: Callable[[Incident, Incident], Sequence[Message]] = lambda _before, _after: (),
) -> Result[JsonValue]:
    """Record a step of an incident that there is, and show how it stands after it.

    Raises:
        UsageError: there is no such incident, or it does not permit the step.
    """

    def made(register: IncidentRegister) -> Body:
        return make(known_incident(register, name))

    body, before, after, seq = record(session, kind, made, document, dry_run=dry_run)
    known = before.incidents[name]
    if dry_run:
        assert not isinstance(body, IncidentsAttested), "it is of an incident"
        now = taken(known, 0, session.clock.now(), body, ())
    else:
        now = after.incidents[name]
    return incident_result(session, now, warn(known, now), record_seq=seq)


def incident_result(
    session: Session, incident: Incident, warnings: Sequence[Message], *, record_seq: int | None = None
) -> Result[JsonValue]:
    """Show one incident, as it is or, with the record 0, as it would be."""
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
        (msg("Was over"), closed.body.ended_at if closed else None),
        (msg("Cause"), told.cause or None),
        (msg("Counter-measures"), told.measures or None),
        (msg("Lessons"), told.lessons or None),
    ]
    blocks: list[Block] = [Heading(2, msg("{id}", id=incident.id)), KeyValues(rows), _steps(incident)]
    if incident.lost:
        blocks.append(unread(incident.lost))
    if record_seq == 0:
        blocks.append(Paragraph(msg("nothing was recorded: this was a dry run")))
    data = data_of(session, incident)
    if record_seq is not None:
        data["recorded"] = bool(record_seq)
    return Result(data, blocks, warnings)


def _steps(incident: Incident) -> TableBlock:
    rows: list[tuple[int, tuple[Cell, ...]]] = []

    def add(seq: int, at: datetime, what: Message, said: Message | str, kept: Sequence[str]) -> None:
        rows.append((seq or 1 << 62, (what, at, seq or None, said, ", ".join(kept) or None)))

    opened = incident.opened
    gaps = {gap.seq: gap for gap in incident.gaps}
    if opened.seq not in gaps:
        add(opened.seq, opened.at, msg("opened"), msg("by {name}", name=opened.body.by), opened.evidence)
    for gap in gaps.values():
        said = (
            msg("said anew by record {seq}", seq=str(gap.said_anew)) if gap.said_anew else msg("nothing says it anew")
        )
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
    "The duty is unknown until what they said is recorded anew: an incident and its notes by 'incident correct', a report by 'incident"
    " report', a closing by 'incident close', an attestation by 'incident attest'."
)


def code_of(session: Session, incidents: Sequence[Incident], *, is_whole: bool) -> ExitCode:
    """Return the exit status for some incidents: unmet for a report that is late, or what was closed with open ends."""
    numbers, now = session.rulebook.numbers, session.clock.now()
    found = {each.standing(report, numbers, now).timeliness for each in incidents for report in ReportKind}
    is_left = any(each.closed is not None and each.closed.body.open_ends for each in incidents)
    if is_left or found & {ReportTimeliness.LATE, ReportTimeliness.OVERDUE}:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if ReportTimeliness.UNPROVEN in found or not is_whole else ExitCode.OK


def data_of(session: Session, incident: Incident) -> dict[str, JsonValue]:
    """Return one incident for programs."""
    numbers, now = session.rulebook.numbers, session.clock.now()
    facts, closed = incident.facts, incident.closed
    reports: list[JsonValue] = [
        {
            "report": each.body.report.value,
            "to": each.body.to,
            "sent_at": each.body.sent_at.isoformat(),
            "document": each.body.document,
            "how": each.body.how,
            "by": each.body.by,
            "record": each.seq or None,
            "at": each.at.isoformat(),
            "evidence": list(each.evidence),
        }
        for each in incident.reports
    ]
    notes: list[JsonValue] = [
        {
            "at": each.body.at.isoformat(),
            "text": each.body.text,
            "by": each.body.by,
            "record": each.seq or None,
            "evidence": list(each.evidence),
        }
        for each in incident.notes
    ]
    due: dict[str, JsonValue] = {}
    for report in ReportKind:
        standing = incident.standing(report, numbers, now)
        due[f"{report.value}_report"] = {
            "state": standing.timeliness.value,
            "due_at": standing.due_at.isoformat(),
            "record": standing.sent.seq or None if standing.sent else None,
        }
    return {
        "id": incident.id,
        "state": incident.state.value,
        "state_record": incident.state_seq or None,
        "what": facts.what,
        "kind": facts.kind.value,
        "severity": facts.severity.value,
        "happened_at": facts.happened_at.isoformat() if facts.happened_at else None,
        "detected_at": facts.detected_at.isoformat(),
        "opened": {
            "record": incident.opened.seq or None,
            "at": incident.opened.at.isoformat(),
            "by": incident.opened.body.by,
            "evidence": list(incident.opened.evidence),
        },
        "told_record": incident.told.seq or None,
        "affected": facts.affected or None,
        "holders": list(facts.holders),
        "credentials": list(facts.credentials),
        "hosts": list(facts.hosts),
        "changes": list(facts.changes),
        "findings": list(facts.findings),
        "cases": list(facts.cases),
        "cause": (closed.body if closed else facts).cause or None,
        "measures": (closed.body if closed else facts).measures or None,
        "lessons": (closed.body if closed else facts).lessons or None,
        **due,
        "reports": reports,
        "notes": notes,
        "closed": {
            "record": closed.seq or None,
            "at": closed.at.isoformat(),
            "ended_at": closed.body.ended_at.isoformat(),
            "open_ends": list(closed.body.open_ends),
            "reason": closed.body.reason or None,
            "by": closed.body.by,
            "evidence": list(closed.evidence),
        }
        if closed
        else None,
        "unreadable": list(incident.lost),
        "said_anew": [{"record": gap.seq, "by": gap.said_anew} for gap in incident.gaps if gap.said_anew],
    }


def incident_remarks(session: Session, incident: Incident) -> tuple[Message, ...]:
    """Say what whoever records it must know."""
    facts, register = incident.facts, credentials_of(session)
    zone, now = session.zone_of_portal, session.clock.now()
    found: list[Message] = [
        msg("{person} left, by record {seq}", person=name, seq=left.seq)
        for name in people_left(facts, register, now.astimezone(zone).date())
        if (left := register.left_of(name)) is not None
    ]
    began_on = facts.began_at.astimezone(zone).date()
    for name in facts.credentials:
        each = register.credentials.get(name)
        if each is not None and each.custody_on is not None and each.custody_on > began_on:
            found.append(
                msg(
                    "{id} was handed over on {day}, after it began: see that --holder names who held it then",
                    id=name,
                    day=each.custody_on,
                )
            )
        if each is not None and name in register.unreadable:
            found.append(msg("{id}: records of it cannot be read, so who holds it is not known", id=name))
    if facts.kind is IncidentKind.CREDENTIAL and not facts.credentials:
        found.append(
            msg(
                "no credential is tied to it: 'portalops incident correct {id} --credential' does, and the duty is unknown until then",
                id=facts.id,
            )
        )
    elif not facts.holders:
        found.append(
            msg("nobody is named who answers for it: 'portalops incident correct {id} --holder' does", id=facts.id)
        )
    for report in ReportKind:
        found += _due(session, incident, report, now)
    return tuple(found)


def _due(session: Session, incident: Incident, report: ReportKind, now: datetime) -> list[Message]:
    standing = incident.standing(report, session.rulebook.numbers, now)
    is_first = report is ReportKind.FIRST
    if standing.timeliness is ReportTimeliness.OVERDUE:
        if is_first:
            return [msg("the first report was due by {due}", due=standing.due_at)]
        return [msg("the full report was due by {due}", due=standing.due_at)]
    if standing.timeliness is ReportTimeliness.DUE:
        if is_first:
            return [
                msg(
                    "the first report is due by {due}: 'portalops incident letter {id}' drafts it, 'incident report' records it",
                    due=standing.due_at,
                    id=incident.id,
                )
            ]
        return [msg("the full report is due by {due}", due=standing.due_at)]
    return []
