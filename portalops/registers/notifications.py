"""What was told to whom: the records of letters, and of tries that nobody took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.notifications import Notification
from portalops.ports import LedgerReader

NOTIFICATION = "notification"
"""The key in the records' bodies."""
SENT = "notification.sent"
FAILED = "notification.failed"
KINDS = (SENT, FAILED)


@dataclass(frozen=True, slots=True)
class RecordedNotification:
    """The state of a letter, or the result of a try to send it."""

    seq: int
    at: datetime
    """When it was recorded: later than it was sent, where the ledger could not be written then."""
    notification: Notification


@dataclass(frozen=True, slots=True)
class ReadNotifications:
    """What reading them came to."""

    notifications: tuple[RecordedNotification, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_notifications(
    ledger: LedgerReader, *, since: datetime | None = None, until: datetime | None = None
) -> ReadNotifications:
    """Return every letter whose outcome was recorded in a span."""
    found: list[RecordedNotification] = []
    faults: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=KINDS, since=since, until=until):
        try:
            body = required_part(ledger.blob(record.body), NOTIFICATION, Notification)
            found.append(RecordedNotification(record.seq, record.at, body))
        except PortalOpsError as error:
            faults.append((record.seq, error))
    return ReadNotifications(tuple(found), tuple(faults))
