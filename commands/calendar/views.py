"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import date

from commands.cli.result import JsonValue
from portalops.calendar import Calendar
from portalops.model.message import msg
from portalops.reports.document import Status, Tone


def day_status(calendar: Calendar, day: date) -> Status:
    if calendar.is_working(day):
        return Status(msg("working day"), Tone.NEUTRAL)
    return Status(msg("day off"), Tone.NEUTRAL)


def day_data(calendar: Calendar, day: date) -> dict[str, JsonValue]:
    return {
        "day": day.isoformat(),
        "working": calendar.is_working(day),
        "reason": str(calendar.reason(day)),
        "document": calendar.document(day),
    }
