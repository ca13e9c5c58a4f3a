"""Draft the letter that reminds a unit

It covers the hearings of the unit that have no explanation yet and end on the same day, in the form of Decree 30/2020/NĐ-CP. Number and
date stay blank: the clerk assigns them after the signature, and 'case register-doc' records them. The sheet of the
unit's items goes with it, a file for each week. Drafting records nothing.

Example: portalops case letter 2026-W47/so-y-te --format docx,pdf --output .

EXIT STATUS: 0 written, 2 no such case, no open case without an explanation, or no such format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from checks.updates.account import ItemCounts
from commands.case.views import handling_of
from commands.cli.entries import unit_name
from commands.cli.languages import languages_option
from commands.cli.periods import parse_day
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.cases import known_case, unreadable_of
from commands.jobs.papers import chosen_formats, write_papers
from commands.jobs.unit_sheets import account_and_items, sheet_document, write_sheets
from portalops.bodies import decode_part
from portalops.compliance.former_shortfalls import explain_ended_duty
from portalops.compliance.handling import Handling, next_due
from portalops.errors import PortalOpsError, UpdatesError, UsageError
from portalops.locale import _
from portalops.model.cases import THE_PORTAL, CaseDuty, CaseId, CaseState, CaseStep
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name, UnitId, exists_during, is_valid_on
from portalops.model.period import Period, Week
from portalops.model.record import Digest
from portalops.model.updates import ItemChannel, UpdatesResult
from portalops.official.build_reminder import EndedUnit, build_reminder, uncounted_items
from portalops.official.office import office_on
from portalops.registers.cases import Case, ReadCases, read_cases
from portalops.reports.document import Paragraph, TableBlock

if TYPE_CHECKING:
    from checks.updates.account import WeekAccount
    from portalops.model.organisation import Agency
    from portalops.model.updates import Observation

OPEN = frozenset({CaseState.HEARING, CaseState.DETECTED})
"""In which states a unit's time to answer is not over: of what was opened without an answer a reminder would be false."""


@shape
class DraftedLetter:
    """One file of the letter."""

    id: Path
    """Where it lies."""
    sha256: Digest
    cases: tuple[CaseId, ...]
    """The cases that it is about."""


def letter(
    ctx: typer.Context,
    case: Annotated[
        str, typer.Argument(metavar="CASE", help=_("The case's id, WEEK/UNIT/DUTY, or the beginning of one"))
    ],
    *,
    format_: Annotated[
        str, typer.Option("--format", metavar="LIST", help=_("docx, markdown, pdf, xlsx, joined by commas"))
    ] = "docx",
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help=_("Where the files go"))] = Path(),
    language: Annotated[
        str,
        typer.Option("--language", metavar="vi|en|both", help=_("vi is what is sent; en is a translation for reading")),
    ] = "vi",
    sent_on: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--date", metavar="DAY", help=_("The day on which the letter goes out; today if not given")),
    ] = None,
) -> Result[tuple[DraftedLetter, ...]]:
    session = open_session(ctx)
    some = chosen_formats(format_)
    languages = languages_option(language, ("vi",))
    read = read_cases(session.ledger)
    asked = _asked_case(read, case)
    unit = asked.unit
    handling = handling_of(session)
    goes_out = handling.today if sent_on is None else parse_day(sent_on)
    if goes_out < handling.today:
        raise UsageError(
            msg("--date {day} is over: the unit's days run from the day on which the letter is recorded", day=goes_out),
            msg("Give the day on which the letter goes out, or leave --date out for today."),
        )
    terms = {
        each.id: _term(each, handling, goes_out) for each in read.cases if each.unit == unit and _is_unexplained(each)
    }
    named = asked.id
    # One letter names one day: that of the case which was asked for, else the first.
    explain_by = terms.get(named) or min(terms.values(), default=goes_out)
    of_unit = [each for each in read.cases if terms.get(each.id) == explain_by]
    if unit == THE_PORTAL or not of_unit:
        raise UsageError(
            msg("no open case of {unit} needs a letter", unit=unit_name(session, unit)),
            msg(
                "The managing unit sends itself no letter: record the internal reminder, such as minutes, with"
                " 'portalops case remind'."
            )
            if unit == THE_PORTAL
            else msg("Run 'portalops case list --all' to see what was done."),
        )
    ended = tuple(_ended_duties(session, unit, of_unit))
    name = unit_name(session, unit)
    accounts = _accounts(session, unit, of_unit)
    sheets = {week: sheet_document(session, *account) for week, account in accounts.items()}
    spans = [week.period() for week in sorted({each.week for each in of_unit})]
    spans.append(Period(handling.today, max(goes_out, explain_by)))
    doubts: list[Message] = []
    for span in spans:
        doubts += [doubt for doubt in handling.calendar.warnings(span) if doubt not in doubts]
    paper = build_reminder(
        office_on(session.today, session.settings.actors, session.settings.office),
        name if isinstance(name, Name) else Name(unit, unit),
        of_unit,
        session.rulebook,
        explain_by=explain_by,
        zone=session.settings.portal.timezone,
        uncounted=uncounted_items(_judgings_of(session, of_unit), of_unit, session.zone_of_portal),
        reasons=_reasons(account for _unit, _week, account, _whole in accounts.values()),
        ended=_ended(session, unit, handling.today),
        has_sheet=bool(sheets),
        doubts=doubts,
    )
    stem = f"{handling.today.isoformat()}-{unit}"
    files = write_papers(paper, stem, some, output, languages=languages)
    files = (*files, *write_sheets(sheets, stem, [each.suffix for each in some], output, languages=languages))
    rows = [(str(path), digest) for path, digest in files]
    about = nmsg("The letter covers {n} case.", "The letter covers {n} cases.", len(of_unit))
    holds = msg(
        "Its last day, {day}, holds for a letter that goes out on {sent}. If it goes out later, draft it again with --date.",
        day=explain_by, sent=goes_out,
    )  # fmt: skip
    return Result(
        tuple(DraftedLetter(path, digest, tuple(each.id for each in of_unit)) for path, digest in files),
        [TableBlock(msg("Drafts"), (msg("File"), msg("SHA-256")), rows), Paragraph(about), Paragraph(holds)],
        warnings=(*ended, *unreadable_of(read), *doubts),
    )


def _ended_duties(session: Session, unit: UnitId, cases: Sequence[Case]) -> Iterator[Message]:
    """Yield what a letter's cases are about and is not asked of the unit any more.

    Raises:
        UsageError: the unit did not exist in a week, as it is configured now.
    """
    own = next((one for one in session.settings.units if one.id == unit), None)
    for case in cases:
        if own is None:
            continue
        channel = ItemChannel.SUBPORTAL if case.duty is CaseDuty.SUBPORTAL else ItemChannel.SUBMISSION
        cause = explain_ended_duty(own, case.week, channel)
        if cause is None:
            continue
        if not exists_during(own, case.week.period()):
            raise UsageError(
                msg("case {case}: the unit did not exist in the week, by {cause}", case=case.id, cause=cause),
                msg(
                    "Correct the setting; or record what the unit says with 'portalops case explain {case}'.",
                    case=case.id,
                ),
            )
        yield msg(
            "case {case}: the duty was judged unmet, and is not asked any more: {cause}", case=case.id, cause=cause
        )


def _asked_case(read: ReadCases, name: str) -> Case:
    """Return the case of an id or its beginning; the first of several of one unit and week, whom one letter covers.

    Raises:
        UsageError: there is none, or there are several of more than one unit or week.
    """
    found = [case for case in read.cases if case.id.startswith(name)]
    if name and len({(case.unit, case.week) for case in found}) == 1:
        return next((case for case in found if _is_unexplained(case)), found[0])
    return known_case(read, name)


def _accounts(
    session: Session, unit: UnitId, cases: Sequence[Case]
) -> dict[Week, tuple[Agency, Week, WeekAccount, dict[str, Observation]]]:
    """Return what the sheet of each week that the letter is about rests on; none for a unit that is not configured, or without a store."""
    own = next((one for one in session.settings.units if one.id == unit), None)
    found: dict[Week, tuple[Agency, Week, WeekAccount, dict[str, Observation]]] = {}
    for week in sorted({case.week for case in cases}) if own is not None else ():
        with suppress(UsageError, UpdatesError):
            assert own is not None
            found[week] = (own, week, *account_and_items(session, own, week))
    return found


def _reasons(accounts: Iterable[WeekAccount]) -> dict[str, Message]:
    """Return why items do not count for certain, by their ids; of one of two weeks, why it may count in one of them."""
    items = [one for account in accounts for one in account.items]
    without = {one.item.seen.id: one.why for one in items if one.counts is ItemCounts.NO}
    return without | {one.item.seen.id: one.why for one in items if one.counts is ItemCounts.PERHAPS}


def _judgings_of(session: Session, cases: Sequence[Case]) -> Iterator[UpdatesResult]:
    """Yield the judgings that found some cases, as far as they can be read: a letter names no item that it cannot."""
    seqs = {case.shortfall.judged_seq for case in cases if case.shortfall}
    for record in session.ledger.records(kinds=("updates.finished",)):
        if record.seq in seqs:
            with suppress(PortalOpsError):
                found = decode_part(session.ledger.blob(record.body), "updates", UpdatesResult)
                if found is not None:
                    yield found


def _term(case: Case, handling: Handling, goes_out: date) -> date:
    """Return the last day on which a unit may answer: of its reminder, or of a letter that goes out on a day."""
    due = next_due(case, handling)
    if due is not None and due.step is CaseStep.EXPLAINED:
        return due.by
    return handling.calendar.add_working_days(goes_out, handling.numbers.case_explain_working_days)


def _is_unexplained(case: Case) -> bool:
    return case.state in OPEN and case.newest(CaseStep.EXPLAINED) is None


def _ended(session: Session, unit: UnitId, today: date) -> EndedUnit | None:
    """Return when a unit ended, and who is there today of those that took over from it; None while it exists.

    Raises:
        UsageError: nobody is configured to have taken over.
    """
    units = {one.id: one for one in session.settings.units}
    own = units.get(unit)
    if own is None or own.valid_to is None or own.valid_to >= today:
        return None
    found: list[Name] = []
    asked, todo = {unit}, list(own.successors)
    while todo:
        one = units.get(todo.pop(0))
        if one is None or one.id in asked:
            continue
        asked.add(one.id)
        if is_valid_on(one, today):
            found.append(one.name)
        else:
            todo += one.successors
    if not found:
        raise UsageError(
            msg("{unit} ended on {day} and has no successor in the configuration", unit=own.name, day=own.valid_to),
            msg("Add the successors to its [[unit]] table."),
        )
    return EndedUnit(own.valid_to, found)


VERB = Verb(letter)
