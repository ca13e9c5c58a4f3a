"""The inventories of the archive that the ledger knows, and which of them the next one is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from portalops.bodies import decode_part
from portalops.model.archive import Inventory
from portalops.model.record import Recorded
from portalops.ports import LedgerReader

INVENTORY: Final = "archive.inventory"
KEY: Final = "inventory"
"""The key of the body."""


def inventories(ledger: LedgerReader) -> Iterator[Recorded[Inventory]]:
    """Yield the inventories, newest first.

    Raises:
        LedgerError: a record's details cannot be read.
    """
    for record in ledger.records(kinds=(INVENTORY,), newest_first=True):
        body = decode_part(ledger.blob(record.body), KEY, Inventory)
        if body is not None:
            yield Recorded(record.seq, record.at, record.run, body)


def to_compare_with(ledger: LedgerReader) -> Recorded[Inventory] | None:
    """Return the newest inventory of which everything was read and nothing was lost, or whose loss was accepted.

    An inventory with a loss is passed over, so that what is gone stays told of until it is back or accepted.

    Raises:
        LedgerError: a record's details cannot be read.
    """
    return next((each for each in inventories(ledger) if not each.body.unread() and not each.body.lost()), None)
