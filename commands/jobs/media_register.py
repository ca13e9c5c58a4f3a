"""The media register as the configuration and the ledger of a session have it."""

from __future__ import annotations

from commands.cli.session import Session
from portalops.model.reading import limits_of
from portalops.registers.backups import recorded_sets
from portalops.registers.media import RegisterLine, read_media, register_lines


def lines_of(session: Session) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first.

    Raises:
        LedgerError: a record cannot be read.
    """
    settings, ledger = session.settings, session.reader
    return register_lines(
        read_media(ledger),
        {table.id: table.kind for table in settings.backup_media},
        recorded_sets(ledger, passing_over=True),
        limits=limits_of(session.rulebook.numbers),
        unread_months=settings.backup.unread_months,
        now=session.clock.now(),
        zone=session.zone_of_portal,
    )
