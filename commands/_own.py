"""What checks read of portalops's own records, as commands hand it to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands._session import Session
from portalops.errors import LedgerMissing

if TYPE_CHECKING:
    from checks.servers.own import Own


def own_of(session: Session) -> Own:
    """Return what the sections of own records are made from; see `checks.servers.own`."""
    from checks.servers.declared import Declared  # noqa: PLC0415  # start-up time
    from checks.servers.own import Own  # noqa: PLC0415  # start-up time

    try:
        ledger = session.ledger
    except LedgerMissing:
        ledger = None
    return Own(
        ledger,
        session.settings.hosts,
        session.settings.declared.parse(Declared),
        session.clock.now(),
        session.zone_of_portal,
    )
