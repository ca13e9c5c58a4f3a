"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from commands.cli.session import Session
from commands.cli.shapes import shape
from portalops.compliance.handling import STEP_WORDS, Due, Escalation, Handling, late_answer, next_due
from portalops.model.cases import CaseDuty, CaseId, CaseState, CaseStep
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.registers.cases import Case


def handling_of(session: Session) -> Handling:
    """Return by what cases are handled today."""
    return Handling(session.rulebook.numbers, session.calendar, session.zone_of_portal, session.today)


def limit_doubts(handling: Handling, limits: Iterable[Due | None]) -> tuple[Message, ...]:
    """Say which working days from today, or from the earliest end of a time limit, to the latest an official notice may still change."""
    ends = [due.by for due in limits if due is not None]
    return handling.calendar.warnings(Period(min(handling.today, *ends), max(ends))) if ends else ()


@shape
class ShownEscalation:
    """A report about a case to the Department or to the Committee."""

    step: CaseStep
    by: date
    """The last day on which it is in time."""
    reason: str
    done: bool


@shape
class ShownCase:
    """One case: a unit, a duty and a week."""

    id: CaseId
    unit: UnitId
    duty: CaseDuty
    week: str
    """In the form 2026-W47."""
    state: CaseState
    due: CaseStep | None
    """The step that is due next."""
    due_on: date | None
    """The last day on which that step is in time."""
    answered_late: bool
    """The unit's answer was recorded after its last day."""
    upwards: tuple[ShownEscalation, ...]


class CaseFields(TypedDict):
    """The fields of `ShownCase`, to fill a shape that has more."""

    id: CaseId
    unit: UnitId
    duty: CaseDuty
    week: str
    state: CaseState
    due: CaseStep | None
    due_on: date | None
    answered_late: bool
    upwards: tuple[ShownEscalation, ...]


def due_sentence(due: Due | None, today: date) -> Message | None:
    if due is None:
        return None
    if due.is_late(today):
        return msg("{step} by {day}, overdue", step=STEP_WORDS[due.step], day=due.by)
    return msg("{step} by {day}", step=STEP_WORDS[due.step], day=due.by)


def late_answer_warning(case: Case, handling: Handling) -> tuple[Message, ...]:
    """Say that a unit's answer came after its last day."""
    late = late_answer(case, handling)
    if late is None:
        return ()
    return (msg("the answer to case {case} is late: it was due by {day}", case=case.id, day=late.by),)


def escalation_sentence(one: Escalation, today: date) -> Message:
    if one.is_done:
        return msg("{step}: done ({reason})", step=STEP_WORDS[one.step], reason=one.reason)
    if today > one.by:
        return msg("{step} by {day}, overdue: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)
    return msg("{step} by {day}: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)


def case_fields(case: Case, handling: Handling, raised: Iterable[Escalation]) -> CaseFields:
    """Return a case as data, with the reports upwards that it calls for."""
    due = next_due(case, handling)
    return {
        "id": case.id,
        "unit": case.unit,
        "duty": case.duty,
        "week": str(case.week),
        "state": case.state,
        "due": due.step if due else None,
        "due_on": due.by if due else None,
        "answered_late": late_answer(case, handling) is not None,
        "upwards": tuple(ShownEscalation(one.step, one.by, str(one.reason), one.is_done) for one in raised),
    }
