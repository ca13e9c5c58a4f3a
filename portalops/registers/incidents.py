"""The register of incidents: the records `incident.*`, folded. Each state names the record that made it so.

Nothing is edited. A correction says the whole anew, and the newest counts; a report that is recorded again takes the place of
the one before from its own record on, and one that says the same adds the file that was missing. A document that is not there
any more is not kept: its step is on record without it. That nothing is recorded of some days shows nothing: for that a named
person attests them, and an incident that comes to be recorded later takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part, evidence_of
from portalops.model.credentials import Credential, CredentialRotation
from portalops.model.incidents import (
    IncidentClosed,
    IncidentFacts,
    IncidentNote,
    IncidentReopened,
    IncidentReport,
    IncidentsAttested,
    IncidentState,
    ReportKind,
    ReportStanding,
    Sent,
    Timeliness,
    report_standing,
)
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.rulebook import Numbers
from portalops.model.text import show_text
from portalops.registers.changes import Step
from portalops.registers.credentials import ADDED

if TYPE_CHECKING:
    from portalops.registers.credentials import CredentialRegister, HeldCredential
    from portalops.registers.evidence import LedgerReader

OfIncident: TypeAlias = "IncidentFacts | IncidentNote | IncidentReport | IncidentClosed | IncidentReopened"
Body: TypeAlias = "OfIncident | IncidentsAttested"

OPENED, CORRECTED, NOTED, REPORTED = "incident.opened", "incident.corrected", "incident.noted", "incident.reported"
CLOSED, REOPENED, ATTESTED = "incident.closed", "incident.reopened", "incident.attested"
KEYS: Final[Mapping[str, tuple[str, type[Body]]]] = {
    OPENED: ("incident", IncidentFacts),
    CORRECTED: ("incident", IncidentFacts),
    NOTED: ("note", IncidentNote),
    REPORTED: ("incident_report", IncidentReport),
    CLOSED: ("incident_closed", IncidentClosed),
    REOPENED: ("incident_reopened", IncidentReopened),
    ATTESTED: ("attestation", IncidentsAttested),
}
"""By kind of record: the key of its body, and its type."""
INCIDENT_KINDS: Final = tuple(KEYS)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, with the records that made it what it is."""

    opened: Step[IncidentFacts]
    told: Step[IncidentFacts]
    """What counts of it now: the newest correction, or what was said at first."""
    corrections: tuple[Step[IncidentFacts], ...] = ()
    notes: tuple[Step[IncidentNote], ...] = ()
    reports: tuple[Step[IncidentReport], ...] = ()
    """One for each kind and addressee, in the order in which they were first recorded."""
    closings: tuple[Step[IncidentClosed], ...] = ()
    reopenings: tuple[Step[IncidentReopened], ...] = ()
    lost: tuple[int, ...] = ()
    """Records of it whose details cannot be read, or that do not fit what was before."""

    @property
    def id(self) -> str:
        """Return its id."""
        return self.opened.body.id

    @property
    def facts(self) -> IncidentFacts:
        """Return what is known of it now."""
        return self.told.body

    @property
    def closed(self) -> Step[IncidentClosed] | None:
        """Return the closing that holds; None while it is open."""
        if not self.closings or (self.reopenings and self.reopenings[-1].seq > self.closings[-1].seq):
            return None
        return self.closings[-1]

    @property
    def is_open(self) -> bool:
        """Say whether something is still to be done."""
        return self.closed is None

    @property
    def state(self) -> IncidentState:
        """Return where it stands."""
        if self.closed is not None:
            return IncidentState.CLOSED
        return IncidentState.REOPENED if self.reopenings else IncidentState.OPEN

    @property
    def state_seq(self) -> int:
        """Return the record that made the state."""
        if self.closed is not None:
            return self.closed.seq
        return self.reopenings[-1].seq if self.reopenings else self.opened.seq

    @property
    def seqs(self) -> tuple[int, ...]:
        """Return the records that its present state rests on, in order."""
        steps: tuple[Step[IncidentFacts] | Step[IncidentReport] | Step[IncidentClosed] | Step[IncidentReopened], ...]
        steps = (self.opened, self.told, *self.reports, *self.closings[-1:], *self.reopenings[-1:])
        return tuple(sorted({step.seq for step in steps if step.seq}))

    def sent(self) -> tuple[Sent, ...]:
        """Return what the records show of its reports."""
        return tuple(
            Sent(step.body.report, step.body.sent_at, step.at, step.seq, bool(step.evidence)) for step in self.reports
        )

    def standing(self, report: ReportKind, numbers: Numbers, now: datetime) -> ReportStanding:
        """Say how one of its two reports stands, as of now.

        Who corrects the noticing to a later time makes nothing in time by it that was not before: that stays unproven.
        """
        found = report_standing(self.facts, report, self.sent(), numbers, now)
        if found.timeliness is Timeliness.IN_TIME:
            for step in (self.opened, *self.corrections):
                before = report_standing(step.body, report, self.sent(), numbers, now)
                if step.body.detected_at < self.facts.detected_at and before.timeliness is not Timeliness.IN_TIME:
                    return replace(found, timeliness=Timeliness.UNPROVEN, noticed_before=step.body.detected_at)
        return found

    def noticed_on(self, zone: ZoneInfo) -> frozenset[date]:
        """Return the local days on which it was noticed, by any of its records."""
        return frozenset(step.body.detected_at.astimezone(zone).date() for step in (self.opened, *self.corrections))


@dataclass(frozen=True, slots=True)
class IncidentRegister:
    """All incidents, by id, in the order in which they were opened, and who attested which days."""

    incidents: Mapping[str, Incident] = field(default_factory=dict)
    attested: tuple[Step[IncidentsAttested], ...] = ()
    """What holds of it, oldest first: nothing that was taken back."""
    lost: tuple[int, ...] = ()
    """Records of which it cannot be read what they are about."""
    names: frozenset[str] = frozenset()
    """Every id that a record bears, whether it can be read or not."""
    is_begun: bool = False
    """There is any record at all."""

    def every_lost(self) -> tuple[int, ...]:
        """Return every record that cannot be read, of whatever incident."""
        return tuple(sorted({*self.lost, *(seq for each in self.incidents.values() for seq in each.lost)}))

    def of_host(self, host: HostId) -> tuple[Incident, ...]:
        """Return the incidents that are tied to a host."""
        return tuple(each for each in self.incidents.values() if host in each.facts.hosts)

    def attested_on(self, day: date, zone: ZoneInfo) -> Step[IncidentsAttested] | None:
        """Return the attestation of a local day that nothing contradicts: the newest whose paper is kept, else the newest."""
        found = [
            step for step in self.attested if step.body.first <= day <= step.body.last and not self.against(step, zone)
        ]
        return max(found, key=lambda step: (bool(step.evidence), step.seq), default=None)

    def against(self, step: Step[IncidentsAttested], zone: ZoneInfo) -> tuple[Incident, ...]:
        """Return the incidents that were noticed in the attested days, and recorded only after the attestation."""
        return tuple(
            each
            for each in self.incidents.values()
            if each.opened.seq > step.seq
            and any(step.body.first <= day <= step.body.last for day in each.noticed_on(zone))
        )


def fold_incidents(
    records: Iterable[tuple[int, datetime, str, Body | None, tuple[Digest, ...]]],
) -> IncidentRegister:
    """Return the register.

    Args:
        records: number, time, subject, body and kept documents of each record, oldest first; no body if it cannot be read.
    """
    incidents: dict[str, Incident] = {}
    attested: list[Step[IncidentsAttested]] = []
    lost: list[int] = []
    names: set[str] = set()
    is_begun = False
    for seq, at, name, body, evidence in records:
        is_begun = True
        names.add(name)
        known = incidents.get(name)
        if isinstance(body, IncidentsAttested):
            attested = _attested(attested, Step(seq, at, body, evidence))
        elif known is not None:
            incidents[name] = taken(known, seq, at, body, evidence)
        elif isinstance(body, IncidentFacts) and not body.reason:
            step = Step(seq, at, body, evidence)
            incidents[name] = Incident(step, step)
        else:
            lost.append(seq)
    return IncidentRegister(incidents, tuple(attested), tuple(lost), frozenset(names), is_begun)


def taken(known: Incident, seq: int, at: datetime, body: OfIncident | None, evidence: tuple[Digest, ...]) -> Incident:
    """Return an incident after one more record; no body if it cannot be read."""
    match body:
        case IncidentFacts() if body.reason:
            step = Step(seq, at, body, evidence)
            return replace(known, told=step, corrections=(*known.corrections, step))
        case IncidentNote():
            return replace(known, notes=(*known.notes, Step(seq, at, body, evidence)))
        case IncidentReport():
            return replace(known, reports=_reported(known.reports, Step(seq, at, body, evidence)))
        case IncidentClosed() if known.is_open:
            return replace(known, closings=(*known.closings, Step(seq, at, body, evidence)))
        case IncidentReopened() if not known.is_open:
            return replace(known, reopenings=(*known.reopenings, Step(seq, at, body, evidence)))
        case _:  # what cannot be read, a second opening of the same id, a closing of what is closed
            return replace(known, lost=(*known.lost, seq))


def _reported(before: tuple[Step[IncidentReport], ...], new: Step[IncidentReport]) -> tuple[Step[IncidentReport], ...]:
    """Return the reports with one more: of the same kind and addressee the newest counts, or the first with the files of both."""
    of = (new.body.report, new.body.to)
    found: list[Step[IncidentReport]] = []
    is_there = False
    for step in before:
        if (step.body.report, step.body.to) != of:
            found.append(step)
            continue
        is_there = True
        same = replace(step, evidence=tuple(dict.fromkeys((*step.evidence, *new.evidence))))
        found.append(same if step.body == new.body else new)
    return tuple(found) if is_there else (*before, new)


def _attested(before: list[Step[IncidentsAttested]], new: Step[IncidentsAttested]) -> list[Step[IncidentsAttested]]:
    days = (new.body.first, new.body.last)
    others = [step for step in before if (step.body.first, step.body.last) != days]
    if new.body.withdrawn:
        return others
    same = [step for step in before if step.body == new.body]
    if same:
        evidence = tuple(dict.fromkeys((*same[-1].evidence, *new.evidence)))
        return [replace(step, evidence=evidence) if step is same[-1] else step for step in before]
    return [*before, new]


def read_incidents(ledger: LedgerReader, *, until: datetime | None = None) -> IncidentRegister:
    """Return the register as it was at a moment, or is now."""
    records: list[tuple[int, datetime, str, Body | None, tuple[Digest, ...]]] = []
    for record in ledger.records(kinds=INCIDENT_KINDS, until=until):
        key, body_type = KEYS[record.kind]
        body: Body | None = None
        evidence: tuple[Digest, ...] = ()
        try:
            data = ledger.blob(record.body)
            found = decode_part(data, key, body_type)
            if (
                found is not None
                and subject_of(found) == record.subject
                and _fits(record.kind, found)
                and _is_plain(found)
            ):
                body, evidence = found, tuple(sorted(one for one in evidence_of(data) if ledger.has_blob(one)))
        except PortalOpsError:
            body = None
        records.append((record.seq, record.at, record.subject, body, evidence))
    return fold_incidents(records)


def subject_of(body: Body) -> str:
    """Return what a record of this body is about: the incident's id, or the days that are attested."""
    return f"{body.first}/{body.last}" if isinstance(body, IncidentsAttested) else body.id


def _fits(kind: str, body: Body) -> bool:
    """Say whether a body is of its record's kind, and says nothing that cannot be."""
    match body:
        case IncidentFacts():
            return bool(body.reason) is (kind == CORRECTED) and body.began_at <= body.detected_at
        case IncidentsAttested():
            return body.first <= body.last
        case _:
            return True


def _is_plain(body: Body) -> bool:
    """Say whether its texts can be shown as they stand: none other is written."""
    texts: list[str] = []
    for each in fields(body):
        value = getattr(body, each.name)
        texts += (
            [value]
            if isinstance(value, str)
            else [one for one in value if isinstance(one, str)]
            if isinstance(value, tuple)
            else []
        )
    return all(text.isprintable() and len(text) <= MAX_TEXT for text in texts)


MAX_TEXT: Final = 1000
"""Longest text in a body; the commands take no longer one."""


# --- what an incident permits, and what is open at its end ---------------------------------------


def why_no_close(known: Incident, ended_at: datetime) -> Message | None:
    """Say why an incident cannot have been over at a moment, or cannot be closed; None if it can."""
    if (closed := known.closed) is not None:
        return msg("{id} is closed (record {seq})", id=known.id, seq=closed.seq)
    if ended_at < known.facts.began_at:
        return msg("{id} began at {began}, after {ended}", id=known.id, began=known.facts.began_at, ended=ended_at)
    return None


def is_undone(held: HeldCredential, facts: IncidentFacts, zone: ZoneInfo) -> bool:
    """Say whether a credential was neither changed, nor returned, nor made anew since the incident that it is tied to was noticed."""
    day = facts.detected_at.astimezone(zone).date()
    for step in held.steps:
        made: date | None = None
        if isinstance(step.body, CredentialRotation):
            made = step.body.rotated_on
        elif isinstance(step.body, Credential) and step.kind == ADDED:
            made = step.body.issued_on
        if made is not None and made >= day and step.at >= facts.detected_at:
            return False
    return held.is_active


def people_left(facts: IncidentFacts, register: CredentialRegister, day: date) -> tuple[str, ...]:
    """Return who of those that answer for an incident has left by a local day."""
    return tuple(name for name in facts.holders if register.has_left(name, day))


_END_WORDS: Mapping[str, Message] = {
    "cause": msg("the cause is not found out"),
    "lessons": msg("no lessons are named"),
    "full-report": msg("the full report was not sent"),
    "first-report": msg("no report was sent"),
    "unread": msg("records that it rests on cannot be read"),
}


def end_words(end: str) -> Message:
    """Return the sentence for something that was open when an incident was closed, as its record codes it."""
    what, _, name = end.partition(":")
    shown = show_text(name, 120)
    match what:
        case "credential":
            return msg("credential {id} was neither changed nor returned since", id=shown)
        case "finding":
            return msg("finding {id} is open", id=shown)
        case "change":
            return msg("change {id} is not closed", id=shown)
        case _:
            return _END_WORDS.get(end, verbatim(show_text(end, 120)))
