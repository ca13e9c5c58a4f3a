"""Show why a unit's week, or the portal's day, has its verdict

Shows how many occasions came at least and at most, every item with the two polls that bound it, and the times that
nobody saw. The week is met if the least suffices, and unmet if the most does not. Anything else is not known.

With "portal" for the unit, the portal's days are explained: give a day or a week.

Example: portalops updates why so-y-te 2026-W47; portalops updates why portal 2026-11-17

EXIT STATUS: 0 met, pending or nothing due, 1 unmet, 2 no such unit or week, 3 the evidence is insufficient
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from commands.cli.entries import known_unit
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.former_shortfalls import former_of, say_former_of
from commands.jobs.portal_days import ExplainedPortalDay, explain_days, is_portal, named_days
from commands.jobs.unit_sheets import (
    ShownAccountedItem,
    ShownBounds,
    ShownUnseenTime,
    account_and_items,
    describe_bounds,
    item_table,
    named_week,
    shown_bounds,
    shown_items,
)
from commands.updates.steps import duty_exit_code, judged_period
from commands.updates.views import ShownWeek, week_fields
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Period, Week
from portalops.model.updates import UnitWeek
from portalops.reports.document import Block, Cell, KeyValues, TableBlock
from portalops.reports.words import joined, whole_week_status

UnitName = Annotated[str, typer.Argument(metavar="UNIT", help=_("The unit, by its id; portal for the portal itself"))]
WeekName = Annotated[
    str,
    typer.Argument(metavar="WEEK", help=_("The week, such as 2026-W47; of the portal also a day, such as 2026-11-17")),
]


@shape
class ExplainedWeek(ShownWeek):
    """A unit's week, and what decides it."""

    id: str
    unit: UnitId
    subportal_bounds: ShownBounds | None
    submissions_bounds: ShownBounds | None
    summed_bounds: ShownBounds | None
    """K1 and K2 added up; null where they are not."""
    items: tuple[ShownAccountedItem, ...]
    unseen: tuple[ShownUnseenTime, ...]
    """What of the week no source has shown."""


def explain_week(
    ctx: typer.Context, unit: UnitName, week: WeekName
) -> Result[ExplainedWeek | tuple[ExplainedPortalDay, ...]]:
    session = open_session(ctx)
    if is_portal(session, unit):
        return _explain_portal(session, named_days(session, week))
    chosen, named = known_unit(session, unit), named_week(week)
    try:
        account, whole = account_and_items(session, chosen, named)
    except UsageError as error:
        raise _with_former(session, chosen.id, named, error) from error
    found = account.week
    facts: list[tuple[Message, Cell]] = [
        (msg("Unit"), chosen.name),
        (msg("Week"), str(named)),
        (msg("Verdict"), whole_week_status(found, is_over=named.period().last < session.today)),
        (msg("Why"), found.reason),
        (msg("Sub-portal (K1)"), describe_bounds(found.subportal_bounds)),
        (msg("Sent in (K2)"), describe_bounds(found.submissions_bounds)),
        (msg("K1 and K2 added up"), describe_bounds(found.summed_bounds)),
    ]
    view: list[Block] = [
        KeyValues([(label, value) for label, value in facts if value is not None]),
        item_table(msg("Items that bear on the week"), account, whole, session.zone_of_portal),
    ]
    if found.unseen:
        rows: list[tuple[Cell, ...]] = [(one.source, one.since, one.until) for one in found.unseen]
        headers = (msg("Source"), msg("From"), msg("To"))
        view.append(TableBlock(msg("Times that nobody saw: any number of items may have come"), headers, rows))
    data = ExplainedWeek(
        id=f"{chosen.id}/{named}",
        unit=chosen.id,
        subportal_bounds=shown_bounds(found.subportal_bounds),
        submissions_bounds=shown_bounds(found.submissions_bounds),
        summed_bounds=shown_bounds(found.summed_bounds),
        items=shown_items(account, whole),
        unseen=tuple(ShownUnseenTime(one.source, one.since, one.until) for one in found.unseen),
        **week_fields(found),
    )
    return Result(
        data,
        view,
        warnings=(*_say_former(session, chosen.id, named, [found]), *session.calendar.warnings(named.period())),
        exit_code=duty_exit_code([found.verdict]),
    )


def _explain_portal(session: Session, period: Period) -> Result[ExplainedWeek | tuple[ExplainedPortalDay, ...]]:
    days = judged_period(session, period).portal_days
    data, view = explain_days(session, days, period)
    code = duty_exit_code([day.verdict for day in days])
    return Result(data, view, warnings=session.calendar.warnings(period), exit_code=code)


def _say_former(session: Session, unit: UnitId, week: Week, again: Sequence[UnitWeek]) -> tuple[Message, ...]:
    some = former_of(session, week.period(), lambda: again)
    return say_former_of(session, (one for one in some if one.unit == unit))


def _with_former(session: Session, unit: UnitId, week: Week, error: UsageError) -> UsageError:
    """Return an error of a week that the unit does not have, with what it was judged for before."""
    said = _say_former(session, unit, week, ())
    return UsageError(msg("{first}; {second}", first=error.message, second=joined(said)), error.hint) if said else error


VERB = Verb(explain_week)
