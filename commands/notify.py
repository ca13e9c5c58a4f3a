"""Try the channels by which people are told, show what was told to whom, and send what waits.

What is told by itself, and when: docs/notifications.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Optional

import typer

from commands import _notify_unit, _notify_views
from commands._credentials import STRICT
from commands._notify_send import (
    channels_of,
    configured_channels,
    handed_over,
    record,
    send_waiting,
    shown_answer,
    with_outcomes,
)
from commands._notify_views import state_words
from commands._notify_work import nobody_is_told, sender_of
from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, PortalOpsError, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.notifications import Notification, NotificationState
from portalops.notify.channels import Channel
from portalops.notify.letters import test_letter
from portalops.notify.settings import settings_of
from portalops.notify.state import NotifyFolder, Outcome
from portalops.reports.document import Block, Cell, Paragraph, Table

app = typer.Typer(no_args_is_help=True)

HELP_TEST = _(
    "Send a test letter, and say what the server answered\n\nBy each channel, or by the one that is named, whatever it is told otherwise."
    " The delivery is recorded.\n\nExample: portalops notify test; portalops notify test on-duty"
    "\n\nEXIT STATUS: 0 every channel took it for everybody, 2 there is no such channel, 3 a channel did not take it, or not for everybody, 4 none took"
    " it, 78 no channel is configured"
)

HELP_FLUSH = _(
    "Send the letters that wait, now\n\nEach run does that by itself.\n\nExample: portalops notify flush"
    "\n\nEXIT STATUS: 0 nothing waits any more, 3 letters still wait"
)


def try_channels(
    ctx: typer.Context,
    channel: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(metavar="CHANNEL", help=_("Only by this channel")),
    ] = None,
) -> Result:
    session = open_session(ctx)
    settings = settings_of(session.settings)
    if not settings.channels:
        raise nobody_is_told()
    known = [table.id for table in settings.channels]
    if channel is not None and channel not in known:
        raise UsageError(
            msg("there is no channel {name}", name=channel[:40]),
            msg("The channels are: {channels}.", channels=", ".join(known)),
        )
    chosen = [each for each in configured_channels(session, settings) if channel is None or each.id == channel]
    now = session.clock.now()
    sender = sender_of(session, settings)
    told: list[tuple[Channel, Notification, Message | None]] = []
    for each in chosen:
        language = each.settings.language or settings.language
        letter = test_letter(sender, channel=each.id, language=language, zone=settings.timetable.zone, now=now)
        told.append((each, *handed_over(session, each, replace(letter, tries=1, tried_at=now))))
    try:
        is_begun = settings.state_folder.is_dir()  # made by the first run, and by the account that runs
    except OSError:  # it may not be looked at: keeping says so
        is_begun = True
    if is_begun:
        _keep(session, NotifyFolder(settings.state_folder), [outcome for _channel, outcome, _hint in told])
    return _tried(told, len(known) if channel is None else 1)


def _keep(session: Session, folder: NotifyFolder, told: Sequence[Notification]) -> None:
    """Put what became of test letters beside the others, and into the ledger if there is one."""
    try:
        with folder.deciding(session.holder):
            now = session.clock.now()
            outcomes = tuple(Outcome(now, outcome) for outcome in told)
            folder.save(with_outcomes(folder.load(now), outcomes))
        record(session, folder)
    except PortalOpsError as error:
        session.warnings.append(msg("the delivery is not recorded: {cause}", cause=error.message))


def _tried(told: list[tuple[Channel, Notification, Message | None]], wanted: int) -> Result:
    headers = (msg("Channel"), msg("Kind"), msg("To"), msg("State"), msg("What was answered"), msg("What to do"))
    rows: list[tuple[Cell, ...]] = [
        (each.id, each.kind, each.to, state_words(outcome.state), shown_answer(outcome), hint)
        for each, outcome, hint in told
    ]
    warnings = [
        msg("{channel} did not take a letter for {recipient}", channel=each.id, recipient=recipient)
        for each, outcome, _hint in told
        for recipient in outcome.refused
    ]
    took = [outcome for _channel, outcome, _hint in told if outcome.state is NotificationState.TAKEN]
    code = ExitCode.FAILED if not took else ExitCode.PARTIAL if len(took) < wanted or warnings else ExitCode.OK
    data: JsonValue = [
        {
            "id": each.id,
            "kind": each.kind,
            "state": outcome.state.value,
            "recipients": list(outcome.recipients),
            "refused": list(outcome.refused),
            "answer": outcome.answer,
            "problem": str(outcome.problem) if outcome.problem else None,
            "code": outcome.code or None,
            "hint": str(hint) if hint else None,
        }
        for each, outcome, hint in told
    ]
    return Result(data, [Table(msg("Test letters"), headers, rows)] if rows else [], warnings, code)


def flush(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    settings = settings_of(session.settings)
    folder = NotifyFolder(settings.state_folder)
    before = len(folder.load(session.clock.now()).letters)
    if before:
        send_waiting(session, settings, channels_of(session, settings))
        record(session, folder)
    left = len(folder.load(session.clock.now()).letters)
    said: Message = msg("No letter is waiting to be sent.")
    if left:
        said = nmsg("{n} letter still waits to be sent.", "{n} letters still wait to be sent.", left)
    view: list[Block] = [Paragraph(said)]
    return Result({"before": before, "waiting": left}, view, exit_code=ExitCode.PARTIAL if left else ExitCode.OK)


app.command("test", help=HELP_TEST, context_settings=STRICT)(try_channels)
app.command("list", help=_notify_views.HELP_LIST, context_settings=STRICT)(_notify_views.list_)
app.command(help=HELP_FLUSH, context_settings=STRICT)(flush)
app.command(help=_notify_unit.HELP, context_settings=STRICT)(_notify_unit.unit)
