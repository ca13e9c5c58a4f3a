"""Who has access to the portal's own user administration, asked and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.updates.accounts import can_tell, portal_accounts
from portalops.config import Settings
from portalops.errors import PortalOpsError
from portalops.ledger.recorder import Recorder
from portalops.model.message import Message
from portalops.model.portal_accounts import PortalAccounts
from portalops.registers.portal_accounts import ACCOUNTS, SEEN

if TYPE_CHECKING:
    from portalops.config.tables import KindTable

DUTY = "12.5-custody"


@dataclass(frozen=True, slots=True)
class PortalPoll:
    """What became of one look."""

    portal: str
    found: PortalAccounts | Message
    """Or why it could not be asked."""
    seq: int | None = None
    """The record; None if nothing was recorded."""


def poll_portals(
    portals: Iterable[KindTable], zone: ZoneInfo, record: Callable[[PortalAccounts], int] | None
) -> tuple[PortalPoll, ...]:
    """Ask portals who can work in them, and record what was found; one that cannot be asked takes nothing from the others.

    Args:
        portals: their sources of updates.
        zone: the portal's.
        record: records what was found and returns the record; None for nowhere.

    Raises:
        LedgerError: it cannot be recorded.
    """
    done = []
    for table in portals:
        try:
            seen = portal_accounts(table.id, table, zone=zone)
        except PortalOpsError as error:
            done.append(PortalPoll(table.id, error.message))
            continue
        done.append(PortalPoll(table.id, seen, record(seen) if record else None))
    return tuple(done)


def portals_of(settings: Settings) -> tuple[KindTable, ...]:
    """Return the sources of updates whose portals can be asked for their accounts."""
    return tuple(table for table in settings.update_sources if can_tell(table))


def record_accounts(recorder: Recorder, seen: PortalAccounts) -> int:
    """Record what was found of a portal; return the record."""
    return recorder.record(SEEN, ACCOUNTS, seen, subject=seen.portal, duty=DUTY).seq
