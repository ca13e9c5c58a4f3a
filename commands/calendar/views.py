"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import date

from commands.cli.shapes import shape
from portalops.calendar import Calendar
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.reports.document import Status, TableBlock, Tone


@shape
class DayShape:
    """One day of the calendar."""

    id: str
    day: date
    working: bool
    """It is a working day of the public service."""
    reason: str
    """Why, in English; `document` says on whose word."""
    certain: bool
    """No official notice can change it any more."""
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
        certain=calendar.is_certain(day),
        document=calendar.document(day),
    )


@shape
class ChangedDay:
    """A day on which two calendars differ."""

    id: str
    was_working: bool
    working: bool
    reason: str
    """Why it is worked or not now, in English."""


def changed_days(before: Calendar, after: Calendar, period: Period) -> tuple[ChangedDay, ...]:
    return tuple(
        ChangedDay(day.isoformat(), before.is_working(day), after.is_working(day), str(after.reason(day)))
        for day in _differing(before, after, period)
    )


def changed_table(before: Calendar, after: Calendar, period: Period) -> TableBlock:
    headers = (msg("Day"), msg("Before"), msg("By the notice"), msg("Why"))
    rows = [
        (day, day_status(before, day), day_status(after, day), after.reason(day))
        for day in _differing(before, after, period)
    ]
    return TableBlock(msg("Where the notice differs from the calendar in force"), headers, rows)


def _differing(before: Calendar, after: Calendar, period: Period) -> tuple[date, ...]:
    return tuple(day for day in period.days() if before.is_working(day) != after.is_working(day))
