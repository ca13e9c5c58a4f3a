"""What the newest judging shows of the portal's and the units' updates: matrix, weeks, totals, collection. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from portalops.calendar.calendar import Calendar
from portalops.model.exemptions import Exemption, ExemptionScope
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, UnitId, exists_during
from portalops.model.period import Period, Week
from portalops.model.updates import PortalDay, UnitDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.document import Block, Cell, Grid, GridMark, Notice, Paragraph, TableBlock, Tone
from portalops.reports.section_variety import variety_blocks
from portalops.reports.words import EXEMPTION_SCOPES, duty_status, flag_word, joined

DUTY_SIGNS = {
    DutyVerdict.MET: "✓",
    DutyVerdict.UNMET: "✗",
    DutyVerdict.EXEMPT: "–",
    DutyVerdict.NOT_ASSESSED: "–",
    DutyVerdict.INSUFFICIENT_EVIDENCE: "?",
    DutyVerdict.PENDING: "…",
}
"""What a verdict is in a cell of a picture."""

_DOWN = "⊘"
"""Beside or instead of what was seen on a day: the site could not be reached."""

_LEGEND = (
    (GridMark("◐", Tone.GOOD, msg("sub-portal")), msg("the sub-portal was updated (K1)")),
    (GridMark("◑", Tone.GOOD, msg("submission")), msg("information was sent to the managing unit (K2)")),
    (GridMark("●", Tone.GOOD, msg("both")), msg("both on the same day")),
    (GridMark("●!", Tone.UNSURE, msg("flagged")), msg("with a flagged item; see the list of these")),
    (GridMark("!", Tone.UNSURE, msg("flagged")), msg("flagged items alone, none of them counts here")),
    (GridMark("✓", Tone.GOOD, msg("met")), msg("the week, or the portal's day, is met")),
    (GridMark("✗", Tone.BAD, msg("unmet")), msg("unmet")),
    (GridMark("?", Tone.UNSURE, msg("insufficient evidence")), msg("insufficient evidence")),
    (GridMark("…", Tone.UNSURE, msg("pending")), msg("pending")),
    (GridMark(_DOWN, Tone.UNSURE, msg("not reached")), msg("the site was polled and could not be reached all day")),
    (GridMark("–", Tone.NEUTRAL, msg("exempt")), msg("exempt or not assessed")),
    (GridMark("(–)", Tone.NEUTRAL, msg("exempt")), msg("exempt from one of the two, K1 or K2")),
)


def update_blocks(evidence: Evidence, units: Sequence[Agency], calendar: Calendar) -> Iterator[Block]:
    """Yield the matrix of units and days with each week's verdict, the weeks that fall short, totals and polls."""
    newest = evidence.updates
    if newest is None:
        yield Notice(msg("The updates were never collected and judged: what was published is unknown."))
        return
    yield Paragraph(
        msg(
            "Judged from {first} to {last} (record {seq} of {at}). Days off are shaded; the column of a week "
            "shows the verdict on the unit's week.",
            first=newest.body.judged_from,
            last=newest.body.judged_to,
            seq=newest.seq,
            at=newest.at,
        )
    )
    yield matrix(newest.body, evidence.period, units, calendar, list_in_force(evidence))
    weeks = weeks_of(newest.body, evidence.period)
    yield totals_table(weeks, units)
    today = evidence.now.astimezone(evidence.zone).date()
    yield short_weeks_table(weeks, units, today=today)
    yield portal_days_table(newest.body.portal_days, evidence.period)
    yield from variety_blocks(newest.body.variety, unit_names(units))
    yield polls_table(newest.body)


def weeks_of(result: UpdatesResult, period: Period) -> tuple[UnitWeek, ...]:
    """Return the units' weeks that share a day with the period."""
    asked = frozenset(period.weeks())
    return tuple(week for week in result.unit_weeks if week.week in asked)


def polls_table(result: UpdatesResult) -> TableBlock:
    """Return how each source answered when it was asked last."""
    return TableBlock(
        msg("How the sources answered"),
        (msg("Source"), msg("Polled at"), msg("Answer"), msg("Items"), msg("New"), msg("Gap before"), msg("Rejected")),
        [
            (
                poll.source,
                poll.polled_at,
                msg("answered") if poll.ok else msg("failed: {problem}", problem=poll.cause),
                poll.items,
                poll.new_items,
                msg("yes") if poll.gap else msg("no"),
                len(poll.rejected) + poll.rejected_more,
            )
            for poll in result.polls
        ],
    )


def list_in_force(evidence: Evidence) -> tuple[Exemption, ...]:
    """Return the exemptions as far as they stand."""
    found = (each.limit_to_force(evidence.zone) for each in evidence.exemptions)
    return tuple(each for each in found if each is not None)


def matrix(
    result: UpdatesResult,
    period: Period,
    units: Sequence[Agency],
    calendar: Calendar,
    exemptions: Sequence[Exemption] = (),
) -> Grid:
    """Return units by days, the portal itself first, with a column of verdicts after each week's days."""
    columns: list[date | Week] = []
    for week in period.weeks():
        columns += [day for day in week.period().days() if day in period]
        columns.append(week)
    cells = {(seen.unit, seen.day): seen for seen in result.unit_days}
    judged = {(week.unit, week.week): week for week in result.unit_weeks}
    down = unreachable_days(result)
    portal = {day.day: day for day in result.portal_days}
    rows: list[tuple[Cell, Sequence[GridMark | None]]] = [
        (
            msg("The province's portal (11.1)"),
            [_portal_mark(at, portal.get(at), result, calendar) if isinstance(at, date) else None for at in columns],
        )
    ]
    for unit in units:
        if not exists_during(unit, period):
            continue
        own = [each for each in exemptions if each.unit == unit.id]
        marks = [
            _day_mark(at, cells.get((unit.id, at)), is_down=(unit.id, at) in down, exempt=exempt_on(own, at, calendar))
            if isinstance(at, date)
            else _week_mark(unit, at, judged.get((unit.id, at)), result)
            for at in columns
        ]
        rows.append((unit.name, marks))
    return Grid(
        msg("Units and days: what was seen, and how each week was judged"),
        [at if isinstance(at, date) else week_head(at) for at in columns],
        rows,
        _LEGEND,
        {
            index: calendar.reason(at)
            for index, at in enumerate(columns)
            if isinstance(at, date) and not calendar.is_working(at)
        },
    )


def unreachable_days(result: UpdatesResult) -> frozenset[tuple[UnitId, date]]:
    """Return on which days whose sub-portal was looked at and did not answer once."""
    return frozenset((week.unit, day) for week in result.unit_weeks for day in week.unreachable)


def exempt_on(own: Sequence[Exemption], day: date, calendar: Calendar) -> Exemption | None:
    """Return the first of one's exemptions by which something is not owed on a working day."""
    if not own or not calendar.is_working(day):
        return None
    return next((each for each in own if each.first <= day <= each.last), None)


def week_head(week: Week) -> Message:
    """Return a week's short name for the head of a column."""
    return msg("W{number}", number=f"{week.number:02d}")


def _portal_mark(at: date, day: PortalDay | None, result: UpdatesResult, calendar: Calendar) -> GridMark | None:
    if day is None and calendar.is_working(at) and at <= result.judged_to:
        return GridMark("?", Tone.UNSURE, msg("{day} was not judged", day=at))
    if day is None or (not day.working and not day.updates):
        return None
    status = duty_status(day.verdict)
    meaning = msg("{day}: {verdict}; {reason}", day=day.day, verdict=status.word, reason=day.reason)
    if day.unreachable:
        meaning = msg("{verdict}; the portal could not be reached", verdict=meaning)
    return GridMark(f"{DUTY_SIGNS[day.verdict]}{_DOWN if day.unreachable else ''}", status.tone, meaning)


def _day_mark(day: date, seen: UnitDay | None, *, is_down: bool, exempt: Exemption | None) -> GridMark | None:
    remarks = []
    if is_down:
        remarks.append(msg("the sub-portal could not be reached"))
    if exempt is not None:
        scopes = joined([EXEMPTION_SCOPES[scope] for scope in exempt.scopes])
        remarks.append(msg("exempt ({scopes}) by {document}", scopes=scopes, document=exempt.document))
    if seen is None:
        if not remarks:
            return None
        is_whole = exempt is not None and set(exempt.scopes) >= {ExemptionScope.SUBPORTAL, ExemptionScope.SUBMISSION}
        sign, tone = (_DOWN, Tone.UNSURE) if is_down else ("–" if is_whole else "(–)", Tone.NEUTRAL)
        return GridMark(sign, tone, msg("{day}: {remarks}", day=day, remarks=joined(remarks)))
    sign = {(True, True): "●", (True, False): "◐", (False, True): "◑"}.get(
        (seen.subportal > 0, seen.submissions > 0), ""
    )
    meaning = msg(
        "{day}: K1 {subportal}, K2 {submissions}", day=seen.day, subportal=seen.subportal, submissions=seen.submissions
    )
    down = _DOWN if is_down else ""
    remarks = [*map(flag_word, seen.flags), *remarks]
    if remarks:
        meaning = msg("{seen}; {flags}", seen=meaning, flags=joined(remarks))
    if seen.flags:
        return GridMark(f"{sign}!{down}", Tone.UNSURE, meaning)
    return GridMark(f"{sign}{down}", Tone.GOOD if sign else Tone.UNSURE, meaning) if sign or down else None


def _week_mark(unit: Agency, at: Week, week: UnitWeek | None, result: UpdatesResult) -> GridMark | None:
    if week is None:
        is_missing = at.period().first <= result.judged_to and exists_during(unit, at.period())
        return GridMark("?", Tone.UNSURE, msg("week {week} was not judged", week=str(at))) if is_missing else None
    status = duty_status(week.verdict)
    meaning = msg(
        "week {week}: {verdict}; K1 {subportal} of {due_k1}, K2 {submissions} of {due_k2}",
        week=str(week.week),
        verdict=status.word,
        subportal=week.subportal,
        due_k1=week.due_on_subportal,
        submissions=week.submissions,
        due_k2=week.due_to_send,
    )
    return GridMark(DUTY_SIGNS[week.verdict], status.tone, meaning)


def unit_names(units: Sequence[Agency]) -> Mapping[UnitId, Name]:
    """Return the units' names by id."""
    return {unit.id: unit.name for unit in units}


def totals_table(weeks: Sequence[UnitWeek], units: Sequence[Agency]) -> TableBlock:
    """Return what each unit did over the weeks, in the order of the units."""
    rows: list[Sequence[Cell]] = []
    for unit in units:
        own = [week for week in weeks if week.unit == unit.id]
        if not own:
            continue
        assessed = [week for week in own if week.verdict in {DutyVerdict.MET, DutyVerdict.UNMET}]
        met = sum(week.verdict is DutyVerdict.MET for week in own)
        rows.append(
            (
                unit.name,
                sum(week.subportal for week in own),
                sum(week.submissions for week in own),
                msg("{met} of {assessed}", met=met, assessed=len(assessed)),
                sum(week.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE for week in own),
                sum(week.pending for week in own),
                min(week.coverage_percent for week in own),
            )
        )
    return TableBlock(
        msg("Totals by unit (Article 11.2)"),
        (
            msg("Unit"),
            msg("K1: updates"),
            msg("K2: submissions"),
            msg("Weeks met of weeks judged"),
            msg("Weeks without sufficient evidence"),
            msg("Times pending"),
            msg("Lowest coverage, %"),
        ),
        rows,
    )


def short_weeks_table(weeks: Sequence[UnitWeek], units: Sequence[Agency], *, today: date) -> TableBlock:
    """List the weeks that are over and not met; the current week stands in the matrix, and may still be met."""
    names = unit_names(units)
    fine = {DutyVerdict.MET, DutyVerdict.EXEMPT, DutyVerdict.NOT_ASSESSED}
    short = [
        week
        for week in weeks
        if week.verdict not in fine and (week.verdict is DutyVerdict.UNMET or week.week.period().last < today)
    ]
    order = {unit.id: index for index, unit in enumerate(units)}
    short.sort(key=lambda week: (week.verdict is not DutyVerdict.UNMET, order.get(week.unit, len(order)), week.week))
    return TableBlock(
        msg("Weeks that are over and not met, by unit"),
        (msg("Unit"), msg("Week"), msg("K1"), msg("K2"), msg("K1 due"), msg("K2 due"), msg("Verdict"), msg("Why")),
        [
            (
                names.get(week.unit, week.unit),
                str(week.week),
                week.subportal,
                week.submissions,
                week.due_on_subportal,
                week.due_to_send,
                duty_status(week.verdict),
                week.reason,
            )
            for week in short
        ],
    )


def portal_days_table(days: Sequence[PortalDay], period: Period) -> TableBlock:
    """Return the working days of the period that are not met."""
    wanting = [day for day in days if day.day in period and day.working and day.verdict is not DutyVerdict.MET]
    return TableBlock(
        msg("Working days on which the province's portal was not shown to be updated (Article 11.1)"),
        (msg("Day"), msg("Updates"), msg("Verdict"), msg("Why")),
        [(day.day, day.updates, duty_status(day.verdict), day.reason) for day in wanting],
    )
