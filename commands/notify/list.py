"""List the letters that were sent, and those that wait

Each letter with the server's answer, from the ledger. Letters that the ledger does not hold yet, and those that wait,
come from the state folder. Without --period, the last month.

Example: portalops notify list; portalops notify list --period 2026-11

EXIT STATUS: 0 nothing waits, 3 letters wait, or something cannot be read
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Optional

import typer

from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.notify import no_channel_error, notify_settings
from commands.jobs.sending import shown_answer
from commands.notify.views import STATE_WORDS
from portalops.errors import ExitCode, LedgerMissing, PortalOpsError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.notifications import Level, Notification, NotificationState
from portalops.model.text import show_text
from portalops.notify.state import NotifyFolder, WaitingLetter
from portalops.registers.notifications import read_notifications
from portalops.reports.document import Block, Cell, Paragraph, TableBlock

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
REACH_BACK = timedelta(days=31)
LEVELS: Mapping[Level, Message] = {
    Level.FAILURE: msg("failure"),
    Level.UNMET: msg("unmet duties"),
    Level.SUMMARY: msg("weekly summary"),
    Level.RECOVERY: msg("recovery"),
    Level.TEST: msg("test"),
}


@shape
class SentLetter:
    """A letter that was sent to a channel, or given up."""

    id: str
    at: datetime
    channel: str
    """Its id in the configuration."""
    kind: str
    """Of the channel: mail, apprise."""
    level: Level
    """Why it was written."""
    subject: str
    about: tuple[str, ...]
    """What it reports: job:ID, unit:NAME, run, ledger, duty:ID."""
    state: NotificationState
    recipients: tuple[str, ...]
    """Who gets it: mailboxes, or names of services."""
    refused: tuple[str, ...]
    """Those for whom it was refused."""
    answer: str
    """The server's own words."""
    problem: str | None
    """Why nobody accepted it, for people; `code` tells the cases apart."""
    code: str | None
    """Of the error, such as PO1604."""
    tries: int
    """How often it was sent."""
    record: int | None
    """In the ledger; null until a run records it."""


@shape
class WaitingShape:
    """A letter that waits to be sent."""

    id: str
    channel: str
    level: Level
    subject: str
    written_at: datetime
    tries: int
    """How often it was sent."""
    problem: str | None
    """Code of the error of the last try, such as PO1604."""


@shape
class LettersShape:
    """Letters of a time, and those that wait."""

    told: tuple[SentLetter, ...]
    """Oldest first."""
    waiting: tuple[WaitingShape, ...]


def list_(
    ctx: typer.Context,
    *,
    period: Annotated[OptionalText, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
) -> Result[LettersShape]:
    session = open_session(ctx)
    settings = notify_settings(session)
    if settings is None:
        session.settings  # noqa: B018  # says what is wrong with it
        raise no_channel_error()
    now = session.clock.now()
    since, until = now - REACH_BACK, None
    if period is not None:
        chosen = period_option(session, period)
        zone = settings.timetable.zone
        since, until = (
            datetime.combine(chosen.first, datetime.min.time(), zone),
            datetime.combine(chosen.last + timedelta(days=1), datetime.min.time(), zone),
        )
    rows, warnings = _recorded(session, since, until)
    state = NotifyFolder(settings.state_folder).load(now)
    rows += [
        (each.at, each.notification, None)
        for each in state.outcomes
        if not each.is_recorded and since <= each.at and (until is None or each.at < until)
    ]
    rows.sort(key=lambda row: row[0])
    view: list[Block] = [_delivery_table(rows)] if rows else [Paragraph(msg("No letter was sent in this period."))]
    view.append(_waiting_table(state.letters) if state.letters else Paragraph(msg("No letter is waiting to be sent.")))
    if not settings.channels:
        warnings.append(no_channel_error().message)
    data = LettersShape(tuple(_letter(*row) for row in rows), tuple(map(_waiting, state.letters)))
    code = ExitCode.PARTIAL if state.letters or warnings else ExitCode.OK
    return Result(data, view, warnings, code)


Row = tuple[datetime, Notification, Optional[int]]  # noqa: UP045  # an alias is evaluated


def _recorded(session: Session, since: datetime, until: datetime | None) -> tuple[list[Row], list[Message]]:
    try:
        read = read_notifications(session.ledger, since=since, until=until)
    except LedgerMissing:
        return [], []
    except PortalOpsError as error:
        return [], [msg("the ledger's records of letters cannot be read: {cause}", cause=error.message)]
    warnings = [
        msg("the details of record {seq} cannot be read: {cause}", seq=str(seq), cause=error.message)
        for seq, error in read.unreadable[:20]
    ]
    return [(each.at, each.notification, each.seq) for each in read.notifications], warnings


def _delivery_table(rows: list[Row]) -> TableBlock:
    headers = (
        msg("When"), msg("Channel"), msg("About"), msg("Subject line"), msg("State"), msg("Recipients"),
        msg("Answer"), msg("Record"),
    )  # fmt: skip
    cells: list[tuple[Cell, ...]] = [
        (
            at,
            told.channel,
            LEVELS[told.level],
            show_text(told.subject),
            STATE_WORDS[told.state],
            ", ".join(told.recipients) or None,
            shown_answer(told),
            seq,
        )
        for at, told, seq in rows
    ]
    return TableBlock(msg("Sent letters"), headers, cells)


def _waiting_table(letters: tuple[WaitingLetter, ...]) -> TableBlock:
    headers = (msg("Written"), msg("Channel"), msg("About"), msg("Subject line"), msg("Tries"), msg("Error"))
    cells: list[tuple[Cell, ...]] = [
        (
            each.written_at,
            each.channel,
            LEVELS[each.level],
            show_text(each.subject),
            each.tries,
            each.problem or None,
        )
        for each in letters
    ]
    return TableBlock(msg("Waiting letters"), headers, cells)


def _letter(at: datetime, sent: Notification, seq: int | None) -> SentLetter:
    return SentLetter(
        sent.id, at, sent.channel, sent.kind, sent.level, sent.subject, sent.about, sent.state, sent.recipients,
        sent.refused, sent.answer, str(sent.problem) if sent.problem else None, sent.code or None, sent.tries, seq,
    )  # fmt: skip


def _waiting(each: WaitingLetter) -> WaitingShape:
    return WaitingShape(
        each.id, each.channel, each.level, each.subject, each.written_at, each.tries, each.problem or None
    )


VERB = Verb(list_, is_strict=True)
