"""Draft a period's report on compliance with the updating rules

--month 2026-11 is the province's reporting month, from 15 October to 14 November; with --calendar-month it is 1 to 30
November. --period gives any other span. The report includes what the managing unit itself missed. It has the form of
Decree 30/2020/NĐ-CP, with a blank number.

Example: portalops updates report --month 2026-11 --to department --format docx,pdf --output .

EXIT STATUS: 0 written, 2 no such month, period, addressee or format, or the period is in the future
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Optional
from zoneinfo import ZoneInfo

import typer

from checks.updates.judging_processes import JudgedPeriod
from checks.updates.summing import sums_and_portal
from checks.updates.terms import Terms
from checks.updates.time_limits import timeliness_of
from checks.updates.unit_names import UnitNames
from checks.updates.variety import variety_of
from commands.cli.entries import addressee_of
from commands.cli.languages import languages_option
from commands.cli.periods import period_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.cases import unreadable_of
from commands.jobs.former_shortfalls import former_of, say_former_of
from commands.jobs.kinds.updates import decided_of, open_store, store_place, update_sources
from commands.jobs.papers import chosen_formats, write_papers
from commands.updates.steps import judged_period, lost_confirmations, lost_exemptions
from portalops.compliance.handling import Handling, escalations, late_answer, own_delays
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.cases import CaseState
from portalops.model.message import Message, msg
from portalops.model.organisation import exists_during
from portalops.model.period import Period, parse_period
from portalops.model.record import Digest
from portalops.model.reporting import reporting_month
from portalops.model.sent import Addressee
from portalops.model.text import show_text
from portalops.official.build_period import ASSESSED, PeriodFacts, build_period, due_on, lasted_in, source_words
from portalops.official.office import office_on
from portalops.registers.attested import read_attested
from portalops.registers.cases import Case, read_cases
from portalops.registers.confirmations import read_confirmations
from portalops.registers.exemptions import read_exemptions
from portalops.registers.incidents import read_incidents
from portalops.reports.document import Paragraph, TableBlock
from portalops.rulebooks.limits.load import load_rule_set


def lost_decisions(session: Session) -> tuple[Message, ...]:
    """Say which records of what people decided and attest cannot be read, so that what is judged may lack something."""
    ledger = session.ledger
    return (
        *lost_exemptions(read_exemptions(ledger)),
        *lost_confirmations(read_confirmations(ledger)),
        *(
            msg("record {seq} of an attestation cannot be read: {why}", seq=one.seq, why=error.message)
            for one, error in read_attested(ledger).unreadable
        ),
    )


OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
MONTH_DAYS = 31


@shape
class DraftedReport:
    """One file of the report."""

    id: Path
    """Where it lies."""
    sha256: Digest
    period: str
    """First and last day, joined by `..`."""
    due_on: date


def report(
    ctx: typer.Context,
    *,
    month: Annotated[OptionalText, typer.Option("--month", metavar="MONTH", help=_("Such as 2026-11"))] = None,
    calendar_month: Annotated[
        bool, typer.Option("--calendar-month", help=_("From the first to the last day of the month"))
    ] = False,
    period: Annotated[
        OptionalText, typer.Option("--period", help=_("Day, week, month or year, or two joined by '..'"))
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="department|committee", help=_("department or committee"))
    ] = "department",
    format_: Annotated[
        str, typer.Option("--format", metavar="LIST", help=_("docx, markdown, pdf, xlsx, joined by commas"))
    ] = "docx",
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help=_("Where the files go"))] = Path(),
    language: Annotated[
        str,
        typer.Option("--language", metavar="vi|en|both", help=_("vi is what is sent; en is a translation for reading")),
    ] = "vi",
) -> Result[tuple[DraftedReport, ...]]:
    session = open_session(ctx)
    some = chosen_formats(format_)
    languages = languages_option(language, ("vi",))
    chosen = _period(session, month, period, calendar_month=calendar_month)
    addressee = addressee_of(to)
    read = read_cases(session.ledger)
    facts = _facts(session, chosen, read.cases)
    paper = build_period(
        facts,
        office_on(session.today, session.settings.actors, session.settings.office),
        session.rulebook,
        session.calendar,
        to_committee=addressee is Addressee.COMMITTEE,
        zone=session.settings.portal.timezone,
    )
    files = write_papers(paper, f"{chosen.first}--{chosen.last}-{to}", some, output, languages=languages)
    due = due_on(chosen, session.calendar, session.rulebook.numbers)
    rows = [(str(path), digest) for path, digest in files]
    return Result(
        tuple(DraftedReport(path, digest, str(chosen), due) for path, digest in files),
        [
            TableBlock(msg("Drafts"), (msg("File"), msg("SHA-256")), rows),
            Paragraph(
                msg("The report was due on {day}.", day=due)
                if session.today > due
                else msg("The report is due on {day}.", day=due)
            ),
        ],
        warnings=(
            *session.calendar.warnings(chosen),
            *_not_over(session, chosen),
            *unreadable_of(read),
            *lost_decisions(session),
        ),
    )


def _month(text: str) -> Period:
    no_month = UsageError(msg("--month: {text} is not a month", text=show_text(text, 40)), msg("Write it as 2026-11."))
    try:
        chosen = parse_period(text)
    except ValueError as error:
        raise no_month from error
    after = chosen.last + timedelta(days=1)
    if chosen.first.day != 1 or after.day != 1 or (after - chosen.first).days > MONTH_DAYS:
        raise no_month
    return chosen


def _period(session: Session, month: str | None, period: str | None, *, calendar_month: bool) -> Period:
    if (month is None) == (period is None):
        raise UsageError(
            msg("--month and --period are both given, or both missing"),
            msg("Give one of the two, such as --month 2026-11 or --period 2026-10-15..2026-11-14."),
        )
    if period is not None:
        chosen = period_of(period, "--period")
    else:
        chosen = _month(month or "")
        cut_off = 0 if calendar_month else session.rulebook.numbers.report_cut_off_day
        chosen = reporting_month(chosen.first.year, chosen.first.month, cut_off)
    today = session.today
    if chosen.first > today:
        raise UsageError(
            msg("the period begins on {day}, in the future", day=chosen.first), msg("Name a period that has begun.")
        )
    return chosen


def _not_over(session: Session, period: Period) -> Iterator[Message]:
    if period.last >= session.today:
        yield msg("the period ends on {day}: the draft does not cover all of it yet", day=period.last)


def _facts(session: Session, period: Period, cases: Sequence[Case]) -> PeriodFacts:
    settings = session.settings
    place = store_place(session.settings, session.environment)
    terms = Terms(
        session.rulebook,
        session.calendar,
        ZoneInfo(settings.portal.timezone),
        session.clock.now(),
        settings.updates.poll_every,
        decided_of(session.reader, session.zone_of_portal),
    )
    sources = [source.traits for source in update_sources(settings)]
    units = [unit for unit in settings.units if exists_during(unit, period)]
    before = _previous_period(period)
    known = UnitNames(settings.units, terms.zone, settings.portal.name.vi)
    sums, days = sums_and_portal(JudgedPeriod(place, sources, period, terms, known), units)
    old, _days = sums_and_portal(
        JudgedPeriod(place, sources, before, terms, known), [u for u in units if exists_during(u, before)]
    )
    with open_store(session.settings, session.environment) as store:
        _begins, ends = period.bounds(terms.zone)  # what a source does later is no matter of the period
        failed = {poll.source for poll in store.newest_polls(before=ends) if not poll.ok}
        window = store.window(terms.wanted_from(period), terms.now)
        variety = variety_of(window, sources=sources, period=period, terms=terms)
        timeliness = [
            timeliness_of(window, load_rule_set(one), sources=sources, period=period, terms=terms)
            for one in settings.updates.rule_sets
        ]
    handling = Handling(session.rulebook.numbers, session.calendar, session.zone_of_portal, session.today)
    names = {unit.id: unit.name for unit in settings.units}
    silent = [source_words(source, names) for source in sources if source.id in failed]
    incidents = read_incidents(session.ledger)
    of_period = tuple(case for case in cases if case.was_opened and case.week.period().last in period)
    return PeriodFacts(
        period=period,
        names=names,
        sums=sums,
        before={one.unit: one for one in old if any(one.weeks.get(verdict) for verdict in ASSESSED)},
        portal_days=days,
        cases=of_period,
        escalations=[one for one in escalations(cases, handling) if one.case.week.period().last in period],
        hearings=[case for case in cases if case.state is CaseState.HEARING and case.week.period().last in period],
        on_trial={unit.id: unit.cases_from for unit in units if unit.cases_from is not None},
        late_steps=own_delays(cases, handling, period),
        late_answers={case.id: late for case in of_period if (late := late_answer(case, handling))},
        exemptions=[
            each for each in terms.decided.exemptions if each.first <= period.last and period.first <= each.last
        ],
        exemption_remarks={
            each.exemption.id: each.remarks(
                session.calendar,
                terms.zone,
                entered_within=session.rulebook.numbers.exemption_entered_working_days,
            )
            for each in read_exemptions(session.ledger).exemptions
        },
        sources=len(sources),
        silent_sources=tuple({str(word): word for word in silent}.values()),
        incidents=[one for one in incidents.incidents.values() if lasted_in(one, period, terms.zone)],
        incidents_lost=len(incidents.every_lost()),
        variety=variety,
        timeliness=timeliness,
        former=say_former_of(session, former_of(session, period, lambda: judged_period(session, period).unit_weeks)),
    )


def _previous_period(period: Period) -> Period:
    """Return the period before: as many months where it is whole months, else as many days."""
    last, after = period.first - timedelta(days=1), period.last + timedelta(days=1)
    if after.day != period.first.day:
        return Period(last - (period.last - period.first), last)
    months = (after.year - period.first.year) * 12 + after.month - period.first.month
    index = period.first.year * 12 + period.first.month - 1 - months
    return Period(date(index // 12, index % 12 + 1, period.first.day), last)


VERB = Verb(report)
