"""What was reported to whom: letters, their channels, and their state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portalops.model.message import Message


class Level(StrEnum):
    """Why a letter is written; a channel takes some of them or all."""

    FAILURE = "failure"
    """A job, a unit or a whole run failed: reported at once."""
    UNMET = "unmet"
    """Duties are not met: reported once a day, all in one letter."""
    SUMMARY = "summary"
    """What ran in a week: sent even when nothing happened, so that its absence is a sign."""
    RECOVERY = "recovery"
    """A reported failure is over: reported once."""
    TEST = "test"
    """A person asked whether letters arrive; it goes to every channel."""


class NotificationState(StrEnum):
    """The state of a letter; whether somebody has read it is never known."""

    TAKEN = "taken"
    """The server or service took it for at least one recipient."""
    REFUSED = "refused"
    """Nobody took it; it waits for the next run."""
    UNKNOWN = "unknown"
    """It was sent, and no answer came: it is sent again under the same identity."""
    DROPPED = "dropped"
    """It no longer waits: a newer letter replaces it, too many waited, or its channel is no longer configured."""


@dataclass(frozen=True, slots=True)
class Notification:
    """The body of a `notification.sent` or `notification.failed` record, under the key `notification`."""

    id: str
    """Of the letter; a mail's Message-ID begins with it."""
    channel: str
    """Id of the `[[notify.channel]]`."""
    kind: str
    """Of the channel: `mail`, `apprise`."""
    level: Level
    subject: str
    text: str
    """The letter as it was written; nothing secret is in it."""
    about: tuple[str, ...]
    """What it reports: `job:ID`, `unit:NAME`, `run`, `ledger`, `duty:ID`."""
    written_at: datetime
    tries: int
    """How often it was sent, this time included."""
    state: NotificationState
    recipients: tuple[str, ...] = ()
    """Who gets it: mailboxes, or the names of services."""
    refused: tuple[str, ...] = ()
    """Those for whom it was not taken."""
    answer: str = ""
    """The server's own words, bounded."""
    problem: Message | None = None
    """Why nobody took it, or why it waits no more."""
    code: str = ""
    """The error's, such as `PO1604`; empty if there was none."""
