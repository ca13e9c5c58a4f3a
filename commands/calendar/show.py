"""Show the days that depart from the weekly rhythm

Holidays, days given in compensation and swapped working days, with the document behind each; the current year unless
another is named.

Example: portalops calendar show 2026; portalops calendar show --period 2026-08

EXIT STATUS: 0 done, 2 wrong usage
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from commands.calendar.steps import calendar_of
from commands.calendar.views import DayShape, day_data, day_status
from commands.cli.periods import period_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from portalops.calendar.table import YEARS
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.model.period import Period
from portalops.reports.document import Block, Paragraph, TableBlock


def show(
    ctx: typer.Context,
    year: Annotated[int | None, typer.Argument(help=_("A year such as 2026"), min=YEARS[0], max=YEARS[-1])] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
) -> Result[tuple[DayShape, ...]]:
    session = open_session(ctx)
    chosen = _chosen(session, year, period)
    calendar = calendar_of(session)
    days = [day for day in chosen.days() if calendar.is_working(day) != (day.weekday() < 5) or calendar.document(day)]
    working = len(calendar.working_days(chosen))
    rows = [(day, day_status(calendar, day), calendar.reason(day), calendar.document(day) or None) for day in days]
    headers = (msg("Day"), msg("State"), msg("Why"), msg("Document"))
    view: list[Block] = [
        TableBlock(msg("Exceptional days from {first} to {last}", first=chosen.first, last=chosen.last), headers, rows),
        Paragraph(nmsg("{n} working day", "{n} working days", working)),
    ]
    return Result(tuple(day_data(calendar, day) for day in days), view, warnings=calendar.warnings(chosen))


def _chosen(session: Session, year: int | None, period: str | None) -> Period:
    if year is not None and period is not None:
        raise UsageError(msg("both a year and --period are given"), msg("Give one of the two."))
    if period is not None:
        return period_of(period, "--period")
    chosen = year if year is not None else session.clock.now().astimezone(session.zone).year
    return Period(date(chosen, 1, 1), date(chosen, 12, 31))


VERB = Verb(show)
