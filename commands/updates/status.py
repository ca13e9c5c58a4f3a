"""Show where each unit stands on a day

Shows the day's items, the week's occasions against what is due, the working days left, and a state: met, on course,
at risk, missed or insufficient evidence. Judges the collected items; polls nothing.

Example: portalops updates status; portalops updates status --date 2026-11-20

EXIT STATUS: 0 nothing is unmet, 1 a unit or the portal is, 3 the evidence is insufficient
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import typer

from checks.updates.tracking import STATE_WORDS, UnitProspect, track
from commands.cli.periods import parse_day
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.former_shortfalls import former_of, say_former_of
from commands.jobs.kinds.updates import update_sources
from commands.jobs.precedence import precedence_warnings
from commands.updates.options import UnitText, chosen_units
from commands.updates.steps import (
    duty_exit_code,
    judged_period,
    offset_warnings,
    source_warnings,
    trouble_warnings,
)
from commands.updates.views import ShownWeek, week_fields
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.updates import PortalDay, UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import Block, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import duty_status

TROUBLES_OF = timedelta(days=7)
"""So far back a source's answers are held to show what is wrong with it."""


def is_due(week: UnitWeek) -> bool:
    return week.subportal_verdict not in {DutyVerdict.NOT_ASSESSED, DutyVerdict.EXEMPT}


def portal_line(portal: PortalDay | None) -> Sequence[Block]:
    if portal is None:
        return ()
    word = duty_status(portal.verdict).word
    return (
        Paragraph(msg("The portal on {day}: {verdict}; {reason}", day=portal.day, verdict=word, reason=portal.reason)),
    )


@shape
class ShownPortalDay:
    """The portal itself on the day."""

    id: str
    day: date
    working: bool
    verdict: DutyVerdict
    reason: str
    updates: int


@shape
class UnitStatus(ShownWeek):
    """Where a unit stands on the day and in its week."""

    id: UnitId
    state: UnitProspect
    items: int
    """Of the day."""
    missing: int
    """Occasions that the week still lacks."""
    days_left: int
    """Working days of the week that are left."""


def portal_data(session: Session, portal: PortalDay) -> ShownPortalDay:
    return ShownPortalDay(
        id=session.settings.portal.id,
        day=portal.day,
        working=portal.working,
        verdict=portal.verdict,
        reason=str(portal.reason),
        updates=portal.updates,
    )


def status(
    ctx: typer.Context,
    on: Annotated[
        str | None,
        typer.Option(
            "--date", metavar="DAY", help=_("Another day than today, with its week, judged from what is known now")
        ),
    ] = None,
    unit: UnitText = None,
) -> Result[tuple[ShownPortalDay | UnitStatus, ...]]:
    session = open_session(ctx)
    day = _day(session, on)
    today = session.today
    period = Week.of(day).period()
    sources = update_sources(session.settings)
    result = judged_period(session, period, sources=sources)
    units = chosen_units(session, unit)
    ids = {one.id for one in units}
    former = former_of(session, period, lambda: result.unit_weeks)
    found = track(
        result.unit_weeks,
        units,
        day=day,
        today=today,
        calendar=session.calendar,
        duties=session.rulebook.numbers.unit_duties,
    )
    portal = next((one for one in result.portal_days if one.day == day), None)

    rows = [
        (
            one.unit.name,
            one.items_of_day,
            msg("{count} of {due}", count=one.week.subportal, due=one.week.due_on_subportal)
            if is_due(one.week)
            else None,
            msg("{count} of {due}", count=one.week.submissions, due=one.week.due_to_send),
            one.days_left,
            replace(duty_status(one.week.verdict), word=STATE_WORDS[one.state])
            if one.state is not UnitProspect.AT_RISK
            else Status(STATE_WORDS[one.state], Tone.BAD),
            one.week.reason,
        )
        for one in found
    ]
    headers = (
        msg("Unit"), msg("Items of the day"), msg("K1: sub-portal"), msg("K2: sent in"), msg("Days left"), msg("State"), msg("Why"),
    )  # fmt: skip
    caption = msg("Week {week} and {day}", week=str(Week.of(day)), day=day)
    view: list[Block] = [*portal_line(portal), TableBlock(caption, headers, rows)]
    data = tuple(
        UnitStatus(
            id=one.unit.id,
            state=one.state,
            items=one.items_of_day,
            missing=one.missing,
            days_left=one.days_left,
            **week_fields(one.week),
        )
        for one in found
    )
    return Result(
        data if portal is None or unit else (portal_data(session, portal), *data),
        view,
        warnings=(
            *say_former_of(session, (one for one in former if unit is None or one.unit in ids)),
            *source_warnings(session),
            *offset_warnings(session, sources),
            *precedence_warnings(session, sources),
            *trouble_warnings(session, session.clock.now() - TROUBLES_OF),
            *session.calendar.warnings(period),
        ),
        exit_code=duty_exit_code([one.week.verdict for one in found] + ([portal.verdict] if portal else [])),
    )


def _day(session: Session, text: str | None) -> date:
    """Return the day that is asked for; without one, today."""
    today = session.today
    day = parse_day(text) if text is not None else today
    if day > today:
        raise UsageError(
            msg("{day} is in the future", day=day),
            msg("Give today, {today}, or an earlier day.", today=today),
        )
    return day


VERB = Verb(status)
