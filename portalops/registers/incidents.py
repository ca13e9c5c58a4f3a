"""The register of incidents: the records `incident.*`, folded. Each state names the record that made it so.

Nothing is edited. A correction says the whole anew, and the newest counts; a report that is recorded again takes the place of
the one before from its own record on, and one that says the same adds the file that was missing. A document that is not there
any more is not kept: its step is on record without it. That nothing is recorded of some days shows nothing: for that a named
person attests them, and an incident that comes to be recorded later takes it back.

What cannot be read, or was erased, leaves the register in doubt until a later record says the whole of it anew (`REPORTED_ANEW`).
That makes nothing better than it may have been: what may have been noticed earlier by the lost record was reported in time by
nobody's proof, speaks against each attestation before it, and a lost closing may have had open ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, fields, replace
from datetime import date, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from portalops.bodies import decode_part, evidence_of
from portalops.errors import PortalOpsError
from portalops.model.credentials import Credential, CredentialRotation
from portalops.model.incidents import (
    REPORT_WORDS,
    IncidentClosed,
    IncidentFacts,
    IncidentNote,
    IncidentReopened,
    IncidentReport,
    IncidentsAttested,
    IncidentState,
    ReportKind,
    ReportSending,
    ReportStanding,
    ReportTimeliness,
    report_standing,
)
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.rulebook import Numbers
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.changes import ChangeStep
from portalops.registers.credentials import ADDED, CredentialRegister, HeldCredential

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


FACTS: Final = frozenset({OPENED, CORRECTED})
"""Kinds of records that say the whole of an incident."""
REPORTED_ANEW: Final[Mapping[type[OfIncident], frozenset[str]]] = {
    IncidentFacts: FACTS | {NOTED},
    IncidentNote: frozenset({NOTED}),
    IncidentReport: frozenset({REPORTED}),
    IncidentClosed: frozenset({CLOSED, REOPENED}),
    IncidentReopened: frozenset({CLOSED, REOPENED}),
}
"""By what a later record of an incident says: which kinds of lost records it takes the place of."""


@dataclass(frozen=True, slots=True)
class UnreadIncidentRecord:
    """What stands for the details of a record that cannot be read; the chain shows its kind all the same."""

    kind: str


@dataclass(frozen=True, slots=True)
class LostIncidentRecord:
    """A record of an incident whose details cannot be read, or that does not fit what was before."""

    seq: int
    at: datetime
    kind: str
    said_anew: int = 0
    """The later record that says the whole of it anew; 0 as long as none does."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, with the records that made it what it is."""

    opened: ChangeStep[IncidentFacts]
    """What was said at first; the oldest that can be read, under the number of the lost record that opened it."""
    told: ChangeStep[IncidentFacts]
    """What counts of it now: the newest correction, or what was said at first."""
    corrections: tuple[ChangeStep[IncidentFacts], ...] = ()
    notes: tuple[ChangeStep[IncidentNote], ...] = ()
    reports: tuple[ChangeStep[IncidentReport], ...] = ()
    """One for each kind and addressee, in the order in which they were first recorded."""
    replaced: tuple[tuple[ChangeStep[IncidentReport], int], ...] = ()
    """Reports in whose place another one was recorded, with that one's record."""
    closings: tuple[ChangeStep[IncidentClosed], ...] = ()
    reopenings: tuple[ChangeStep[IncidentReopened], ...] = ()
    gaps: tuple[LostIncidentRecord, ...] = ()
    """Its lost records, whether or not a later one says anew what was in them."""

    @property
    def lost(self) -> tuple[int, ...]:
        """Return its lost records that no later one says anew."""
        return tuple(gap.seq for gap in self.gaps if not gap.said_anew)

    @property
    def lost_facts(self) -> tuple[LostIncidentRecord, ...]:
        """Return its lost records that may have said that it was noticed at another time."""
        return tuple(gap for gap in self.gaps if gap.kind in FACTS)

    @property
    def is_state_known(self) -> bool:
        """Say whether no lost record may have closed it, or opened it again, since."""
        return all(gap.said_anew or gap.kind not in {CLOSED, REOPENED} for gap in self.gaps)

    @property
    def id(self) -> str:
        """Return its id."""
        return self.opened.body.id

    @property
    def facts(self) -> IncidentFacts:
        """Return what is known of it now."""
        return self.told.body

    @property
    def closed(self) -> ChangeStep[IncidentClosed] | None:
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
        steps: tuple[
            ChangeStep[IncidentFacts]
            | ChangeStep[IncidentReport]
            | ChangeStep[IncidentClosed]
            | ChangeStep[IncidentReopened],
            ...,
        ]
        steps = (self.opened, self.told, *self.reports, *self.closings[-1:], *self.reopenings[-1:])
        return tuple(sorted({step.seq for step in steps if step.seq}))

    def sent(self) -> tuple[ReportSending, ...]:
        """Return what the records show of its reports."""
        return tuple(
            ReportSending(step.body.report, step.body.sent_at, step.at, step.seq, bool(step.evidence))
            for step in self.reports
        )

    def standing(self, report: ReportKind, numbers: Numbers, now: datetime) -> ReportStanding:
        """Say how one of its two reports stands, as of now.

        Who corrects the noticing to a later time makes nothing in time by it that was not before: that stays unproven, and so
        it does where a lost record may have said an earlier one.
        """
        found = report_standing(self.facts, report, self.sent(), numbers, now)
        if found.timeliness is ReportTimeliness.IN_TIME:
            if self.lost_facts:
                return replace(found, timeliness=ReportTimeliness.UNPROVEN, noticing_lost=self.lost_facts[0].seq)
            for step in (self.opened, *self.corrections):
                before = report_standing(step.body, report, self.sent(), numbers, now)
                if step.body.detected_at < self.facts.detected_at and before.timeliness is not ReportTimeliness.IN_TIME:
                    return replace(found, timeliness=ReportTimeliness.UNPROVEN, noticed_before=step.body.detected_at)
        return found

    def noticed_on(self, zone: ZoneInfo) -> frozenset[date]:
        """Return the local days on which it was noticed, by any of its records."""
        return frozenset(step.body.detected_at.astimezone(zone).date() for step in (self.opened, *self.corrections))

    def counted_on(self, zone: ZoneInfo) -> frozenset[date]:
        """Return the local days in whose periods it counts: on which it was noticed, by any of its records, or first recorded.

        A noticing may be said to lie as long ago as anybody likes, in a period of which no report is made any more.
        """
        return self.noticed_on(zone) | {self.opened.at.astimezone(zone).date()}


@dataclass(frozen=True, slots=True)
class IncidentRegister:
    """All incidents, by id, in the order in which they were opened, and who attested which days."""

    incidents: Mapping[str, Incident] = field(default_factory=dict)
    attested: tuple[ChangeStep[IncidentsAttested], ...] = ()
    """What holds of it, oldest first: nothing that was taken back."""
    lost: tuple[int, ...] = ()
    """Records that are of no incident that can be read, and that no later one says anew."""
    unopened: frozenset[str] = frozenset()
    """Incidents whose opening cannot be read, until a correction says the whole of them."""
    names: frozenset[str] = frozenset()
    """Every id that a record bears, whether it can be read or not."""
    is_begun: bool = False
    """There is any record at all."""

    def every_lost(self) -> tuple[int, ...]:
        """Return every record that cannot be read, of whatever incident."""
        return tuple(sorted({*self.lost, *(seq for each in self.incidents.values() for seq in each.lost)}))

    def find_by_host(self, host: HostId) -> tuple[Incident, ...]:
        """Return the incidents that are tied to a host."""
        return tuple(each for each in self.incidents.values() if host in each.facts.hosts)

    def attested_on(self, day: date, zone: ZoneInfo) -> ChangeStep[IncidentsAttested] | None:
        """Return the attestation of a local day that nothing contradicts: the newest whose paper is kept, else the newest.

        One that was recorded before the day was over says nothing of its rest.
        """
        found = [
            step
            for step in self.attested
            if step.body.first <= day <= step.body.last
            and not _is_early(step, day, zone)
            and not self.find_contradicting(step, zone)
        ]
        return max(found, key=lambda step: (bool(step.evidence), step.seq), default=None)

    def find_contradicting(self, step: ChangeStep[IncidentsAttested], zone: ZoneInfo) -> tuple[Incident, ...]:
        """Return the incidents that were noticed in the attested days, or may have been, and recorded only after the attestation.

        A lost record may have named any day up to its own.
        """
        return tuple(
            each
            for each in self.incidents.values()
            if each.opened.seq > step.seq
            and (
                any(step.body.first <= day <= step.body.last for day in each.noticed_on(zone))
                or any(step.body.first <= gap.at.astimezone(zone).date() for gap in each.lost_facts)
            )
        )


Recorded: TypeAlias = "tuple[int, datetime, str, Body | UnreadIncidentRecord, tuple[Digest, ...]]"
"""Number, time, subject, body and kept documents of a record."""


def fold_incidents(records: Iterable[Recorded]) -> IncidentRegister:
    """Return the register.

    Args:
        records: oldest first; those whose details cannot be read with their kind alone.
    """
    incidents: dict[str, Incident] = {}
    attested: list[ChangeStep[IncidentsAttested]] = []
    unopened: dict[str, list[Recorded]] = {}
    lost: dict[int, str] = {}
    names: set[str] = set()
    is_begun = False
    for each in records:
        seq, at, name, body, evidence = each
        is_begun = True
        names.add(name)
        known = incidents.get(name)
        if isinstance(body, IncidentsAttested):
            attested = _attested(attested, ChangeStep(seq, at, body, evidence))
            lost = {number: days for number, days in lost.items() if days != name}
        elif known is not None:
            incidents[name] = taken(known, seq, at, body, evidence)
        elif name in unopened:
            unopened[name].append(each)
            if isinstance(body, IncidentFacts) and body.reason:
                incidents[name] = _opened_anew(unopened.pop(name), ChangeStep(seq, at, body, evidence))
        elif isinstance(body, IncidentFacts) and not body.reason:
            step = ChangeStep(seq, at, body, evidence)
            incidents[name] = Incident(step, step)
        elif isinstance(body, UnreadIncidentRecord) and body.kind == OPENED:
            unopened[name] = [each]
        else:
            lost[seq] = name
    left = sorted({*lost, *(each[0] for rows in unopened.values() for each in rows)})
    return IncidentRegister(incidents, tuple(attested), tuple(left), frozenset(unopened), frozenset(names), is_begun)


def taken(
    known: Incident, seq: int, at: datetime, body: OfIncident | UnreadIncidentRecord, evidence: tuple[Digest, ...]
) -> Incident:
    """Return an incident after one more record."""
    after: Incident | None = None
    match body:
        case IncidentFacts() if body.reason:
            step = ChangeStep(seq, at, body, evidence)
            after = replace(known, told=step, corrections=(*known.corrections, step))
        case IncidentNote():
            after = replace(known, notes=(*known.notes, ChangeStep(seq, at, body, evidence)))
        case IncidentReport():
            reports = _reported(known.reports, ChangeStep(seq, at, body, evidence))
            kept = {step.seq for step in reports}
            gone = tuple((step, seq) for step in known.reports if step.seq not in kept)
            after = replace(known, reports=reports, replaced=(*known.replaced, *gone))
        case IncidentClosed() if known.is_open or not known.is_state_known:
            after = replace(known, closings=(*known.closings, ChangeStep(seq, at, body, evidence)))
        case IncidentReopened() if not known.is_open or not known.is_state_known:
            after = replace(known, reopenings=(*known.reopenings, ChangeStep(seq, at, body, evidence)))
        case _:  # what cannot be read, a second opening of the same id, a closing of what is closed
            pass
    if after is None or isinstance(body, UnreadIncidentRecord):
        return replace(known, gaps=(*known.gaps, LostIncidentRecord(seq, at, _kind_of(body))))
    return _settled(after, seq, REPORTED_ANEW[type(body)])


def _settled(known: Incident, seq: int, kinds: frozenset[str]) -> Incident:
    """Return an incident of which a record says anew what lost ones of some kinds said."""
    gaps = tuple(replace(gap, said_anew=seq) if gap.kind in kinds and not gap.said_anew else gap for gap in known.gaps)
    return replace(known, gaps=gaps)


def _kind_of(body: OfIncident | UnreadIncidentRecord) -> str:
    if isinstance(body, UnreadIncidentRecord):
        return body.kind
    if isinstance(body, IncidentFacts):
        return CORRECTED if body.reason else OPENED
    return next(kind for kind, (_key, body_type) in KEYS.items() if isinstance(body, body_type))


def _opened_anew(rows: list[Recorded], whole: ChangeStep[IncidentFacts]) -> Incident:
    """Return an incident whose opening is lost, from the correction that says the whole of it; what came between is taken up."""
    seq, at, _name, _body, _evidence = rows[0]
    found = Incident(
        ChangeStep(seq, at, whole.body), whole, (whole,), gaps=(LostIncidentRecord(seq, at, OPENED, whole.seq),)
    )
    for number, moment, _subject, body, evidence in rows[1:-1]:
        assert not isinstance(body, IncidentsAttested), "it is of an incident"
        found = taken(found, number, moment, body, evidence)
    return _settled(found, whole.seq, REPORTED_ANEW[IncidentFacts])


def _reported(
    before: tuple[ChangeStep[IncidentReport], ...], new: ChangeStep[IncidentReport]
) -> tuple[ChangeStep[IncidentReport], ...]:
    """Return the reports with one more: of the same kind and addressee the newest counts, or the first with the files of both."""
    of = (new.body.report, new.body.to)
    found: list[ChangeStep[IncidentReport]] = []
    is_there = False
    for step in before:
        if (step.body.report, step.body.to) != of:
            found.append(step)
            continue
        is_there = True
        same = replace(step, evidence=tuple(dict.fromkeys((*step.evidence, *new.evidence))))
        found.append(same if step.body == new.body else new)
    return tuple(found) if is_there else (*before, new)


def _attested(
    before: list[ChangeStep[IncidentsAttested]], new: ChangeStep[IncidentsAttested]
) -> list[ChangeStep[IncidentsAttested]]:
    days = (new.body.first, new.body.last)
    others = [step for step in before if (step.body.first, step.body.last) != days]
    if new.body.withdrawn:
        return others
    if (
        new.evidence
    ):  # said once more with its paper: it speaks from this record on, also of what was recorded in between
        return [*(step for step in before if step.body != new.body), new]
    return [*before, new]


def read_incidents(ledger: LedgerReader, *, until: datetime | None = None) -> IncidentRegister:
    """Return the register as it was at a moment, or is now."""
    records: list[Recorded] = []
    for record in ledger.records(kinds=INCIDENT_KINDS, until=until):
        key, body_type = KEYS[record.kind]
        body: Body | UnreadIncidentRecord = UnreadIncidentRecord(record.kind)
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
            body = UnreadIncidentRecord(record.kind)
        records.append((record.seq, record.at, record.subject, body, evidence))
    return fold_incidents(records)


def first_day_not_over(step: ChangeStep[IncidentsAttested], zone: ZoneInfo) -> date | None:
    """Return the first attested day that was not over when it was attested; None where each was."""
    day = max(step.body.first, step.at.astimezone(zone).date())
    return day if day <= step.body.last else None


def _is_early(step: ChangeStep[IncidentsAttested], day: date, zone: ZoneInfo) -> bool:
    first = first_day_not_over(step, zone)
    return first is not None and first <= day


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


def due_reports(register: IncidentRegister, numbers: Numbers, now: datetime) -> tuple[Message, ...]:
    """Return a sentence for each report of an open incident that is still to be sent, the most urgent first."""
    found: list[tuple[datetime, Message]] = []
    for each in register.incidents.values():
        for report in ReportKind if each.is_open else ():
            standing = each.standing(report, numbers, now)
            which, due = REPORT_WORDS[report], standing.due_at
            if standing.timeliness is ReportTimeliness.DUE:
                found.append(
                    (due, msg("incident {id}: the {report} is due by {due}", id=each.id, report=which, due=due))
                )
            elif standing.timeliness is ReportTimeliness.OVERDUE:
                text = msg(
                    "incident {id}: the {report} was due by {due} but was not sent", id=each.id, report=which, due=due
                )
                found.append((due, text))
    return tuple(text for _due, text in sorted(found, key=lambda one: one[0]))


def refuse_close(known: Incident, ended_at: datetime) -> Message | None:
    """Say why an incident cannot have been over at a moment, or cannot be closed; None if it can."""
    if (closed := known.closed) is not None and known.is_state_known:
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
    "cause": msg("the cause is not known"),
    "lessons": msg("no lessons are named"),
    "full-report": msg("the full report was not sent"),
    "first-report": msg("no report was sent"),
    "unread": msg("records that it depends on cannot be read"),
}


def end_words(end: str) -> Message:
    """Return the sentence for something that was open when an incident was closed, as its record codes it."""
    what, _, name = end.partition(":")
    shown = show_text(name, 120)
    match what:
        case "credential":
            return msg("credential {id} has neither been changed nor returned since then", id=shown)
        case "finding":
            return msg("finding {id} is open", id=shown)
        case "change":
            return msg("change {id} is not closed", id=shown)
        case _:
            return _END_WORDS.get(end, verbatim(show_text(end, 120)))
