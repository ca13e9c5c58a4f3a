"""The media register as the configuration and the ledger have it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.config import Settings
from portalops.model.reading import limits_of
from portalops.model.rulebook import Numbers
from portalops.ports import LedgerReader
from portalops.registers.backups import recorded_sets
from portalops.registers.media import RegisterLine, read_media, register_lines


def lines_of(settings: Settings, ledger: LedgerReader, numbers: Numbers, now: datetime) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first.

    Raises:
        LedgerError: a record cannot be read.
    """
    return register_lines(
        read_media(ledger),
        {table.id: table.kind for table in settings.backup_media},
        recorded_sets(ledger, passing_over=True),
        limits=limits_of(numbers),
        unread_months=settings.backup.unread_months,
        now=now,
        zone=ZoneInfo(settings.portal.timezone),
    )
