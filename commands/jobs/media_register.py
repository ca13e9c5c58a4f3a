"""The media register as the configuration and the ledger have it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.config import Settings
from portalops.model.reading import limits_of
from portalops.model.rulebook import Numbers
from portalops.ports import LedgerReader
from portalops.registers.backups import PassOver, recorded_sets
from portalops.registers.media import RegisterLine, read_media, register_lines


def lines_of(
    settings: Settings, ledger: LedgerReader, numbers: Numbers, now: datetime, *, pass_over: PassOver
) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first; `pass_over` is given each record that cannot be read."""
    return register_lines(
        read_media(ledger, pass_over=pass_over),
        {table.id: table.kind for table in settings.backup_media},
        recorded_sets(ledger, pass_over=pass_over),
        limits=limits_of(numbers),
        unread_months=settings.backup.unread_months,
        now=now,
        zone=ZoneInfo(settings.portal.timezone),
    )
