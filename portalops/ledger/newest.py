"""Whether the newest part of the ledger holds together: as much as a verdict rests on, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from portalops.errors import IntegrityError
from portalops.ledger.chain import Faults, check_chain, pass_from
from portalops.ledger.heeded import numbers_excused, read_counted
from portalops.ledger.ledger import Ledger
from portalops.ledger.stores import StoredLines
from portalops.model.message import msg
from portalops.model.record import Fault
from portalops.registers.writers import CLOCK_MENDED

if TYPE_CHECKING:  # a module less for each command to load
    from portalops.model.quarantines import SetAside

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
        excused: frozenset[int] = frozenset()
        counted: Sequence[SetAside] = ()
        with suppress(IntegrityError):  # of keys, which another pass names
            excused, counted = numbers_excused(ledger), read_counted(ledger)
        # One that does not count could hide what stands before it from whoever asks for a time.
        mended = {record.seq for record in ledger.records(kinds=(CLOCK_MENDED,))}
        if first is not None and first.seq > 1 and mended <= excused and _is_usual_from(snapshot, first.seq):
            return None
        faults = Faults()
        faults.settle(excused)
        chain = check_chain(snapshot, faults)
        if chain.is_early:
            from portalops.ledger.times import check_times  # noqa: PLC0415  # few ledgers come here

            check_times(snapshot.read_between(None, None, _CHUNK), 0, chain, counted, faults)
        if not faults.count and any(snapshot.misleading_indexes()):
            faults.add(0, msg("an index of the database does not list a record"))
    return faults.first()[0] if faults.count else None


def _is_usual_from(snapshot: StoredLines, first: int) -> bool:
    """Say whether a record and all behind it are certainly as they should be, and whether all queries find them."""
    if snapshot.stores_columns:  # they say which record is the first, and only the whole pass compares all of them
        return False
    mark, tail = snapshot.read_mark_before(first - 1), snapshot.tail()
    looked = pass_from(mark, snapshot.read_between(mark.seq, None, _CHUNK), ()) if mark else None
    if looked is None or tail is None or (tail.size, tail.head) != (looked.end.seq, looked.end.head):
        return False
    return snapshot.are_indexed(looked.begin.seq)
