"""Incidents of the portal, above all with administrative access: when, whose, who was notified, why, what was learnt (Article 12.5).

Of times there are two sorts, and they are never mixed: what people say (`happened_at`, `sent_at`), and when a record was made,
which nobody can move. That a report was in time is shown by its record alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.rulebook import Numbers
from portalops.model.values import dataclass
from portalops.model.verdicts import Severity


class IncidentKind(StrEnum):
    """What sort of incident it is."""

    CREDENTIAL = "credential"
    """Administrative access was lost, disclosed or misused, or it is not known whose it was."""
    INTRUSION = "intrusion"
    """Somebody was in a system without right."""
    MALWARE = "malware"
    DEFACEMENT = "defacement"
    """What the portal shows was changed by a stranger."""
    DATA_LEAK = "data-leak"
    DATA_LOSS = "data-loss"
    DENIAL = "denial-of-service"
    OUTAGE = "outage"
    """Power, hardware, software or network failed."""
    OTHER = "other"


class ReportKind(StrEnum):
    """Which of the two reports that are due."""

    FIRST = "first"
    FULL = "full"
    """With cause, effects and counter-measures; one that comes early enough is the first as well."""


REPORT_WORDS: Mapping[ReportKind, Message] = {
    ReportKind.FIRST: msg("first report"),
    ReportKind.FULL: msg("full report"),
}


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """The body of an `incident.opened` or `incident.corrected` record, under the key `incident`: all that is known of one."""

    id: str
    """Made by portalops: `IN-`, the local year, and a number."""
    what: str
    kind: IncidentKind
    severity: Severity
    detected_at: datetime
    """When somebody noticed it: the time limits of the reports run from here."""
    by: str
    """Who records it."""
    happened_at: datetime | None = None
    """When it began; None as long as nobody knows."""
    affected: str = ""
    """What was affected, and how; empty as long as it is not said."""
    holders: tuple[str, ...] = ()
    """Who answers for it: members, by the names that the configuration has."""
    credentials: tuple[str, ...] = ()
    """Ids of the register of credentials."""
    hosts: tuple[HostId, ...] = ()
    changes: tuple[str, ...] = ()
    """Ids of the register of changes."""
    findings: tuple[str, ...] = ()
    """`HOST:CHECK`."""
    cases: tuple[str, ...] = ()
    """Ids of cases of Article 11.3."""
    cause: str = ""
    """The root cause; this and the next two empty as long as nothing is said."""
    measures: str = ""
    """What was done so that it does not happen again."""
    lessons: str = ""
    reason: str = ""
    """Of a correction: why."""

    @property
    def began_at(self) -> datetime:
        """Return when it began, as far as is known: at the latest when it was detected."""
        return self.happened_at or self.detected_at


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """The body of an `incident.noted` record, under the key `note`."""

    id: str
    at: datetime
    """When the reported event took place."""
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """The body of an `incident.reported` record, under the key `incident_report`: a report on it went out."""

    id: str
    report: ReportKind
    to: str
    sent_at: datetime
    document: str
    """Number and date of the paper."""
    how: str
    """By which way, such as the administration's own mail."""
    by: str


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """The body of an `incident.closed` record, under the key `incident_closed`."""

    id: str
    ended_at: datetime
    """When it was over."""
    cause: str
    """This and the next two as they are at its end, whatever was said before; empty if nothing is."""
    measures: str
    lessons: str
    by: str
    open_ends: tuple[str, ...] = ()
    """What was missing or undone when it was closed anyway, coded: `cause`, `full-report`, `credential:web1-an`, ..."""
    reason: str = ""
    """Why it was closed anyway."""


@dataclass(frozen=True, slots=True)
class IncidentReopened:
    """The body of an `incident.reopened` record, under the key `incident_reopened`."""

    id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class IncidentsAttested:
    """The body of an `incident.attested` record, under the key `attestation`.

    A named person says of some days that every incident they know of is in the register. That none is recorded shows nothing.
    """

    first: date
    last: date
    """Local days, both included."""
    by: str
    document: str = ""
    """Number and date of the paper."""
    reason: str = ""
    """Of a withdrawal: why."""
    withdrawn: bool = False
    """It takes back what was attested of exactly these days."""


# --- whether a report was in time ---------------------------------------------------------------


class ReportTimeliness(StrEnum):
    """How a report that is due stands."""

    IN_TIME = "in-time"
    """Recorded within the limit, the paper kept by its digest."""
    UNPROVEN = "unproven"
    """In time by what is said; recorded later, or the paper is not kept."""
    LATE = "late"
    """Sent after the limit, by what is said itself."""
    DUE = "due"
    """Not sent; there is still time."""
    OVERDUE = "overdue"
    """Not sent, and the limit is past."""


@dataclass(frozen=True, slots=True)
class ReportSending:
    """What a record shows of one report."""

    report: ReportKind
    sent_at: datetime
    recorded_at: datetime
    seq: int
    is_kept: bool
    """The paper is kept by its digest."""


@dataclass(frozen=True, slots=True)
class ReportStanding:
    """How one of the two reports of an incident stands."""

    report: ReportKind
    due_at: datetime
    timeliness: ReportTimeliness
    sent: ReportSending | None = None
    """The best of those that were sent."""
    noticed_before: datetime | None = None
    """What a record said of the noticing before it was corrected to a later time, if the report was not in time by that."""
    noticing_lost: int | None = None
    """A record that may have said an earlier noticing, and cannot be read any more."""


def due_at(facts: IncidentFacts, report: ReportKind, numbers: Numbers) -> datetime:
    """Return until when a report is due.

    No article of the regulation names a number: see `Numbers.incident_first_report_hours`.
    """
    hours = numbers.incident_first_report_hours if report is ReportKind.FIRST else numbers.incident_full_report_hours
    return facts.detected_at + timedelta(hours=hours)


def report_standing(
    facts: IncidentFacts, report: ReportKind, sent: Iterable[ReportSending], numbers: Numbers, now: datetime
) -> ReportStanding:
    """Say whether a report was sent in time, as of now; a full report does for the first one too."""
    limit = due_at(facts, report, numbers)
    best: ReportStanding | None = None
    for one in sent:
        if one.report is not report and one.report is not ReportKind.FULL:
            continue
        if one.sent_at > limit:
            found = ReportTimeliness.LATE
        elif one.recorded_at <= limit and one.is_kept:
            found = ReportTimeliness.IN_TIME
        else:
            found = ReportTimeliness.UNPROVEN
        if best is None or _BEST_FIRST.index(found) < _BEST_FIRST.index(best.timeliness):
            best = ReportStanding(report, limit, found, one)
    if best is not None:
        return best
    return ReportStanding(report, limit, ReportTimeliness.OVERDUE if now > limit else ReportTimeliness.DUE)


_BEST_FIRST = (ReportTimeliness.IN_TIME, ReportTimeliness.UNPROVEN, ReportTimeliness.LATE)
