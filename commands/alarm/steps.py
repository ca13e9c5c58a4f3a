"""What the verbs of this noun do alike."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Annotated

import typer

from commands.alarm.views import AnsweredAlarm
from commands.cli.entries import caller_of, written_text
from commands.cli.result import Result
from commands.cli.session import Session
from commands.jobs.credentials import refuse_secret
from portalops.alarms.kinds import CAUSES, DUTY
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.alarms import LONGEST_ANSWER, AlarmAnswer, AlarmKey
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.alarms import ANSWER, AlarmRegister
from portalops.reports.document import Paragraph

KeyArgument = Annotated[str, typer.Argument(metavar="ALARM", help=_("KIND:ID, as 'portalops alarm list' shows it"))]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help=_("The last day, such as 2026-12-24"))]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the readers of the ledger"))]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who; the account that calls by default"))]


def answer_of(session: Session, key: AlarmKey, reason: str, by: str, until: date | None = None) -> AlarmAnswer:
    """Return what a person says of an alarm.

    Raises:
        UsageError: a text is empty, too long, or looks like a secret.
    """
    who = _guarded(by, "--by") if by else caller_of(session)
    return AlarmAnswer(key, who, _guarded(reason, "--reason"), until)


def _guarded(text: str, option: str) -> str:
    refuse_secret(text, option)
    return written_text(text, option)


def last_day(session: Session, text: str) -> date:
    """Return the last day of an answer.

    Raises:
        UsageError: it is no day, is past, or is too far ahead.
    """
    today = session.today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            msg("{option}: {text} is no day", option="--until", text=show_text(text, 40)),
            msg("Write it as year-month-day: {day}.", day=today.isoformat()),
        ) from error
    if not today <= day <= today + LONGEST_ANSWER:
        raise UsageError(
            msg("--until: {day} is past, or more than {days} days ahead", day=day, days=LONGEST_ANSWER.days),
            msg("Give a day up to {day}; you can answer again then.", day=today + LONGEST_ANSWER),
        )
    return day


def open_alarm(register: AlarmRegister, name: str) -> AlarmKey:
    """Return the key of an open alarm.

    Raises:
        UsageError: there is none.
    """
    key = AlarmKey(name)
    alarm = register.alarms.get(key)
    if alarm is not None and alarm.is_open:
        return key
    if alarm is not None and alarm.closed_at is not None:
        raise UsageError(
            msg("alarm {key} was closed at {moment}", key=name, moment=alarm.closed_at),
            msg("There is nothing to answer for. 'portalops alarm list' shows those that are open."),
        )
    raise no_alarm(name, [each.key for each in register.open])


def no_alarm(name: str, known: list[AlarmKey]) -> UsageError:
    """Return the error of an alarm that there is not, with the one that may have been meant."""
    close = difflib.get_close_matches(name[:100], known, 1)
    hint = (
        msg("Did you mean {key}?", key=close[0]) if close else msg("'portalops alarm list' shows those that are open.")
    )
    return UsageError(msg("there is no open alarm {key}", key=show_text(name, 80)), hint)


def known_kind(name: str) -> AlarmKey:
    """Return the key of an alarm that may open: silence is also for what is planned.

    Raises:
        UsageError: no alarm has such a key.
    """
    kind, colon, thing = name.partition(":")
    kinds = [*CAUSES.names(), DUTY]
    if not colon or not thing.strip() or len(name) > 200 or kind not in kinds:
        raise UsageError(
            msg("{text} is no alarm", text=show_text(name, 80)),
            msg("Write KIND:ID, such as medium:disk-b. The kinds are: {kinds}.", kinds=", ".join(kinds)),
        )
    return AlarmKey(name)


def recorded(
    session: Session, kind: str, answer: AlarmAnswer, said: Message, *, dry_run: bool
) -> Result[AnsweredAlarm]:
    """Record what a person said, and show it."""
    seq = None if dry_run else session.recorder.record(kind, ANSWER, answer, subject=answer.key).seq
    data = AnsweredAlarm(answer.key, answer.by, answer.reason, answer.until, seq)
    if dry_run:
        said = msg("{what} Nothing was recorded: --dry-run.", what=said)
    return Result(data, [Paragraph(said)])
