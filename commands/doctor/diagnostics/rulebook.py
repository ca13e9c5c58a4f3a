"""The regulation, and the working days that time limits are counted in, reach far enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, warning
from portalops.model.message import msg


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which edition judges, and for which years days off are known, or to be confirmed."""
    session = look.session
    book = session.rulebook
    yield good("", msg("duties are judged by {id}, edition {version}", id=book.id, version=book.version))
    calendar = session.calendar
    wanted = calendar.years_to_confirm(session.today)
    for year in wanted:
        yield warning(
            "calendar",
            msg(
                "the calendar {version} has no official notice of {year}: its days off are provisional",
                version=calendar.version,
                year=str(year),
            ),
            msg(
                "Once the notice is there, run 'portalops calendar confirm {year} --document NUMBER', with its paper by"
                " --file; or install a newer portalops.",
                year=str(year),
            ),
        )
    if not wanted:
        end = date(max(calendar.years), 12, 31)
        yield good(
            "calendar", msg("the calendar {version} holds the days off until {day}", version=calendar.version, day=end)
        )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
