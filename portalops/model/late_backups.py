"""Backups that were made while the ledger refused records for their time, and are recorded afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from portalops.model.backups import BackupResult
from portalops.model.message import Message
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome

LATE: Final = "backup.late"
LATE_BACKUP: Final = "late_backup"
"""The kind of the records of such backups, and the key of their body."""
MADE_UNDER: Final = "made_under"
"""The key of the circumstances of the backup; `circumstances` are those of its recording."""


@dataclass(frozen=True, slots=True)
class LateBackup:
    """The body of a `backup.late` record: a backup that waited in a file of the state folder.

    It can be restored, read back and removed like any other. No duty is judged by it: nobody recorded it in its time.
    """

    run: str
    """The id that the run would have had, by the clock as it stood."""
    job: str
    duty: str
    slot: str
    refusal: str
    """Why nothing was recorded: `PO1103` or `PO1112`."""
    shown_at: datetime
    """What the clock showed when it began. It was not to be believed, or the newest record was not."""
    shown_until: datetime | None = None
    """What it showed when it ended; None if it did not."""
    boot: str = ""
    """The kernel's id of the boot in which it was made; empty where the kernel does not tell."""
    up_seconds: int = 0
    """For how long the machine had run when it began, without `boot` of no meaning."""
    outcome: RunOutcome = RunOutcome.FAILED
    exit_code: int = 0
    problems: tuple[Message, ...] = ()
    backup: BackupResult | None = None
    """What was made, with the times that the clock showed."""
    made_at: datetime | None = None
    """When it began, by the clock of its recording and the time since boot; None if the machine was booted since: then it is unknown."""
    file_sha256: Digest | None = None
    """Of the file in which it waited; None in that file."""
