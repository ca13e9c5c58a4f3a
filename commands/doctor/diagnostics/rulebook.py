"""The regulation, and the working days that time limits are counted in, reach far enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, warning
from portalops.model.message import Message, msg

AHEAD = timedelta(days=60)
"""The Government gives notice of the next year's days off in about the last two months of the year before."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which edition judges, and for which years days off are known."""
    session = look.session
    book = session.rulebook
    yield good("", msg("duties are judged by {id}, edition {version}", id=book.id, version=book.version))
    calendar = session.calendar
    today = session.today
    last = max((year for year in calendar.years if year >= today.year), default=None)
    if last is None:
        yield warning(
            "calendar",
            msg("the calendar {version} holds no days off of {year}", version=calendar.version, year=str(today.year)),
            _draft(today.year),
        )
        return
    end = date(last, 12, 31)
    if end - today < AHEAD:
        yield warning(
            "calendar",
            msg(
                "the calendar {version} ends on {day}: later time limits are counted provisionally",
                version=calendar.version,
                day=end,
            ),
            _draft(last + 1),
        )
    else:
        yield good(
            "calendar", msg("the calendar {version} holds the days off until {day}", version=calendar.version, day=end)
        )


def _draft(year: int) -> Message:
    return msg(
        "Run 'portalops calendar draft {year}', correct it by the Government's notice, and name the file as calendar.file; or install a newer"
        " portalops.",
        year=str(year),
    )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
