"""Record what a unit answers in its hearing

Of an item the unit gives a date, which is confirmed, or says that an item of an unknown sender is its own. --answers takes the sheet that it filled in. A text without items is its explanation: --reason, or
what the mail itself says. All cases of the week take
the answer.

Example: portalops case answer so-y-te 2026-W47 --item 3f2a91 --on 2026-11-18 --document '07/BB-SYT, 25/11/2026' --by
'Văn phòng Sở Y tế' --file bien-ban.pdf

EXIT STATUS: 0 recorded or shown, 2 no such unit, week, case or item, or the answer does not fit an item
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from checks.updates.attribution import likely_units
from checks.updates.mail import ReadMail, read_mail
from checks.updates.unit_names import UnitNames
from commands.case.options import On, OptionalText
from commands.case.steps import known_week
from commands.case.views import handling_of, late_answer_warning
from commands.cli.entries import (
    MAX_TEXT,
    DocumentFile,
    DryRun,
    caller_of,
    document_in,
    known_unit,
    next_id,
    past_day,
    unit_name,
    unkept_document,
    written_text,
)
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.graded_items import require_confirmable
from commands.jobs.kinds.updates import open_store, require_possible_day, update_sources
from commands.jobs.unit_answers import AnswerPlan, UnitAnswer, plan_answer, record_answer
from commands.jobs.unit_sheets import account_and_items
from portalops.compliance.unit_answers import AnswerSheet, ItemAnswer, naming_line, read_answers
from portalops.errors import UpdatesError, UsageError
from portalops.locale import _
from portalops.model.cases import CaseId, Paper
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.submissions import ObservedItem
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel, Observation, UpdateSourceTraits
from portalops.registers.attested import ATTESTED_KINDS, read_attested
from portalops.registers.cases import read_cases
from portalops.reports.document import Cell, KeyValues
from portalops.reports.words import week_status

OptionalPath = Optional[Path]  # noqa: UP045  # Typer reads it at run time


@shape
class TakenAnswer:
    """What a unit's answer came to."""

    unit: UnitId
    week: str
    """In the form 2026-W47."""
    confirmed: tuple[str, ...]
    """Ids of items whose claimed date is confirmed."""
    attributed: tuple[str, ...]
    """Ids of the entries by which items of unknown senders are the unit's."""
    cases: tuple[CaseId, ...]
    """Cases that took the answer."""
    records: tuple[int, ...]
    """Empty if it was only shown."""


def answer(
    ctx: typer.Context,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help=_("The unit, by its id"))],
    week: Annotated[str, typer.Argument(metavar="WEEK", help=_("The week, such as 2026-W47"))],
    *,
    item: Annotated[
        Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--item", metavar="ITEM", help=_("Id of an item, or its beginning; may be given several times")),
    ] = None,
    published_on: Annotated[
        OptionalText, typer.Option("--on", metavar="DAY", help=_("The day on which the items were published or sent"))
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help=_("The items, of an unknown sender, are the unit's own"))
    ] = False,
    answers: Annotated[
        OptionalPath, typer.Option("--answers", metavar="CSV", help=_("The filled-in sheet: item, answer, document"))
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("The unit's explanation"))] = "",
    document: Annotated[
        str, typer.Option("--document", metavar="TEXT", help=_("Number and date of the supporting document"))
    ] = "",
    on: On = None,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help=_("Who answered for the unit; of a mail, its sender"))
    ] = "",
    officer: Annotated[
        str, typer.Option("--officer", metavar="NAME", help=_("Who takes the answer; by default the account"))
    ] = "",
    file: DocumentFile = None,
    mail: Annotated[
        OptionalPath, typer.Option("--mail", metavar="FILE", help=_("The mail with the answer, as .eml"))
    ] = None,
    dry_run: DryRun = False,
) -> Result[TakenAnswer]:
    session = open_session(ctx)
    whose, of = known_unit(session, unit).id, known_week(week)
    sheet = _sheet(session, item or (), published_on, ours=ours, answers=answers)
    if file is not None and mail is not None:
        raise UsageError(
            msg("--file and --mail are both given"), msg("Give the one that is the answer: the mail has its files.")
        )
    data = document_in(file if mail is None else mail)
    read = None if mail is None or data is None else _read_mail(data, mail)
    sender, sent_on = ("", None) if read is None else (read.sender, _sent_on(session, read))
    if not sheet.answers and not reason and read is not None:
        reason = show_text(" ".join(read.text.split()), MAX_TEXT)
    if not sheet.answers and not reason:
        raise UsageError(
            msg("the answer has neither items nor an explanation"),
            msg("Give --item with --on or --ours, --answers with the sheet, or --reason with the unit's words."),
        )
    issued_on = past_day(session, on, "--date") if on is not None else sent_on
    if sender and issued_on is None:
        raise UsageError(
            msg("{path}: the mail names no day that can be read", path=show_text(str(mail))),
            msg("Give --date with the day on which it was sent."),
        )
    each_has_one = bool(sheet.answers) and all(one.document for one in sheet.answers)
    named = "; ".join(dict.fromkeys(one.document for one in sheet.answers)) if each_has_one else ""
    number = written_text(document or sender or named, "--document")
    found, named_units = _observations(session, sheet.answers)
    made = UnitAnswer(
        whose,
        of,
        written_text(by or sender, "--by"),
        written_text(officer, "--officer") if officer else caller_of(session),
        written_text(reason, "--reason") if reason else "",
        Paper(number, issued_on),
        f"{number}, {issued_on:%d/%m/%Y}" if number == sender else number,
        found,
        named_units,
        frozenset(one.traits.id for one in update_sources(session.settings) if one.traits.attested),
        _open_for(session, found),
        bool(officer) and data is not None,
    )
    warnings = list(_foreign_sender(session, whose, sender, must_be_own=bool(sheet.answers) and not officer))
    handling = handling_of(session)

    def plan() -> AnswerPlan:
        return plan_answer(session.reader, handling, made, data, lambda count: _ids(session, count))

    planned, records = (plan(), ()) if dry_run else record_answer(session.recorder, plan, data)
    confirmed = tuple(name for one in planned.confirmations for name in one.observations)
    rows: list[tuple[Message, Cell]] = [
        (msg("Unit"), unit_name(session, whose)),
        (msg("Week"), str(of)),
        (msg("Items confirmed"), ", ".join(name[:12] for name in confirmed) or None),
        (msg("Items that are the unit's own"), ", ".join(one.title for one in planned.items) or None),
        (msg("Cases"), ", ".join(move.id for move in planned.moves) or None),
        (
            msg("Recorded in"),
            nmsg("record {seqs}", "records {seqs}", len(records), seqs=", ".join(str(record.seq) for record in records))
            if records
            else msg("nothing: only shown"),
        ),
    ]
    if records:
        with suppress(UsageError, UpdatesError):  # what is recorded stands, also where nothing can be judged
            judged = account_and_items(session, known_unit(session, unit), of)[0].week
            word = week_status(judged.verdict, is_over=of.period().last < session.today).word
            rows.append((msg("The week now"), msg("{verdict}: {why}", verdict=word, why=judged.reason)))
    warnings += _other_claims(session, planned)
    if data is None and (planned.confirmations or planned.items):
        warnings.append(unkept_document(made.officer))
    answered = {move.id for move in planned.moves}
    for case in read_cases(session.reader).cases if records else ():
        warnings += late_answer_warning(case, handling) if case.id in answered else ()
    blank = nmsg("{n} line of the sheet answers nothing", "{n} lines of the sheet answer nothing", sheet.blank)
    return Result(
        TakenAnswer(
            whose,
            str(of),
            confirmed,
            tuple(one.id for one in planned.items),
            tuple(move.id for move in planned.moves),
            tuple(record.seq for record in records),
        ),
        [KeyValues(rows)],
        warnings=(*warnings, blank) if sheet.blank else tuple(warnings),
    )


def _foreign_sender(session: Session, unit: UnitId, sender: str, *, must_be_own: bool) -> Iterator[Message]:
    """Say that a mail came from no address of the unit: anybody can write one, and a claim of items rests on nothing else.

    Raises:
        UsageError: so it did, and nobody vouches for it.
    """
    names = UnitNames(session.settings.units, session.zone_of_portal, session.settings.portal.name.vi)
    traits = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False, attested=True)
    whose = names.find(sender, traits, session.clock.now()) if sender else unit
    if whose == unit:
        return
    said = (
        msg("the mail of {sender} is not from an address of unit {unit}", sender=sender, unit=unit)
        if whose is None
        else msg("the mail of {sender} is of unit {other}, not of {unit}", sender=sender, other=whose, unit=unit)
    )
    if must_be_own:
        raise UsageError(
            said,
            msg(
                "Ask the unit, then give --officer with the name of who vouches for it; or add the address or its domain to"
                " the aliases of {unit}.",
                unit=unit,
            ),
        )
    yield said


def _sheet(
    session: Session, items: Sequence[str], published_on: str | None, *, ours: bool, answers: Path | None
) -> AnswerSheet:
    """Return what is answered of items, from the options or from the sheet.

    Raises:
        UsageError: items lack an answer, an answer lacks items, or the sheet cannot be read.
    """
    if answers is not None:
        if items or ours or published_on is not None:
            raise UsageError(
                msg("--answers and --item are both given"), msg("Give the sheet, or single items with their answer.")
            )
        return read_answers(document_in(answers) or b"")
    if bool(items) != (ours or published_on is not None) or (ours and published_on is not None):
        raise UsageError(
            msg("--item needs one answer, and an answer needs --item"),
            msg("Give --item with --on DAY, or --item with --ours."),
        )
    day = None if ours or published_on is None else past_day(session, published_on, "--on")
    return AnswerSheet(tuple(ItemAnswer(item, day, "") for item in items), 0)


def _read_mail(data: bytes, path: Path) -> ReadMail:
    """Return what a mail of a person says.

    Raises:
        UsageError: a program sent it, or it names no sender.
    """
    read = read_mail(data)
    if read.is_automatic or not read.sender:
        raise UsageError(
            msg("{path} is no mail of a person", path=show_text(str(path))),
            msg("Save the unit's own mail as .eml, and give that file by --mail."),
        )
    return read


def _sent_on(session: Session, read: ReadMail) -> date | None:
    """Return the local day that a mail claims; None if it names none that can be read."""
    try:
        sent_on = parsedate_to_datetime(read.date).astimezone(session.zone_of_portal).date()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(sent_on, session.today)


def _observations(
    session: Session, answers: Sequence[ItemAnswer]
) -> tuple[tuple[tuple[ItemAnswer, Observation], ...], dict[str, frozenset[UnitId]]]:
    """Return each answer with its item, and the units that sources have named for items that they put right.

    Raises:
        UsageError: one names no item, or several, or a day that the kept answers refute.
    """
    found: list[tuple[ItemAnswer, Observation]] = []
    if not answers:
        return (), {}
    with open_store(session.settings, session.environment) as store:
        for one in answers:
            with naming_line(one):
                matches = store.beginning_with(one.item)
                if len(matches) != 1 or not one.item:
                    shown = show_text(one.item, 40)
                    said = (
                        msg("several items begin with {item}", item=shown)
                        if matches
                        else msg("there is no item {item}", item=shown)
                    )
                    raise UsageError(said, msg("Run 'portalops updates list' and give an id that it shows."))
                (item,) = matches
                if one.published_on is not None:
                    require_possible_day(store, item, one.published_on, session.zone_of_portal)
                    require_confirmable(session, store, item, one.published_on, None)
                if any(item.id == other.id for _answer, other in found):
                    raise UsageError(
                        msg("item {item} is answered twice", item=item.id[:12]), msg("Give one answer for each item.")
                    )
                found.append((one, item))
        return tuple(found), store.units_named(item.id for _answer, item in found)


def _open_for(session: Session, found: Sequence[tuple[ItemAnswer, Observation]]) -> Mapping[str, Sequence[UnitId]]:
    """Return the units for which each item that is claimed is open by name, mention or address."""
    names = UnitNames(session.settings.units, session.zone_of_portal, session.settings.portal.name.vi)
    traits = {one.traits.id: one.traits for one in update_sources(session.settings)}
    return {
        item.id: likely_units(
            item.unit_name, names, traits.get(item.source), item.created_at or item.published_at or item.first_seen_at
        )
        for said, item in found
        if said.published_on is None and item.unit is None
    }


def _other_claims(session: Session, planned: AnswerPlan) -> Iterator[Message]:
    """Say which items several units claim, so that they count for none."""
    for each in read_attested(session.reader).standing:
        other = each.what
        for one in planned.items:
            if isinstance(other, ObservedItem) and other.collected == one.collected and other.unit != one.unit:
                yield msg(
                    "item {item} is claimed by {unit} too, as {id}: it is open for both until an officer takes one claim back with 'portalops updates observe --withdraw {id}'",
                    item=one.collected[:12],
                    unit=other.unit or "",
                    id=other.id,
                )


def _ids(session: Session, count: int) -> Sequence[str]:
    prefix, _hyphen, number = next_id(session, "OB", ATTESTED_KINDS).rpartition("-")
    return [f"{prefix}-{int(number) + more:03}" for more in range(count)]


VERB = Verb(answer)
