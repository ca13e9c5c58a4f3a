"""Hands waiting letters to their channels, keeps what nobody took, and records what became of each.

Nothing here is lost with the process: a letter is in the state before it is sent, and leaves it after. One whose process
was killed in between is sent again, under the same identity.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from commands.cli.session import Session
from portalops import bodies
from portalops.errors import InternalFault, Locked, MailInDoubt, NotificationNotSent, PortalOpsError
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.ledger.recorder import Recorder
from portalops.model.message import Message, msg
from portalops.model.notifications import Notification, NotificationState
from portalops.model.record import RunId
from portalops.model.text import show_text
from portalops.notify.channels import ChannelContext, LetterChannel, Taken, build_channel
from portalops.notify.rules import MAX_DOUBTS, next_to_send
from portalops.notify.settings import NotifySettings, kept_for
from portalops.notify.state import LetterOutcome, NotifyFolder, NotifyState, WaitingLetter
from portalops.ports import Clock, Progress
from portalops.registers.notifications import FAILED, NOTIFICATION, SENT
from portalops.system.logs import Event, log_event

logger = logging.getLogger(__name__)
TOTAL_SECONDS = 120.0
"""After so long no further letter is begun; each has a limit of its own as well."""

SAME_AGAIN = timedelta(days=1)
"""How long after a failed try one that fails alike is not recorded."""

MAX_OUTCOMES = 100
"""Outcomes that are kept beside the ledger once it holds them."""

MAX_UNRECORDED = 200
"""Outcomes that wait for a ledger that can be written; the oldest is forgotten for a newer one."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What letters are sent with."""

    config: Path | None
    """The configuration's main file, as it was named; None for the usual one."""
    environment: Mapping[str, str]
    clock: Clock
    progress: Progress
    holder: str
    """Who holds the locks of the queue."""
    warnings: list[Message]
    """What the caller is told."""
    recorder: Callable[[], Recorder | None]
    """Returns what records deliveries; None where no ledger has begun, since none is begun for a letter."""

    def warn(self, said: Message) -> None:
        """Warn the caller, and programs that watch the log, that nobody was notified."""
        self.warnings.append(said)
        log_event(logger, logging.WARNING, Event.NOTIFICATION_FAILED, str(said))


def dispatch_of(session: Session) -> Dispatch:
    """Return what sending letters needs of a session; nothing of it is read yet."""

    def recorder() -> Recorder | None:
        return None if isinstance(session.reader, LedgerNotBegun) else session.recorder

    return Dispatch(
        session.invocation.config,
        session.environment,
        session.clock,
        session.progress,
        session.holder,
        session.warnings,
        recorder,
    )


def configured_channels(dispatch: Dispatch, settings: NotifySettings) -> tuple[LetterChannel, ...]:
    """Return the channels that can be built, as they are configured now.

    Args:
        dispatch: is told of those that cannot be.
        settings: as configured now, or the last good copy.
    """
    context = ChannelContext(dispatch.environment)
    found: list[LetterChannel] = []
    for table in settings.channels:
        try:
            found.append(build_channel(table, context))
        except PortalOpsError as error:
            dispatch.warn(msg("channel {channel} cannot be used: {cause}", channel=table.id, cause=error.message))
    return tuple(found)


def channels_of(dispatch: Dispatch, settings: NotifySettings) -> tuple[LetterChannel, ...]:
    """Return the channels that can be built; for those that do not fit any more, what the last good copy has beside them.

    Args:
        dispatch: is told of those that cannot be.
        settings: as configured now, or the last good copy.
    """
    context = ChannelContext(dispatch.environment)
    found = list(configured_channels(dispatch, settings))
    if len(found) == len(settings.channels) or settings.is_kept_copy:
        return tuple(found)
    kept = kept_for(dispatch.config, dispatch.environment)
    taken = {channel.id for channel in found}
    for table in kept.channels if kept else ():
        if table.id not in taken:
            with contextlib.suppress(PortalOpsError):
                found.append(build_channel(table, context))
    return tuple(found)


def fits(settings: NotifySettings, environment: Mapping[str, str]) -> bool:
    """Say whether every channel fits its kind: only then it is worth being kept as a good copy."""
    try:
        for table in settings.channels:
            build_channel(table, ChannelContext(environment))
    except PortalOpsError:
        return False
    return True


def send_waiting(dispatch: Dispatch, settings: NotifySettings, channels: Sequence[LetterChannel]) -> None:
    """Send what waits, by whichever channels take it; where another process is at it, it takes these letters too.

    Raises:
        FileUnwritable: what becomes of letters cannot be kept, so none is sent.
        Locked: another process decides for longer than anybody needs.
        NotifyStateUnreadable: what waits cannot be read.
    """
    folder = NotifyFolder(settings.state_folder)
    by_id = {channel.id: channel for channel in channels}
    deadline = dispatch.clock.monotonic() + TOTAL_SECONDS
    while True:
        try:
            with folder.sending(dispatch.holder):
                _drain(dispatch, folder, by_id, deadline)
        except Locked:
            return
        # One that came in after the queue was read, and before the lock was free: its own process left it to this one.
        state = folder.load(dispatch.clock.now())
        if dispatch.clock.monotonic() >= deadline or not any(
            not letter.tries and letter.channel in by_id for letter in state.letters
        ):
            return


def _drain(dispatch: Dispatch, folder: NotifyFolder, open_: dict[str, LetterChannel], deadline: float) -> None:
    while dispatch.clock.monotonic() < deadline:
        now = dispatch.clock.now()
        with folder.deciding(dispatch.holder):
            state = folder.load(now)
            letter = next_to_send(state.letters, open_, now)
            if letter is None:
                return
            begun = replace(letter, tries=letter.tries + 1, tried_at=now)
            folder.save(_exchanged(state, letter, begun))
        channel = open_[letter.channel]
        outcome, _hint = handed_over(dispatch.progress, channel, begun)
        with folder.deciding(dispatch.holder):
            folder.save(fold_try(folder.load(now), begun, outcome, dispatch.clock.now()))
        if outcome.state is not NotificationState.TAKEN:
            open_.pop(
                letter.channel
            )  # a channel that did not accept this letter gets no other now: the next run tries again
            dispatch.warn(
                msg("a letter waits to be sent by {channel}: {cause}", channel=letter.channel, cause=outcome.problem)
                if outcome.problem
                else msg("a letter waits to be sent by {channel}", channel=letter.channel),
            )
        for each in outcome.refused if outcome.state is NotificationState.TAKEN else ():
            dispatch.warn(
                msg("channel {channel} refused a letter for {recipient}", channel=letter.channel, recipient=each),
            )


def handed_over(
    progress: Progress, channel: LetterChannel, letter: WaitingLetter
) -> tuple[Notification, Message | None]:
    """Send one letter by a channel; return its outcome and, for the caller, what to do about that.

    Nothing that goes wrong there is raised.
    """

    def outcome(
        state: NotificationState, taken: Taken | None = None, problem: Message | None = None, code: str = ""
    ) -> Notification:
        return Notification(
            letter.id, letter.channel, channel.kind, letter.level, letter.subject, letter.text, letter.about,
            letter.written_at, letter.tries, state,
            taken.recipients if taken else (), taken.refused if taken else (), taken.answer if taken else "",
            problem, code,
        )  # fmt: skip

    title = msg("Sending a letter by {channel}", channel=channel.id)
    try:
        with progress.task(title, total=None, unit="items"):
            return outcome(NotificationState.TAKEN, channel.send(letter)), None
    except PortalOpsError as error:
        in_doubt = isinstance(error, MailInDoubt) or (isinstance(error, NotificationNotSent) and error.in_doubt)
        state = NotificationState.UNKNOWN if in_doubt else NotificationState.REFUSED
        return outcome(state, None, error.message, error.code), error.hint
    except Exception as error:  # a fault of the channel's own, named by its class: it must not keep the others silent
        logger.debug("sending a letter by %s failed", channel.id, exc_info=True)
        fault = msg("a fault in portalops itself: {kind}", kind=type(error).__name__)
        return outcome(NotificationState.REFUSED, None, fault, InternalFault.code), InternalFault.explanation


def fold_try(state: NotifyState, letter: WaitingLetter, outcome: Notification, now: datetime) -> NotifyState:
    """Return the state after a try: the letter leaves it, or waits on. Pure."""
    if outcome.state is NotificationState.TAKEN:
        return add_outcomes(_exchanged(state, letter, None), (LetterOutcome(now, outcome),))
    doubts = letter.doubts + (outcome.state is NotificationState.UNKNOWN)
    if doubts >= MAX_DOUBTS:
        return add_outcomes(_exchanged(state, letter, None), (LetterOutcome(now, outcome),))
    is_news = (
        outcome.code != letter.problem
        or letter.recorded_at is None
        or not timedelta(0) <= now - letter.recorded_at < SAME_AGAIN
    )
    waiting = replace(letter, doubts=doubts, problem=outcome.code, recorded_at=now if is_news else letter.recorded_at)
    state = _exchanged(state, letter, waiting)
    return add_outcomes(state, (LetterOutcome(now, outcome),)) if is_news else state


def drop_letters(state: NotifyState, dropped: Iterable[WaitingLetter], why: Message, kinds: Mapping[str, str], now: datetime) -> NotifyState:  # fmt: skip
    """Return the state with letters that are not waited for any more on record; they are out of it already. Pure."""
    outcomes = tuple(
        LetterOutcome(
            now,
            Notification(
                each.id, each.channel, kinds.get(each.channel, ""), each.level, each.subject, each.text, each.about,
                each.written_at, each.tries, NotificationState.DROPPED, problem=why,
            ),
        )
        for each in dropped
    )  # fmt: skip
    return add_outcomes(state, outcomes)


def record(dispatch: Dispatch, folder: NotifyFolder) -> None:
    """Write into the ledger what became of letters, as far as it is not there.

    What cannot be recorded now is recorded by the next run: a ledger that is missing, full or broken stops no letter.

    Raises:
        PortalOpsError: it could not be.
    """
    with folder.deciding(dispatch.holder):
        state = folder.load(dispatch.clock.now())
        if all(each.is_recorded for each in state.outcomes):
            return
        recorder = dispatch.recorder()
        if recorder is None:
            return
        outcomes = list(state.outcomes)
        try:
            for index, each in enumerate(outcomes):
                if not each.is_recorded:
                    _append(recorder, each.notification)
                    outcomes[index] = replace(each, is_recorded=True)
        finally:
            folder.save(replace(state, outcomes=_bounded(outcomes)))


def _append(recorder: Recorder, notification: Notification) -> None:
    """Record one outcome; one that a killed process recorded already is not recorded again.

    Raises:
        LedgerError: it cannot be recorded.
    """
    ledger = recorder.ledger
    run = RunId(notification.id)
    kind = SENT if notification.state is NotificationState.TAKEN else FAILED
    body = bodies.write({"circumstances": recorder.circumstances, NOTIFICATION: notification})
    if kind == SENT and any(ledger.records(kinds=(SENT,), run=run, limit=1)):
        return
    ledger.append(kind, run=run, subject=f"notify/{notification.channel}", body=body)


def _exchanged(state: NotifyState, letter: WaitingLetter, by: WaitingLetter | None) -> NotifyState:
    found = (by if each.id == letter.id else each for each in state.letters)
    return replace(state, letters=tuple(each for each in found if each is not None))


def add_outcomes(state: NotifyState, outcomes: Sequence[LetterOutcome]) -> NotifyState:
    """Return the state with further outcomes, of which the newest are kept. Pure."""
    return replace(state, outcomes=_bounded((*state.outcomes, *outcomes)))


def _bounded(outcomes: Sequence[LetterOutcome]) -> tuple[LetterOutcome, ...]:
    recorded = {id(each) for each in [each for each in outcomes if each.is_recorded][-MAX_OUTCOMES:]}
    waiting = {id(each) for each in [each for each in outcomes if not each.is_recorded][-MAX_UNRECORDED:]}
    return tuple(each for each in outcomes if id(each) in recorded | waiting)


def shown_answer(notification: Notification) -> str | Message:
    """Return the other side's answer to a letter, for people."""
    if notification.problem is not None:
        return notification.problem
    return show_text(notification.answer) if notification.answer else msg("accepted")
