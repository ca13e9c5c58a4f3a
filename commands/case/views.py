"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import date

from commands.cli.result import JsonValue
from portalops.compliance.handling import STEP_WORDS, Due, Escalation
from portalops.model.message import Message, msg
from portalops.registers.cases import Case


def due_sentence(due: Due | None, today: date) -> Message | None:
    if due is None:
        return None
    if due.is_late(today):
        return msg("{step} by {day}, overdue", step=STEP_WORDS[due.step], day=due.by)
    return msg("{step} by {day}", step=STEP_WORDS[due.step], day=due.by)


def escalation_sentence(one: Escalation, today: date) -> Message:
    if one.is_done:
        return msg("{step}: done ({reason})", step=STEP_WORDS[one.step], reason=one.reason)
    if today > one.by:
        return msg("{step} by {day}, overdue: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)
    return msg("{step} by {day}: {reason}", step=STEP_WORDS[one.step], day=one.by, reason=one.reason)


def case_data(case: Case, due: Due | None, raised: list[Escalation] | tuple[Escalation, ...]) -> dict[str, JsonValue]:
    return {
        "id": case.id,
        "unit": case.unit,
        "duty": case.duty.value,
        "week": str(case.week),
        "state": case.state.value,
        "due": due.step.value if due else None,
        "due_on": due.by.isoformat() if due else None,
        "upwards": [
            {"step": one.step.value, "by": one.by.isoformat(), "reason": str(one.reason), "done": one.is_done}
            for one in raised
        ],
    }
