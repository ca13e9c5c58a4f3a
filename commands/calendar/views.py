"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import date

from commands.cli.shapes import shape
from portalops.calendar import Calendar
from portalops.model.message import msg
from portalops.reports.document import Status, Tone


@shape
class DayShape:
    """One day of the calendar."""

    id: str
    day: date
    working: bool
    """It is a working day of the public service."""
    reason: str
    """Why, in English; `document` says on whose word."""
    document: str
    """The decision or notice that settles it; empty where the rule for weekdays does."""


def day_status(calendar: Calendar, day: date) -> Status:
    if calendar.is_working(day):
        return Status(msg("working day"), Tone.NEUTRAL)
    return Status(msg("day off"), Tone.NEUTRAL)


def day_data(calendar: Calendar, day: date) -> DayShape:
    return DayShape(
        id=day.isoformat(),
        day=day,
        working=calendar.is_working(day),
        reason=str(calendar.reason(day)),
        document=calendar.document(day),
    )
