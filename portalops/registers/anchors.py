"""Which head each anchor has: the receipts that the ledger holds, those of our own handing out and those that came in."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.heads import AnchorId, AnchorReceipt, AnchorResult
from portalops.model.record import Recorded
from portalops.ports import LedgerReader

logger = logging.getLogger(__name__)

ANCHOR = "anchor"
ANCHOR_FINISHED = "anchor.finished"
"""A head was handed out: the body holds an `AnchorResult` under the key `anchor`."""
ANCHOR_RECEIVED = "anchor.received"
"""A receipt came in by itself: the body holds an `AnchorReceipt` under the key `receipt`."""
RECEIPT = "receipt"


def read_receipts(ledger: LedgerReader, *, since: datetime | None = None) -> Iterator[Recorded[AnchorReceipt]]:
    """Yield the receipts that the ledger holds, newest record first, also those that say why a head was not taken.

    A record whose details cannot be read proves nothing and is passed over with a warning.
    """
    kinds = (ANCHOR_FINISHED, ANCHOR_RECEIVED)
    for record in ledger.records(kinds=kinds, since=since, newest_first=True):
        try:
            blob = ledger.blob(record.body)
            if record.kind == ANCHOR_RECEIVED:
                one = decode_part(blob, RECEIPT, AnchorReceipt)
                receipts: tuple[AnchorReceipt, ...] = (one,) if one else ()
            else:
                result = decode_part(blob, ANCHOR, AnchorResult)
                receipts = result.receipts if result else ()
        except PortalOpsError as error:
            logger.warning("record %d says nothing of anchors: %s", record.seq, error)
            continue
        for receipt in receipts:
            yield Recorded(record.seq, record.at, record.run, receipt)


def newest_taken(receipts: Iterable[Recorded[AnchorReceipt]]) -> dict[AnchorId, Recorded[AnchorReceipt]]:
    """Return the newest receipt of each anchor that has a head; receipts come newest first."""
    found: dict[AnchorId, Recorded[AnchorReceipt]] = {}
    for receipt in receipts:
        if not receipt.body.problem:
            found.setdefault(receipt.body.anchor, receipt)
    return found
