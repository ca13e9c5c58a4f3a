"""Somebody hears of it when something fails.

No server is asked anything: what is known of the newest letter of each channel is told. `portalops notify test` sends one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, note, refused, warning
from portalops.config import KindTable
from portalops.errors import ConfigurationError, NotifyStateUnreadable
from portalops.model.message import msg, nmsg
from portalops.model.notifications import Level, NotificationState
from portalops.model.text import show_text
from portalops.notify.channels import CHANNELS, ChannelContext, build_channel
from portalops.notify.state import LetterOutcome, NotifyFolder, NotifyState

WEEKLY = timedelta(days=8)
"""A summary is written each week even if there is nothing to tell."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say who is told, and whom the newest letters reached."""
    settings, now = look.session.settings, look.session.clock.now()
    if not settings.channels:
        yield warning(
            "",
            msg("nobody learns that a job failed: no channel is configured"),
            msg("Add [[notify.channel]] to the configuration; see docs/notifications.md."),
        )
    try:
        state = NotifyFolder(settings.state_folder).load(now)
    except NotifyStateUnreadable as error:
        yield refused("state", error)
        return
    taken: set[Level] = set()
    for table in settings.channels:
        try:
            taken |= build_channel(table, ChannelContext(look.session.environment)).settings.takes
        except ConfigurationError as error:
            yield refused(table.id, error)  # what was taken before says nothing of it
            continue
        yield from _channel(table, state, now)
    if taken and Level.FAILURE not in taken:
        yield warning(
            "",
            msg("nobody learns that a job failed: no channel takes failures"),
            msg('Add "failure" to the levels of a [[notify.channel]]; see docs/notifications.md.'),
        )


def _channel(table: KindTable, state: NotifyState, now: datetime) -> Iterator[DiagnosticLine]:
    """Say what is missing for a channel, what became of its newest letter, and which letters wait."""
    name = table.id
    if table.kind in CHANNELS.names() and (absent := CHANNELS.load(table.kind).missing()) is not None:
        yield bad(name, msg("{id}: {cause}", id=name, cause=absent[0]), absent[1])
    waiting = [letter for letter in state.letters if letter.channel == name]
    if waiting:
        yield warning(
            name,
            nmsg(
                "{id}: {n} letter waits, since {moment}",
                "{id}: {n} letters wait, the oldest since {moment}",
                len(waiting),
                id=name,
                moment=waiting[0].written_at,
            ),
            _TEST,
        )
    newest = next((each for each in reversed(state.outcomes) if each.notification.channel == name), None)
    if newest is None:
        yield note(name, msg("{id}: no letter was sent yet", id=name), _TEST)
    elif newest.notification.state is NotificationState.TAKEN:
        yield _taken(name, newest, is_late=now - newest.at > WEEKLY)
    else:
        yield warning(
            name,
            msg(
                "{id}: the newest letter, of {moment}, was not taken: {answer}",
                id=name,
                moment=newest.at,
                answer=newest.notification.problem or show_text(newest.notification.answer or "-", 200),
            ),
            _TEST,
        )


def _taken(name: str, newest: LetterOutcome, *, is_late: bool) -> DiagnosticLine:
    if is_late:
        return warning(
            name,
            msg("{id}: no letter was taken since {moment}, and a summary is due each week", id=name, moment=newest.at),
            _TEST,
        )
    if refused := newest.notification.refused:  # the others have it; who is named here does not
        left_out = ", ".join(show_text(each, 100) for each in refused)
        return warning(
            name, msg("channel {channel} refused a letter for {recipient}", channel=name, recipient=left_out), _TEST
        )
    return good(
        name,
        msg(
            "{id}: the newest letter was taken at {moment}: {answer}",
            id=name,
            moment=newest.at,
            answer=show_text(newest.notification.answer or "-", 200),
        ),
    )


_TEST = msg("Run 'portalops notify test': it sends a letter by each channel and says what the server answers.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
