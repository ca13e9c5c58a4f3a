"""Working days of Vietnam, each with the document behind it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from commands import _calendar_draft
from commands._periods import period_of
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.calendar import Calendar, load
from portalops.errors import ConfigurationNotFound, UsageError
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.model.period import Period
from portalops.reports.document import Block, Paragraph, Status, Table, Tone

app = typer.Typer(no_args_is_help=True)
app.command("draft", help=_calendar_draft.HELP)(_calendar_draft.draft_year)


@app.command(
    help=_(
        "Show the days that depart from the weekly rhythm\n\nHolidays, days given in compensation and swapped working days,"
        " with the document behind each; the current year unless another is named.\n\nExample: portalops calendar show 2026;"
        " portalops calendar show --period 2026-08\n\nEXIT STATUS: 0 done, 2 wrong usage"
    )
)
def show(
    ctx: typer.Context,
    year: Annotated[int | None, typer.Argument(help=_("A year such as 2026"), min=1990, max=2100)] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
) -> Result:
    session = open_session(ctx)
    chosen = _chosen(session, year, period)
    calendar = calendar_of(session)
    days = [day for day in chosen.days() if calendar.is_working(day) != (day.weekday() < 5) or calendar.document(day)]
    working = len(calendar.working_days(chosen))
    rows = [(day, _state(calendar, day), calendar.reason(day), calendar.document(day) or None) for day in days]
    headers = (msg("Day"), msg("State"), msg("Why"), msg("Document"))
    view: list[Block] = [
        Table(msg("Exceptional days from {first} to {last}", first=chosen.first, last=chosen.last), headers, rows),
        Paragraph(nmsg("{n} working day", "{n} working days", working)),
    ]
    return Result(
        [{"id": day.isoformat(), **_data(calendar, day)} for day in days], view, warnings=calendar.warnings(chosen)
    )


@app.command(
    help=_(
        "Say whether a day is worked, and on whose word\n\nExample: portalops calendar check 2026-01-10\n\nEXIT STATUS: 0"
        " done, whichever it is; 2 wrong usage"
    )
)
def check(ctx: typer.Context, day: Annotated[str, typer.Argument(help=_("A day such as 2026-01-10"))]) -> Result:
    session = open_session(ctx)
    calendar = calendar_of(session)
    chosen = parse_day(day)
    rows = [(chosen, _state(calendar, chosen), calendar.reason(chosen), calendar.document(chosen) or None)]
    headers = (msg("Day"), msg("State"), msg("Why"), msg("Document"))
    view: list[Block] = [Table(msg("Working-day calendar {version}", version=calendar.version), headers, rows)]
    return Result(_data(calendar, chosen), view, warnings=calendar.warnings(Period(chosen, chosen)))


def calendar_of(session: Session) -> Calendar:
    """Return the configured calendar, or the shipped one where there is no configuration yet."""
    try:
        return session.calendar
    except ConfigurationNotFound:
        if session.invocation.config is not None:
            raise
        return load()


def parse_day(text: str) -> date:
    """Read a day.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(msg("not a day: {text}", text=text[:40]), msg("Write it as 2026-01-10.")) from error


def _chosen(session: Session, year: int | None, period: str | None) -> Period:
    if year is not None and period is not None:
        raise UsageError(msg("both a year and --period are given"), msg("Give one of the two."))
    if period is not None:
        return period_of(period, "--period")
    chosen = year if year is not None else session.clock.now().astimezone(session.zone).year
    return Period(date(chosen, 1, 1), date(chosen, 12, 31))


def _state(calendar: Calendar, day: date) -> Status:
    if calendar.is_working(day):
        return Status(msg("working day"), Tone.NEUTRAL)
    return Status(msg("day off"), Tone.NEUTRAL)


def _data(calendar: Calendar, day: date) -> dict[str, JsonValue]:
    return {
        "day": day.isoformat(),
        "working": calendar.is_working(day),
        "reason": str(calendar.reason(day)),
        "document": calendar.document(day),
    }
