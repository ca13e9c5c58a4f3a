"""The media register as commands see it: the ledger's records, the configured media, and what must be seen to."""

from __future__ import annotations

from dataclasses import dataclass

from commands.cli.session import Session
from commands.jobs.sets import recorded_sets_of
from portalops.errors import LedgerMissing
from portalops.model.message import Message, nmsg
from portalops.model.reading import limits_of
from portalops.registers.backups import GONE, Expiring, expiring
from portalops.registers.media import RegisteredMedium, alarms, disc_alarms, read_media, whole_register


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One medium, with what commands show of it."""

    medium: RegisteredMedium
    kind: str
    is_configured: bool
    sets: int
    """How many sets are recorded to be on it."""
    discs: int
    """How many discs were burnt from its images, and are not destroyed."""
    expiring: Expiring
    """Which of them were verified too long ago to count, or soon will be."""
    alarms: tuple[Message, ...]


def register_of(session: Session) -> dict[str, RegisteredMedium]:
    """Return what is recorded of media, by id; nothing before there is a ledger.

    Raises:
        LedgerError: a record cannot be read.
    """
    try:
        return read_media(session.ledger)
    except LedgerMissing:
        return {}


def lines_of(session: Session) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first.

    Raises:
        LedgerError: a record cannot be read.
    """
    sets = recorded_sets_of(session, passing_over=True)
    configured = {table.id: table.kind for table in session.settings.backup_media}
    now = session.clock.now()
    today = now.astimezone(session.zone_of_portal).date()
    months = session.settings.backup.unread_months
    with_discs = [disc.burnt.medium for made in sets for disc in made.discs]
    late = expiring(sets, limits_of(session.rulebook.numbers), now)
    return tuple(
        RegisterLine(
            each,
            each.entry.kind if each.entry else configured.get(each.id, "-"),
            each.id in configured,
            sum(copy.medium == each.id and copy.state not in GONE for made in sets for copy in made.copies),
            sum(len(made.discs_of(each.id)) for made in sets),
            late.get(each.id, Expiring()),
            (
                *alarms(each, now=now, today=today, unread_months=months),
                *_expired(late.get(each.id)),
                *disc_alarms(each.id, sets, now=now, unread_months=months),
            ),
        )
        for each in whole_register(register_of(session), (*configured, *with_discs), sets)
    )


def _expired(found: Expiring | None) -> tuple[Message, ...]:
    if found is None or not found.expired:
        return ()
    said = nmsg(
        "{n} copy on it was read too long ago to count as verified",
        "{n} copies on it were read too long ago to count as verified",
        found.expired,
    )
    return (said,)
