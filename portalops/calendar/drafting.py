"""A proposal for a year's days off, as rows of a province's own file: never in force by itself. Pure.

What a library of public holidays expects is no notice of the Government. Each row states this, none is confirmed, and the year is
not named as complete, so that the calendar goes on calling it provisional until somebody has put in the documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portalops.calendar.calendar import Calendar
from portalops.calendar.expected import COMPENSATION, Expected, calendar_name


@dataclass(frozen=True, slots=True)
class CalendarDifference:
    """A day on which the calendar in force and what is expected do not agree."""

    day: date
    is_working: bool
    """By the calendar."""
    expected: str
    """The expected name of the day off; empty for a working day."""


def draft(year: int, expected: Expected) -> str:
    """Return the rows of a year as TOML, ready to be corrected and confirmed."""
    document = f"dự kiến theo {expected.source}, chưa có văn bản"
    lines = [
        f"# Bản dự kiến ngày nghỉ năm {year}, lập từ {expected.source}; chưa có hiệu lực.",
        "# Khi có thông báo chính thức: sửa các ngày, ghi số văn bản vào document, bỏ confirmed = false,",
        f"# ghi ngày hoán đổi vào swaps, rồi thêm: years = [{year}]",
        f"# Proposed days off of {year}; not in force. Correct them by the official notice, name it, then add years = [{year}].",
        "",
        "off = [",
        *(_row(day, name, document) for day, name in sorted(expected.off.items())),
        "]",
    ]
    if expected.work:
        lines += [
            "work = [",
            *(f'  {{ date = {day}, document = "{document}", confirmed = false }},' for day in sorted(expected.work)),
            "]",
        ]
    return "\n".join(lines) + "\n"


def differences(calendar: Calendar, year: int, expected: Expected) -> tuple[CalendarDifference, ...]:
    """Return the days of a year on which the calendar in force says otherwise; weekly rest is no difference."""
    found = []
    for day in _days_of(year):
        name = expected.off.get(day)
        working = not expected.is_off(day)
        if working != calendar.is_working(day):
            found.append(CalendarDifference(day, not working, name or ""))
    return tuple(found)


def _days_of(year: int) -> Iterable[date]:
    first = date(year, 1, 1).toordinal()
    return map(date.fromordinal, range(first, date(year + 1, 1, 1).toordinal()))


def _row(day: date, name: str, document: str) -> str:
    known = calendar_name(name).replace('"', "'").replace("\\", "")
    compensation = ", compensation = true" if COMPENSATION in name else ""
    return f'  {{ date = {day}, name = "{known}", document = "{document}", confirmed = false{compensation} }},'
