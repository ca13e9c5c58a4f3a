"""What the verbs of this noun show alike."""

from __future__ import annotations

from collections.abc import Mapping

from portalops.model.message import msg
from portalops.model.notifications import NotificationState
from portalops.reports.document import Status, Tone

STATE_WORDS: Mapping[NotificationState, Status] = {
    NotificationState.TAKEN: Status(msg("accepted"), Tone.GOOD),
    NotificationState.REFUSED: Status(msg("not accepted"), Tone.BAD),
    NotificationState.UNKNOWN: Status(msg("no answer"), Tone.UNSURE),
    NotificationState.DROPPED: Status(msg("given up"), Tone.UNSURE),
}


def state_words(state: NotificationState) -> Status:
    """Return what became of a letter, for people."""
    return STATE_WORDS[state]
