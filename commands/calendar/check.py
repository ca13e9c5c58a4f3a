"""Say whether a day is worked, and on whose word

Example: portalops calendar check 2026-01-10

EXIT STATUS: 0 done, whichever it is; 2 wrong usage
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.calendar.steps import calendar_of
from commands.calendar.views import DayShape, day_data, day_status
from commands.cli.periods import parse_day
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.calendar.table import YEARS
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.reports.document import Block, TableBlock


def check(
    ctx: typer.Context, day: Annotated[str, typer.Argument(help=_("A day such as 2026-01-10"))]
) -> Result[DayShape]:
    session = open_session(ctx)
    calendar = calendar_of(session)
    chosen = parse_day(day)
    if chosen.year not in YEARS:
        raise UsageError(
            msg("{day} is in none of the years that the calendar has", day=chosen.isoformat()),
            msg("Name a day from {first} to {last}.", first=str(YEARS[0]), last=str(YEARS[-1])),
        )
    rows = [(chosen, day_status(calendar, chosen), calendar.reason(chosen), calendar.document(chosen) or None)]
    headers = (msg("Day"), msg("State"), msg("Why"), msg("Document"))
    view: list[Block] = [
        TableBlock(
            msg("Working-day calendar {version}", version=calendar.version_of(Period(chosen, chosen))), headers, rows
        )
    ]
    return Result(day_data(calendar, chosen), view, warnings=calendar.warnings(Period(chosen, chosen)))


VERB = Verb(check)
