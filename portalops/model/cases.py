"""Cases: what was done about a unit that fell short in a week (Article 11.3), from its detection to its end.

One case is of one unit, one duty and one week. A unit is heard before its case is opened: the hearing is found by the rules, and
counts for nothing until the unit's time to answer is over. Each move is a record of its own, and none is taken back: a mistake
is put right by a further move.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NewType

from portalops.model.message import Message
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Digest
from portalops.model.values import dataclass

CaseId = NewType("CaseId", str)


class CaseDuty(StrEnum):
    """What was not done."""

    PORTAL = "11.1"
    """The managing unit itself did not update the portal on a working day: it has cases as every other unit has."""
    SUBPORTAL = "11.2-subportals"
    """K1."""
    SUBMISSION = "11.2-submissions"
    """K2."""


class CaseState(StrEnum):
    """Where a case stands."""

    HEARING = "hearing"
    """Found, and the unit is asked before a case is opened (nghe ý kiến): it counts for nothing yet."""
    DETECTED = "detected"
    """Phát hiện."""
    AWAITING = "awaiting-explanation"
    """Reminded (nhắc nhở), and waiting for an explanation (chờ giải trình)."""
    EXPLAINED = "explained"
    """Explained, and waiting for a decision on it."""
    ACCEPTED = "accepted"
    """Chấp nhận giải trình."""
    REJECTED = "rejected"
    """Không chấp nhận giải trình, or no explanation came in time."""
    REMEDIED = "remedied"
    """Khắc phục."""
    CLOSED = "closed"
    """Đóng."""


class CaseStep(StrEnum):
    """What a move does; the record's kind is `case.` and this."""

    HEARD = "hearing"
    """A week was found short, and the unit is to be asked before its case is opened."""
    OPENED = "opened"
    REMINDED = "reminded"
    EXPLAINED = "explained"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REMEDIED = "remedied"
    CLOSED = "closed"
    REOPENED = "reopened"
    TO_DEPARTMENT = "to-department"
    """Báo cáo Sở."""
    TO_COMMITTEE = "to-committee"
    """Báo cáo UBND tỉnh."""
    DOCUMENT = "document"
    """The number and date that a paper was given after it was signed (Decree 30/2020/NĐ-CP, Article 15)."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of a case, in or out."""

    number: str
    """Number and sign, such as `12/CV-TTTT`; empty while it has none."""
    issued_on: date | None = None
    subject: str = ""
    file: Digest | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What was found when a case was opened: all of it is in the record that is named."""

    judged_seq: int
    """The `updates.finished` record that holds the verdict."""
    required: int
    """Occasions due; for the portal, working days judged unmet."""
    seen: int
    """Occasions seen; for the portal, 0."""
    reason: Message
    days: tuple[date, ...] = ()
    """Of the portal: the working days without an update."""


@dataclass(frozen=True, slots=True)
class CaseMove:
    """One move: the body of a `case.*` record, under the key `case`."""

    unit: UnitId
    """Whose case; for the portal's own duty, `portal`."""
    duty: CaseDuty
    week: Week
    step: CaseStep
    reason: str = ""
    """The reason, in the words of the person who moved it; untrusted text."""
    by: str = ""
    """Who decided; empty for a move by the rules."""
    why: Message | None = None
    """Of a move by the rules."""
    paper: Paper | None = None
    shortfall: Shortfall | None = None
    """Of HEARD, OPENED and REOPENED."""
    answer_until: date | None = None
    """Of REMINDED: the last day to answer, as the calendar was then; no later calendar makes it earlier. None in older records."""

    @property
    def id(self) -> CaseId:
        """Return the id of its case, such as `2026-W47/so-y-te/11.2-submissions`."""
        return case_id(self.unit, self.duty, self.week)


def case_id(unit: UnitId, duty: CaseDuty, week: Week) -> CaseId:
    """Return a case's id: a unit, a duty and a week have one case, however often it is found."""
    return CaseId(f"{week}/{unit}/{duty.value}")


def parse_case_id(text: str) -> tuple[UnitId, CaseDuty, Week]:
    """Return the unit, the duty and the week of a case's id.

    Raises:
        ValueError: it is not one.
    """
    week, unit, duty = text.split("/")
    if not unit:
        raise ValueError(f"a case is of a unit: {text}")
    return UnitId(unit), CaseDuty(duty), Week.parse(week)


THE_PORTAL = UnitId("portal")
"""The unit of cases against the managing unit itself; no configured unit may have this id."""

_OPEN_OR_OVER = frozenset(CaseState) - {CaseState.HEARING}

ALLOWED: dict[CaseStep, frozenset[CaseState]] = {
    CaseStep.HEARD: frozenset({CaseState.CLOSED}),
    CaseStep.OPENED: frozenset({CaseState.HEARING}),
    CaseStep.REMINDED: frozenset({CaseState.HEARING, CaseState.DETECTED, CaseState.REJECTED}),
    CaseStep.EXPLAINED: frozenset({CaseState.HEARING, CaseState.DETECTED, CaseState.AWAITING, CaseState.REJECTED}),
    CaseStep.ACCEPTED: frozenset({CaseState.EXPLAINED}),
    CaseStep.REJECTED: frozenset({CaseState.EXPLAINED, CaseState.AWAITING}),
    CaseStep.REMEDIED: frozenset({CaseState.DETECTED, CaseState.AWAITING, CaseState.EXPLAINED, CaseState.REJECTED}),
    CaseStep.CLOSED: frozenset(CaseState) - {CaseState.CLOSED},
    CaseStep.REOPENED: frozenset({CaseState.CLOSED}),
    CaseStep.TO_DEPARTMENT: _OPEN_OR_OVER,
    CaseStep.TO_COMMITTEE: _OPEN_OR_OVER,
    CaseStep.DOCUMENT: frozenset(CaseState),
}
"""From which states a move may be made: a closed case too is reported upwards. HEARD and OPENED also make one that is not there."""

BEGINS: frozenset[CaseStep] = frozenset({CaseStep.HEARD, CaseStep.OPENED})
"""What the first move of a case may be: the managing unit hears itself at once, and so did older records with every unit."""

CLOSED_BY_PEOPLE: frozenset[CaseState] = frozenset({CaseState.ACCEPTED, CaseState.REJECTED, CaseState.REMEDIED})
"""From which states a person closes a case: the unit was heard, or let its days pass. The rules close from any."""

LEADS_TO: dict[CaseStep, CaseState] = {
    CaseStep.HEARD: CaseState.HEARING,
    CaseStep.OPENED: CaseState.DETECTED,
    CaseStep.REOPENED: CaseState.DETECTED,
    CaseStep.REMINDED: CaseState.AWAITING,
    CaseStep.EXPLAINED: CaseState.EXPLAINED,
    CaseStep.ACCEPTED: CaseState.ACCEPTED,
    CaseStep.REJECTED: CaseState.REJECTED,
    CaseStep.REMEDIED: CaseState.REMEDIED,
    CaseStep.CLOSED: CaseState.CLOSED,
}
"""What a move makes of a case; the others leave it where it is. A hearing stays one until it is opened or closed."""
