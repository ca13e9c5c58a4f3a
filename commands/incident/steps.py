"""What the verbs of `portalops incident` share: reading the register, taking what a person wrote, and telling of an incident."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Optional

import typer

from commands.cli.entries import MAX_TEXT, caller_of, written_text
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import widened
from commands.incident.views import RecordedIncident, incident_data, incident_view
from commands.jobs.credentials import refuse_secret
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.incidents import IncidentKind, IncidentsAttested, ReportKind, ReportTimeliness
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.credentials import read_credentials
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
from portalops.reports.document import Paragraph

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
    return read_incidents(session.reader)


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
                "Record the whole again: 'portalops incident correct {id} --what ... --kind ... --severity ..."
                " --detected ... --reason ...'. Later records then count again.",
                id=name,
            ),
        )
    close = difflib.get_close_matches(name[:60], register.incidents, 1)
    raise UsageError(
        msg("there is no incident {id}", id=show_text(name, 60)),
        msg("Did you mean {close}?", close=close[0])
        if close
        else msg("'portalops incident list --all' lists all incidents."),
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
) -> Result[RecordedIncident]:
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
    session: Session, incident: Incident, warnings: Sequence[Message], *, record_seq: int
) -> Result[RecordedIncident]:
    """Show an incident as it is after a record or, with the record 0, as it would be."""
    view = incident_view(session, incident)
    if record_seq == 0:
        view.append(Paragraph(msg("nothing was recorded: this was a dry run")))
    data = widened(RecordedIncident, incident_data(session, incident), recorded=bool(record_seq))
    return Result(data, view, warnings)


def incident_remarks(session: Session, incident: Incident) -> tuple[Message, ...]:
    """Say what whoever records it must know."""
    facts, register = incident.facts, read_credentials(session.reader)
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
                    "{id} was handed over on {day}, after the incident began: --holder must name who held it then",
                    id=name,
                    day=each.custody_on,
                )
            )
        if each is not None and name in register.unreadable:
            found.append(msg("{id}: its holder is unknown, since records of it cannot be read", id=name))
    if facts.kind is IncidentKind.CREDENTIAL and not facts.credentials:
        found.append(
            msg(
                "no credential is tied to it, so the duty is unknown: name one by 'portalops incident correct {id}"
                " --credential'",
                id=facts.id,
            )
        )
    elif not facts.holders:
        found.append(
            msg("no person answers for it: name one by 'portalops incident correct {id} --holder'", id=facts.id)
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
                    "the first report is due by {due}: draft it by 'portalops incident letter {id}', record it by"
                    " 'incident report'",
                    due=standing.due_at,
                    id=incident.id,
                )
            ]
        return [msg("the full report is due by {due}", due=standing.due_at)]
    return []
