"""Whether the newest part of the ledger holds together: as much as a verdict rests on, and no more."""

from __future__ import annotations

from datetime import datetime

from portalops.ledger.chain import Fault, Faults, check_chain, look_from
from portalops.ledger.ledger import Ledger
from portalops.model.message import msg

_CHUNK = 256


def first_change(ledger: Ledger, since: datetime) -> Fault | None:
    """Return the first record of a time, or after it, that is not as it was recorded; None if all of them are.

    The record before the first of them is trusted. Where not everything is as it should be, or something is not usual, the
    whole chain is gone over, so that the fault is named as `ledger verify` names it. Heads, keys and details are not looked
    at: a chain that was written anew from end to end holds together, and only its heads tell.

    Args:
        ledger: may be open for reading only.
        since: aware.

    Raises:
        LedgerError: the file cannot be read at all.
    """
    first = next(iter(ledger.records(since=since, limit=1)), None)
    with ledger.snapshot() as snapshot:
        if first is not None and first.seq > 1:
            mark = snapshot.before(first.seq - 1)
            looked = look_from(mark, snapshot.between(mark.seq, None, _CHUNK), ()) if mark else None
            tail = snapshot.tail()
            if looked is not None and tail is not None and (tail.size, tail.head) == (looked.end.seq, looked.end.head):
                return None
        faults = Faults()
        check_chain(snapshot, faults)
        if not faults.count and any(snapshot.misleading_indexes()):
            faults.add(0, msg("an index of the database hides a record"))
    return faults.first()[0] if faults.count else None
