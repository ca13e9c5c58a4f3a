"""Take the official notice of a year's days off into the province's calendar file

The expected days of the year are the proposal; --off, --work and --swap correct it by the notice, or --rows gives a file
with all of its rows, such as a corrected draft. The differences to the calendar in force are shown before it is written. The
notice is put behind what the file of 'calendar.file' holds, and recorded in the ledger if there is one.

Example: portalops calendar confirm 2027 --document 'Thông báo số 123/TB-BNV, 20/11/2026' --work 2027-02-04 --off
2027-02-11:tet --swap 2027-09-01=2027-08-28 --file thong-bao.pdf

EXIT STATUS: 0 taken, there already, or shown; 2 wrong usage, a day that cannot be right, or the year rests on another
document; 4 the file could not be written
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import replace as with_values
from datetime import date
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.calendar.views import ChangedDay, changed_days, changed_table
from commands.cli.entries import DocumentFile, DryRun, caller_of, document_in, written_text
from commands.cli.prompt import prompt_for
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops import bodies
from portalops.calendar import Calendar, load
from portalops.calendar.expected import expect
from portalops.calendar.notice import (
    NoticeCorrection,
    YearNotice,
    check_notice,
    correct,
    lacking_holidays,
    notice_toml,
    propose,
    read_notice,
)
from portalops.calendar.table import documents_of_notices, overlay
from portalops.errors import LedgerMissing, UsageError
from portalops.files import append_whole, write_atomically
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.calendar_notices import CalendarNotice
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.calendar_notices import CALENDAR_NOTICE, CONFIRMED, is_recorded
from portalops.reports.document import Block, Paragraph

Texts = Optional[list[str]]  # noqa: UP045  # Typer reads it at run time


@shape
class ConfirmedCalendar:
    """The notice of a year."""

    year: int
    document: str
    calendar_file: Path
    """Where its rows stand."""
    off: tuple[date, ...]
    """Days off, those that are worked on another day among them."""
    work: tuple[date, ...]
    """Days of weekly rest that are worked."""
    changes: tuple[ChangedDay, ...]
    """Days on which it differs from the calendar that was in force."""
    toml: str
    """Its rows, as they stand in the file."""
    written: bool
    """It was put into the file now; false if it was only shown, or is there already."""
    record: int | None
    """Its record; null if nothing was recorded now."""
    evidence: Digest | None
    """SHA-256 of the notice itself, where it was given."""


def confirm(
    ctx: typer.Context,
    year: Annotated[int, typer.Argument(help=_("A year such as 2027"), min=2010, max=2100)],
    *,
    document: Annotated[
        str, typer.Option("--document", metavar="TEXT", help=_("Number, date and issuer of the notice"))
    ],
    off: Annotated[
        Texts,
        typer.Option("--off", metavar="DAY:NAME", help=_("A further day off, such as 2027-02-11:tet; may be repeated")),
    ] = None,
    work: Annotated[
        Texts,
        typer.Option(
            "--work", metavar="DAY", help=_("A day that is worked although it was expected off; may be repeated")
        ),
    ] = None,
    swap: Annotated[
        Texts,
        typer.Option("--swap", metavar="OFF=WORK", help=_("A day off and the day worked for it; may be repeated")),
    ] = None,
    rows: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option("--rows", metavar="FILE", help=_("All rows of the year, in place of the expected days")),
    ] = None,
    file: DocumentFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help=_("Put it in the place of the document that the year rests on"))
    ] = False,
    as_printed: Annotated[
        bool,
        typer.Option("--as-printed", help=_("The notice says so, though it leaves out a holiday of the Labour Code")),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=_("Do not ask"))] = False,
    dry_run: DryRun = False,
) -> Result[ConfirmedCalendar]:
    session = open_session(ctx)
    path = _calendar_file(session)
    named = written_text(document, "--document")
    begun = propose(year, named, expect(year)) if rows is None else _notice_in(rows, year, named)
    notice = correct(begun, NoticeCorrection(_days_off(off), _days(work), _swaps(swap)))
    check_notice(notice)
    if not as_printed:
        _require_holidays(notice)
    paper = document_in(file)
    held = _content(path)
    before, text = overlay(held, path.name) if held else load(), notice_toml(notice)
    after = overlay(held + b"\n" + text.encode(), path.name)
    whole = Period(date(year, 1, 1), date(year, 12, 31))
    earlier = _earlier_document(before, held, path, year)
    is_there = earlier == named and _same(before, after, whole)
    if earlier and not is_there and not replace:
        raise UsageError(
            msg("the calendar of {year} rests on a document already: {document}", year=str(year), document=earlier),
            msg(
                "Run 'portalops calendar show {year}' to see its days; add --replace to put this one in its place.",
                year=str(year),
            ),
        )
    changes = changed_days(before, after, whole)
    view: list[Block] = [changed_table(before, after, whole)] if changes else []
    seq, evidence = None, None
    if not dry_run:
        if not is_there:
            _ask(session, year, len(changes), yes=yes)
            _write(path, text, is_new=not path.exists())
        seq, evidence = _record(session, _recorded_form(session, notice, after, whole, earlier), paper)
    view.append(Paragraph(_described(notice, path, is_there=is_there, dry_run=dry_run)))
    data = ConfirmedCalendar(
        year=year,
        document=named,
        calendar_file=path,
        off=_list_days_off(after, whole),
        work=_worked_rest(after, whole),
        changes=changes,
        toml=text,
        written=not (dry_run or is_there),
        record=seq,
        evidence=evidence,
    )
    unkept = () if paper is not None else (msg("the notice itself is not kept: run this command again with --file"),)
    return Result(data, view, warnings=(*after.warnings(whole), *unkept))


def _require_holidays(notice: YearNotice) -> None:
    lacking = lacking_holidays(notice, expect(notice.year))
    if lacking:
        raise UsageError(
            msg(
                "the notice leaves out {days}: days off by Article 112 of the Labour Code",
                days=", ".join(day.isoformat() for day in lacking),
            ),
            msg("Compare with the notice; if it says so in these words, add --as-printed."),
        )


def _calendar_file(session: Session) -> Path:
    path = session.settings.calendar_file
    if path is None:
        raise UsageError(
            msg(
                "{file} names no calendar file to write the notice into", file=show_text(str(session.settings.files[0]))
            ),
            msg('Set file = "days-off.toml" under [calendar] there, and run this command again: it makes the file.'),
        )
    return path


def _content(path: Path) -> bytes:
    """Return what the calendar file holds; nothing where it is not there yet."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unreadable(path, error) from error


def _notice_in(path: Path, year: int, document: str) -> YearNotice:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return read_notice(year, document, data, path.name)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        msg("cannot read {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)),
        msg("Check the path, and who may read the file."),
    )


def _earlier_document(calendar: Calendar, held: bytes, path: Path, year: int) -> str:
    """Return the document that a year rests on; empty where it is provisional."""
    noticed = documents_of_notices(held, path.name).get(year)
    if noticed is not None:
        return noticed
    return f"working_days.toml {load().version}" if calendar.confirmed(year) else ""


def _same(before: Calendar, after: Calendar, whole: Period) -> bool:
    return all(
        (before.is_working(day), before.reason(day)) == (after.is_working(day), after.reason(day))
        for day in whole.days()
    )


def _ask(session: Session, year: int, changes: int, *, yes: bool) -> None:
    if yes:
        return
    answer = prompt_for(no_input=session.invocation.no_input).ask(
        nmsg(
            "Take the notice of {year}, which changes {n} day? Type 'yes' to do it",
            "Take the notice of {year}, which changes {n} days? Type 'yes' to do it",
            changes,
            year=str(year),
        ),
        option="--yes",
        default="",
        accept=lambda _answer: None,
    )
    if answer.strip().lower() not in {"yes", "có", "co"}:
        raise UsageError(
            msg("the notice was not taken: it was not confirmed"), msg("Type 'yes' when asked, or add --yes.")
        )


def _write(path: Path, text: str, *, is_new: bool) -> None:
    """Put a notice behind what the file holds, which stays as it is."""
    if is_new:
        write_atomically(path, text.lstrip().encode(), mode=stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    else:
        append_whole(Path(os.path.realpath(path)), text.encode())


def _recorded_form(
    session: Session, notice: YearNotice, after: Calendar, whole: Period, earlier: str
) -> CalendarNotice:
    return CalendarNotice(
        notice.year,
        notice.document,
        _list_days_off(after, whole),
        _worked_rest(after, whole),
        caller_of(session),
        after.version,
        "" if earlier == notice.document else earlier,
    )


def _list_days_off(calendar: Calendar, whole: Period) -> tuple[date, ...]:
    return tuple(day for day in whole.days() if not calendar.is_working(day) and calendar.document(day))


def _worked_rest(calendar: Calendar, whole: Period) -> tuple[date, ...]:
    return tuple(day for day in whole.days() if calendar.is_working(day) and day.weekday() >= 5)


def _record(session: Session, notice: CalendarNotice, paper: bytes | None) -> tuple[int | None, Digest | None]:
    """Record a notice once, if the ledger has begun; return its record and the digest of the paper."""
    try:
        session.ledger  # noqa: B018  # asks whether it has begun
    except LedgerMissing:
        return None, None
    ledger = session.writable_ledger
    digest = None if paper is None else ledger.keep(paper)
    given = with_values(notice, file=digest)
    if is_recorded(given, ledger):
        return None, digest

    def decide() -> Sequence[Draft]:
        evidence = () if digest is None else (digest,)
        parts = {"circumstances": session.circumstances, CALENDAR_NOTICE: given, "evidence": evidence}
        return [ledger.draft(CONFIRMED, subject=str(notice.year), body=ledger.keep(bodies.write(parts)))]

    (record,) = ledger.append_decided(decide)
    return record.seq, digest


def _described(notice: YearNotice, path: Path, *, is_there: bool, dry_run: bool) -> Message:
    year, file = str(notice.year), show_text(str(path))
    if is_there:
        return msg("The calendar of {year} rests on this notice already, in {file}.", year=year, file=file)
    if dry_run:
        return msg("Nothing was written; the notice of {year} would be put into {file}.", year=year, file=file)
    return msg("The notice of {year} is in force, in {file}.", year=year, file=file)


def _days_off(texts: Sequence[str] | None) -> tuple[tuple[date, str], ...]:
    found = []
    for text in texts or ():
        day, colon, name = text.partition(":")
        if not colon or not name.strip():
            raise _no_value("--off", text, "2027-02-11:tet")
        found.append((_day("--off", day, "2027-02-11:tet"), name.strip()))
    return tuple(found)


def _days(texts: Sequence[str] | None) -> tuple[date, ...]:
    return tuple(_day("--work", text, "2027-02-04") for text in texts or ())


def _swaps(texts: Sequence[str] | None) -> tuple[tuple[date, date], ...]:
    example = "2027-09-01=2027-08-28"
    found = []
    for text in texts or ():
        off, equals, work = text.partition("=")
        if not equals:
            raise _no_value("--swap", text, example)
        found.append((_day("--swap", off, example), _day("--swap", work, example)))
    return tuple(found)


def _day(option: str, text: str, example: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _no_value(option, text, example) from error


def _no_value(option: str, text: str, example: str) -> UsageError:
    return UsageError(
        msg("{option}: {text} is not written as {example}", option=option, text=show_text(text, 40), example=example),
        msg("Write days as year-month-day, as in the example."),
    )


VERB = Verb(confirm)
