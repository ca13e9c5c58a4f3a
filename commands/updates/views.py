"""What the verbs of this noun show alike."""

from __future__ import annotations

from commands.cli.result import JsonValue
from commands.cli.session import Session
from commands.updates.steps import exemption_remarks
from portalops.model.updates import UnitWeek
from portalops.registers.exemptions import RecordedExemption


def exemption_data(each: RecordedExemption, session: Session) -> dict[str, JsonValue]:
    one = each.exemption
    return {
        "id": one.id,
        "unit": one.unit,
        "scopes": [scope.value for scope in one.scopes],
        "kind": one.kind.value,
        "from": one.first.isoformat(),
        "to": one.last.isoformat(),
        "document": one.document,
        "approver": one.approver,
        "withdrawn_at": each.withdrawn_at.isoformat() if each.withdrawn_at else None,
        "remarks": [str(remark) for remark in exemption_remarks(session, each)],
        "record": each.seq,
    }


def week_data(week: UnitWeek, *, with_id: bool = False) -> dict[str, JsonValue]:
    own: dict[str, JsonValue] = {"id": f"{week.unit}/{week.week}", "unit": week.unit} if with_id else {}
    return {
        **own,
        "week": str(week.week),
        "verdict": week.verdict.value,
        "reason": str(week.reason),
        "required": week.required,
        "subportal_required": week.due_on_subportal,
        "submissions_required": week.due_to_send,
        "subportal": week.subportal,
        "submissions": week.submissions,
        "subportal_verdict": week.subportal_verdict.value,
        "submissions_verdict": week.submissions_verdict.value,
        "subportal_reason": str(week.subportal_reason) if week.subportal_reason else None,
        "submissions_reason": str(week.submissions_reason) if week.submissions_reason else None,
        "pending": week.pending,
        "working_days": week.working_days,
        "coverage_percent": week.coverage_percent,
        "unseen_hours": week.unseen_hours,
        "unreachable": [day.isoformat() for day in week.unreachable],
        "exemptions": list(week.exemptions),
    }
