"""Track updates: what the portal and the units published and sent in (Article 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from commands import _updates_attest, _updates_decide, _updates_matrix, _updates_report, _updates_stale, _updates_verify
from commands._periods import period_option
from commands._registers import known_unit
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from commands._updates_view import (
    flagged_summary,
    hints,
    is_due,
    iso,
    joined_flags,
    poll_data,
    polls_table,
    portal_data,
    portal_line,
    refused,
    remarks,
    week_data,
)
from commands._updates_work import open_store, update_sources
from commands.calendar import parse_day
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Unit
from portalops.model.period import Period, Week
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.model.updates import FlagKind, Grade, Observation, Poll, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import Block, Notice, Status, Table, Tone
from portalops.reports.words import channel_word, duty_status, flag_word

if TYPE_CHECKING:
    from checks.updates.rules.weighing import Weighed

app = typer.Typer(no_args_is_help=True)
app.command("confirm", help=_updates_decide.HELP_CONFIRM)(_updates_decide.confirm)
app.command("exempt", help=_updates_decide.HELP_EXEMPT)(_updates_decide.exempt)
app.command("observe", help=_updates_attest.HELP_OBSERVE)(_updates_attest.observe)
app.command("register", help=_updates_attest.HELP_REGISTER)(_updates_attest.register)
app.command("stale", help=_updates_stale.HELP)(_updates_stale.stale)
app.command("report", help=_updates_report.HELP)(_updates_report.report)
app.command("verify", help=_updates_verify.HELP)(_updates_verify.verify)
app.command("exemptions", help=_updates_decide.HELP_EXEMPTIONS)(_updates_decide.exemptions)

PeriodText = Annotated[str | None, typer.Option("--period", help=_("Day, week, month or year, or two joined by '..'"))]
SHOWN_ID = 12
"""How much of an item's id is shown to a person: enough to name it by, in 'updates confirm' and --withdraw."""
UnitText = Annotated[str | None, typer.Option("--unit", help=_("Only this unit, by its id"))]


@app.command(
    help=_(
        "Look at every source now, and judge\n\nA source that does not answer is named, and the others are looked at all the"
        " same. What came is kept as evidence.\n\nExample: portalops updates collect\n\nEXIT STATUS: 0 every source answered,"
        " 3 one did not or a line was refused, 4 nothing could be recorded, 75 another run is at work, 78 configuration"
    )
)
def collect(ctx: typer.Context) -> Result:
    from commands._jobs import by_hand, lost_looks  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    done = by_hand(session, JobKind.UPDATES)
    if not isinstance(done.result, UpdatesResult):
        return Result(done.data(), [Notice(verbatim(problem)) for problem in done.problems], exit_code=done.exit_code)
    polls = done.result.polls
    view: list[Block] = [
        polls_table(polls),
        *hints(polls),
        *(Notice(line, Tone.BAD) for line in lost_looks(done)),
        *remarks(polls, update_sources(session.settings)),
        *refused(polls),
        *flagged_summary(done.result.flagged),
    ]
    return Result(
        [poll_data(poll) for poll in polls],
        view,
        warnings=(*_untold_warnings(done.result.untold), *_offset_warnings(session)),
        exit_code=done.exit_code,
    )


@app.command(
    help=_(
        "Show where each unit stands on a day\n\nThe day's items, occasions of the week against what is due, working days left,"
        " and what to think of it: met, on course, at risk, missed, insufficient evidence. Judged from what was collected;"
        " nothing is looked at.\n\nExample: portalops updates status; portalops updates status --date 2026-11-20"
        "\n\nEXIT STATUS: 0 nobody missed, 1 a unit or the portal missed, 3 something could not be found out"
    )
)
def status(
    ctx: typer.Context,
    on: Annotated[
        str | None, typer.Option("--date", help=_("Another day than today, and its week, as they are known now"))
    ] = None,
    unit: UnitText = None,
) -> Result:
    from checks.updates.tracking import STATE_WORDS, UnitState, track  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    day = _day(session, on)
    today = session.clock.now().astimezone(session.zone_of_portal).date()
    result = _judged(session, Week.of(day).period())
    units = _units(session, unit)
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
            if one.state is not UnitState.AT_RISK
            else Status(STATE_WORDS[one.state], Tone.BAD),
            one.week.reason,
        )
        for one in found
    ]
    headers = (
        msg("Unit"), msg("Items of the day"), msg("K1: sub-portal"), msg("K2: sent in"), msg("Days left"), msg("State"), msg("Why"),
    )  # fmt: skip
    caption = msg("Week {week} and {day}", week=str(Week.of(day)), day=day)
    view: list[Block] = [*portal_line(portal), Table(caption, headers, rows)]
    data: list[JsonValue] = [
        {
            "id": one.unit.id,
            "state": one.state.value,
            "items": one.items_of_day,
            "missing": one.missing,
            "days_left": one.days_left,
            **week_data(one.week),
        }
        for one in found
    ]
    return Result(
        data if portal is None or unit else [portal_data(session, portal), *data],
        view,
        warnings=(
            *_source_warnings(session),
            *_offset_warnings(session),
            *session.calendar.warnings(Week.of(day).period()),
        ),
        exit_code=_exit_code([one.week.verdict for one in found] + ([portal.verdict] if portal else [])),
    )


@app.command(
    help=_(
        "Show units by days, and how each week was judged\n\n--output writes it into a file, by its suffix or --format: xlsx and"
        " html hold every table, csv a row a unit and day. Texts of others never become formulas in it."
        "\n\nExample: portalops updates matrix --period 2026-W40..2026-W47 --output ma-tran.xlsx"
        "\n\nEXIT STATUS: 0 nobody missed, 1 a unit missed a week, 2 no such period, unit or format, 3 something could not be"
        " found out"
    )
)
def matrix(
    ctx: typer.Context,
    *,
    period: PeriodText = None,
    unit: UnitText = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help=_("Its format, such as xlsx, html or csv; the file's suffix without it")
        ),
    ] = None,
    output: Annotated[
        _updates_matrix.OptionalPath,
        typer.Option("--output", metavar="FILE", help=_("Write it into this file instead")),
    ] = None,
) -> Result:
    from portalops.reports.section_updates import matrix as grid_of  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    form = _updates_matrix.format_of(format_, output)
    chosen = period_option(session, period)
    result = _judged(session, chosen)
    units = _units(session, unit)
    ids = {one.id for one in units}
    weeks = [week for week in result.unit_weeks if week.unit in ids]
    names = {one.id: one.name for one in units}
    headers = (
        msg("Unit"),
        msg("Week"),
        msg("K1"),
        msg("K2"),
        msg("K1 due"),
        msg("K2 due"),
        msg("Covered, %"),
        msg("Verdict"),
        msg("Why"),
    )
    rows = [
        (
            names[week.unit],
            str(week.week),
            week.subportal,
            week.submissions,
            week.due_on_subportal,
            week.due_to_send,
            week.coverage_percent,
            duty_status(week.verdict),
            week.reason,
        )
        for week in weeks
    ]
    exemptions = _updates_decide.decided_of(session).exemptions
    view: list[Block] = [
        grid_of(result, chosen, units, session.calendar, exemptions),
        Table(msg("Each unit's weeks"), headers, rows),
    ]
    warnings = (*_source_warnings(session), *session.calendar.warnings(chosen))
    code = _exit_code([week.verdict for week in weeks])
    if form is not None and output is not None:
        lacks = _updates_matrix.write_matrix(
            session,
            form,
            output,
            result=result,
            period=chosen,
            units=units,
            exemptions=exemptions,
            shown=view,
            is_whole=unit is None,
        )
        return _updates_matrix.written(output, code, (*warnings, *lacks))
    return Result([week_data(week, with_id=True) for week in weeks], view, warnings=warnings, exit_code=code)


@app.command(
    "list",
    help=_(
        "List what was seen, and why an item counts or does not\n\nExample: portalops updates list --unit so-y-te --period"
        " 2026-W47\n\nEXIT STATUS: 0 listed, 2 wrong usage"
    ),
)
def list_(
    ctx: typer.Context,
    period: PeriodText = None,
    unit: UnitText = None,
    flagged: Annotated[bool, typer.Option("--flagged", help=_("Only items that someone should look at"))] = False,
) -> Result:
    session = open_session(ctx)
    chosen = period_option(session, period)
    ids = {one.id for one in _units(session, unit)}
    rows = [
        (whole, item)
        for whole, item in _items(session, chosen)
        if (unit is None or whole.unit in ids) and (set(item.flags) - {FlagKind.BASELINE} or not flagged)
    ]
    names = {one.id: one.name for one in session.settings.units}
    headers = (
        msg("Id"), msg("Unit"), msg("Seen at"), msg("Title"), msg("Claimed"), msg("Counts on"), msg("Grade"), msg("Flags"), msg("First seen"),
    )  # fmt: skip
    table = [
        (
            whole.id[:SHOWN_ID],
            names.get(whole.unit) if whole.unit else None,
            channel_word(whole.channel),
            whole.title,
            _moment(item.claimed_at),
            _moment(item.counts_at),
            item.grade.value,
            joined_flags([flag_word(flag) for flag in item.flags]),
            whole.first_seen_at,
        )
        for whole, item in rows
    ]
    data: list[JsonValue] = [
        {
            "id": whole.id,
            "unit": whole.unit,
            "source": whole.source,
            "channel": whole.channel.value,
            "title": whole.title,
            "url": whole.url,
            "claimed_at": iso(_moment(item.claimed_at)),
            "created_at": iso(whole.created_at),
            "first_seen_at": iso(whole.first_seen_at),
            "counts_at": iso(_moment(item.counts_at)),
            "grade": item.grade.value,
            "pending": item.grade is Grade.C,
            "flags": [flag.value for flag in item.flags],
            "text_problems": list(whole.text_problems),
            "evidence": whole.evidence,
        }
        for whole, item in rows
    ]
    caption = nmsg(
        "{n} item from {first} to {last}",
        "{n} items from {first} to {last}",
        len(rows),
        first=chosen.first,
        last=chosen.last,
    )
    return Result(data, [Table(caption, headers, table)])


# --- judging from what was collected ----------------------------------------------------------


def _judged(session: Session, period: Period) -> UpdatesResult:
    """Judge a period now, from what is in the store."""
    from checks.updates.job import judge_collected  # noqa: PLC0415  # start-up time

    settings = session.settings
    with open_store(session) as store:
        return judge_collected(
            store,
            sources=update_sources(settings),
            units=settings.units,
            portal=settings.portal,
            rulebook=session.rulebook,
            calendar=session.calendar,
            period=period,
            now=session.clock.now(),
            poll_every=settings.updates.poll_every,
            decided=_updates_decide.decided_of(session),
        )


def _items(session: Session, period: Period) -> Sequence[tuple[Observation, Weighed]]:
    """Return the items that concern a period, each with what it is worth."""
    from checks.updates.job import items_of  # noqa: PLC0415  # start-up time

    settings, decided = session.settings, _updates_decide.decided_of(session)
    with open_store(session) as store:
        items = items_of(
            store,
            sources=update_sources(settings),
            units=settings.units,
            portal=settings.portal,
            rulebook=session.rulebook,
            calendar=session.calendar,
            period=period,
            now=session.clock.now(),
            poll_every=settings.updates.poll_every,
            decided=decided,
        )
        whole = {one.id: one for one in decided.attested} | store.observations(item.seen.id for item in items)
    return [(whole[item.seen.id], item) for item in items]


def _moment(at: int | None) -> datetime | None:
    from checks.updates.rules.stamps import moment  # noqa: PLC0415  # start-up time

    return None if at is None else moment(at)


def _source_warnings(session: Session) -> tuple[Message, ...]:
    """Name the sources that gave nothing usable when they were last looked at, or never were: what they show is not in."""
    with open_store(session) as store:
        newest = {poll.source: poll for poll in store.newest_polls()}
    found = []
    for table in session.settings.update_sources:
        poll = newest.get(table.id)
        if poll is None:
            found.append(msg("source {source} was never looked at", source=table.id))
        elif not poll.ok:
            found.append(
                msg(
                    "source {source} gave nothing usable on {day}: {cause}",
                    source=table.id,
                    day=poll.polled_at,
                    cause=poll.cause,
                )
            )
    return tuple(found)


def _untold_warnings(untold: Sequence[Poll]) -> tuple[Message, ...]:
    """Say that an earlier run was cut off before it could tell of its looks, and that this one does."""
    if not untold:
        return ()
    said = nmsg(
        "{n} look of a run that was cut off is recorded only now: {sources}",
        "{n} looks of a run that was cut off are recorded only now: {sources}",
        len(untold),
        sources=show_text(", ".join(sorted({poll.source for poll in untold})), 300),
    )
    return (said,)


def _offset_warnings(session: Session) -> tuple[Message, ...]:
    """Name the sources whose times are hours off, and the setting that mends each."""
    from checks.updates.offsets import offset_of, say_offset  # noqa: PLC0415  # start-up time

    usual = session.clock.now().astimezone(session.zone_of_portal).utcoffset() or timedelta()
    hours = usual // timedelta(hours=1)
    with open_store(session) as store:
        dated = store.dated()
    # What people attest is dated by them: a mail's own date, a register's day.
    asked = [one.traits.id for one in update_sources(session.settings) if not one.traits.attested]
    offsets = (offset_of(dated[one], usual_hours=hours) for one in asked if one in dated)
    zone = session.settings.portal.timezone
    return tuple(say_offset(offset, usual_hours=hours, zone=zone) for offset in offsets if offset is not None)


def _day(session: Session, text: str | None) -> date:
    """Return the day that is asked for; without one, today."""
    today = session.clock.now().astimezone(session.zone_of_portal).date()
    day = parse_day(text) if text is not None else today
    if day > today:
        raise UsageError(
            msg("{day} lies in the future", day=day),
            msg("Give today or a day before it; today is {today}.", today=today),
        )
    return day


def _units(session: Session, unit: str | None) -> tuple[Unit, ...]:
    return session.settings.units if unit is None else (known_unit(session, unit),)


def _exit_code(verdicts: Sequence[DutyVerdict]) -> ExitCode:
    if DutyVerdict.UNMET in verdicts:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if DutyVerdict.INSUFFICIENT_EVIDENCE in verdicts else ExitCode.OK
