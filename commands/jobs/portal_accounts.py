"""Who has access to the portal's own user administration, asked and recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.updates.accounts import can_tell, portal_accounts
from commands.cli.session import Session
from portalops import bodies
from portalops.errors import PortalOpsError
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


def poll_portals(session: Session, portals: Iterable[KindTable], *, dry_run: bool = False) -> tuple[PortalPoll, ...]:
    """Ask portals who can work in them, and record what was found; one that cannot be asked takes nothing from the others.

    Raises:
        LedgerError: it cannot be recorded.
    """
    done = []
    for table in portals:
        try:
            seen = portal_accounts(table.id, table, zone=session.zone_of_portal)
        except PortalOpsError as error:
            done.append(PortalPoll(table.id, error.message))
            continue
        done.append(PortalPoll(table.id, seen, None if dry_run else _record(session, seen)))
    return tuple(done)


def portals_of(session: Session) -> tuple[KindTable, ...]:
    """Return the sources of updates whose portals can be asked for their accounts."""
    if not session.settings.update_sources:
        return ()
    return tuple(table for table in session.settings.update_sources if can_tell(table))


def _record(session: Session, seen: PortalAccounts) -> int:
    ledger = session.writable_ledger
    kept = ledger.keep(bodies.write({"circumstances": session.circumstances, ACCOUNTS: seen}))
    (record,) = ledger.append_decided(lambda: (ledger.draft(SEEN, subject=seen.portal, duty=DUTY, body=kept),))
    return record.seq
