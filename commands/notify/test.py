"""Send a test letter, and show the server's answer

By every channel, or by the one that is named, whichever letters it takes otherwise. The delivery is recorded.

Example: portalops notify test; portalops notify test on-duty

EXIT STATUS: 0 every channel accepted it for all recipients, 2 there is no such channel, 3 a channel did not accept
it, or not for all, 4 none accepted it, 78 no channel is configured
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.notify import no_channel_error, sender_of
from commands.jobs.sending import (
    Dispatch,
    add_outcomes,
    configured_channels,
    dispatch_of,
    handed_over,
    record,
    shown_answer,
)
from commands.notify.views import state_words
from portalops.errors import ExitCode, PortalOpsError, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.notifications import Notification, NotificationState
from portalops.notify.channels import LetterChannel
from portalops.notify.letters import test_letter
from portalops.notify.settings import settings_of
from portalops.notify.state import LetterOutcome, NotifyFolder
from portalops.reports.document import Cell, TableBlock


@shape
class TriedChannel:
    """What became of the test letter of one channel."""

    id: str
    """Of the channel."""
    kind: str
    """Of the channel: mail, apprise."""
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
    hint: str | None
    """What to do about it, for people."""


def try_channels(
    ctx: typer.Context,
    channel: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(metavar="CHANNEL", help=_("Only by this channel")),
    ] = None,
) -> Result[tuple[TriedChannel, ...]]:
    session = open_session(ctx)
    settings = settings_of(session.settings)
    if not settings.channels:
        raise no_channel_error()
    known = [table.id for table in settings.channels]
    if channel is not None and channel not in known:
        raise UsageError(
            msg("there is no channel {name}", name=channel[:40]),
            msg("The channels are: {channels}.", channels=", ".join(known)),
        )
    dispatch = dispatch_of(session)
    chosen = [each for each in configured_channels(dispatch, settings) if channel is None or each.id == channel]
    now = session.clock.now()
    sender = sender_of(settings, session.environment)
    told: list[tuple[LetterChannel, Notification, Message | None]] = []
    for each in chosen:
        language = each.settings.language or settings.language
        letter = test_letter(sender, channel=each.id, language=language, zone=settings.timetable.zone, now=now)
        told.append((each, *handed_over(session.progress, each, replace(letter, tries=1, tried_at=now))))
    try:
        is_begun = settings.state_folder.is_dir()  # made by the first run, and by the account that runs
    except OSError:  # no right to ask: saving it below gives the error
        is_begun = True
    if is_begun:
        _keep(dispatch, NotifyFolder(settings.state_folder), [outcome for _channel, outcome, _hint in told])
    return _tried(told, len(known) if channel is None else 1)


def _keep(dispatch: Dispatch, folder: NotifyFolder, told: Sequence[Notification]) -> None:
    """Put what became of test letters beside the others, and into the ledger if there is one."""
    try:
        with folder.deciding(dispatch.holder):
            now = dispatch.clock.now()
            outcomes = tuple(LetterOutcome(now, outcome) for outcome in told)
            folder.save(add_outcomes(folder.load(now), outcomes))
        record(dispatch, folder)
    except PortalOpsError as error:
        dispatch.warnings.append(msg("the delivery is not recorded: {cause}", cause=error.message))


def _tried(
    told: list[tuple[LetterChannel, Notification, Message | None]], wanted: int
) -> Result[tuple[TriedChannel, ...]]:
    headers = (msg("Channel"), msg("Kind"), msg("To"), msg("State"), msg("Answer"), msg("What to do"))
    rows: list[tuple[Cell, ...]] = [
        (each.id, each.kind, each.to, state_words(outcome.state), shown_answer(outcome), hint)
        for each, outcome, hint in told
    ]
    warnings = [
        msg("channel {channel} refused a letter for {recipient}", channel=each.id, recipient=recipient)
        for each, outcome, _hint in told
        for recipient in outcome.refused
    ]
    took = [outcome for _channel, outcome, _hint in told if outcome.state is NotificationState.TAKEN]
    code = ExitCode.FAILED if not took else ExitCode.PARTIAL if len(took) < wanted or warnings else ExitCode.OK
    data = tuple(
        TriedChannel(
            each.id, each.kind, outcome.state, outcome.recipients, outcome.refused, outcome.answer,
            str(outcome.problem) if outcome.problem else None, outcome.code or None, str(hint) if hint else None,
        )
        for each, outcome, hint in told
    )  # fmt: skip
    return Result(data, [TableBlock(msg("Test letters"), headers, rows)] if rows else [], warnings, code)


VERB = Verb(try_channels, is_strict=True)
