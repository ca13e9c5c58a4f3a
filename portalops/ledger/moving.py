"""Moves a ledger from one store to another, with every line and every detail as it is: the same heads, the same codes.

The move itself is the last record of the old place and part of the new one's: `ledger.moved` names where the ledger is from then
on. Opening it for appending is refused if its newest record names another store, so that one ledger never goes
on in two. The target takes all lines in one transaction, which begins before that record: what it refuses closes nothing, and a
move that was cut leaves nothing there. Called again it is done anew, or ended where the record was made already.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from portalops import bodies
from portalops.errors import IntegrityError, LedgerError, LedgerMissing, Locked
from portalops.ledger.chain import bytes_of
from portalops.ledger.ledger import MOVED, KeptLedger, Ledger, moved_away
from portalops.ledger.record import Draft, line_digest
from portalops.ledger.runs import is_running
from portalops.ledger.selection import Selection
from portalops.ledger.store import FILE_PLACE
from portalops.ledger.stores import Take
from portalops.model.message import msg
from portalops.model.record import Digest, Record

LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move copied."""

    records: int
    blobs: int
    """Details that the target did not have."""
    lost: tuple[Digest, ...]
    """Details that records name and that the source does not have either: erased or missing, as verification says."""
    head: Digest
    """Digest of the newest line, in both places."""


def move(
    ledger: Ledger,
    source: KeptLedger,
    target: KeptLedger,
    *,
    advance: Callable[[int], None] = lambda _amount: None,
) -> Moved:
    """Bring a whole ledger over and say in it that it moved; only its details, where its records are in one place before and after.

    Args:
        ledger: the one in `source`, open for appending.
        source: where it is.
        target: where it goes: empty, or with the first lines of the source, as where the ledger was before.
        advance: is called with the records done.

    Raises:
        LedgerError: the target holds another ledger, or more than the source, or does not hold such a line; the source was moved to a
            third place; or this machine may not move it.
        IntegrityError: what came over is not what was there.
        LedgerFull: the target cannot be written.
        Locked: a run is at work.
    """
    begun = _begun(source, target)
    newest = ledger.last()
    gone_to = ledger.place_named_last()
    if gone_to not in {None, source.records.place, target.records.place}:
        raise moved_away(source.records.place, gone_to)  # it may go on there: a second place would make two of it
    if source.records.place == target.records.place:
        _require_rest(ledger)  # what it keeps yet would be in the old place alone
        return _moved_details(source, target, newest)
    is_closed = newest is not None and gone_to == target.records.place
    brought = 0
    if not is_closed:
        _require_rest(ledger)
        # Before the source takes no more records, since most of what can fail fails here.
        brought, _lost = _bring_blobs(source, target)
    with target.records.taking() as take:
        end = _bring_lines(source, take, begun, advance)
        if not is_closed:
            _close(ledger, source, target)
            _bring_lines(source, take, end, advance)
        more, lost = _bring_blobs(source, target)  # before anybody reads a record that names them
    head = _newest(target)
    newest = ledger.last()
    if head is None or newest is None or head.line != newest.line:
        raise IntegrityError(
            msg("the newest record in {place} is not the newest record that was moved", place=target.records.place),
            msg("Keep both stores as they are, and run 'portalops ledger verify' on each."),
        )
    return Moved(head.seq, brought + more, lost, line_digest(head.line))


def rehearse(source: KeptLedger, target: KeptLedger) -> None:
    """Have the target take every line, and undo that: raises what `move` would raise for them, and closes nothing.

    Args:
        source: where the ledger is.
        target: where it would go; a file that is not there takes every line.
    """
    try:
        target.records.check()
    except LedgerMissing:
        if target.records.place == FILE_PLACE:
            return
        raise
    begun = _begun(source, target)
    with suppress(_UndoneError), target.records.taking() as take:
        _bring_lines(source, take, begun, lambda _amount: None)
        raise _UndoneError


class _UndoneError(Exception):
    """Ends a transaction that is not to be kept."""


def _close(ledger: Ledger, source: KeptLedger, target: KeptLedger) -> None:
    """Record in the old place where the ledger goes on.

    Raises:
        LedgerError: the record would count for nothing.
    """
    (moved,) = ledger.append_decided(lambda: (_describe(ledger, source, target),))
    ledger.claim()  # here, since the record counts by that, and nothing can be recorded behind it
    if ledger.place_named_last() != target.records.place:
        raise LedgerError(
            msg("record {seq} of the move counts for nothing: no writer with authority all claims it", seq=moved.seq),
            msg("Run the move on a machine that 'portalops ledger enroll' enrolled with authority all."),
        )


def _require_rest(ledger: Ledger) -> None:
    """Refuse while a run is at work: it would leave its end in the place that the ledger left, which then went on in two."""
    for run in ledger.runs():
        if is_running(ledger.locks, run):
            raise Locked(
                msg("run {run} has not ended", run=run.id),
                msg("Wait until it ends, or stop it; then run 'portalops ledger move' again."),
            )


def _describe(ledger: Ledger, source: KeptLedger, target: KeptLedger) -> Draft:
    _require_rest(ledger)  # one that began meanwhile
    newest = ledger.last()
    body = {
        "moved": {
            "from": source.records.place,
            "to": target.records.place,
            "records": newest.seq if newest else 0,
            "head": line_digest(newest.line) if newest else "",
        }
    }
    return ledger.draft(MOVED, body=ledger.keep(bodies.write(body)))


def _moved_details(source: KeptLedger, target: KeptLedger, newest: Record | None) -> Moved:
    """Bring the details alone over, where the records stay in their place: the ledger goes on there, and no record is due."""
    if newest is None:
        raise source.records.missing()
    brought, lost = _bring_blobs(source, target)
    return Moved(newest.seq, brought, lost, line_digest(newest.line))


def copy(source: KeptLedger, target: KeptLedger) -> int:
    """Copy the records as they are at one moment, and all details, into an empty place; say how many records there were.

    Details are copied behind the records: they are written before the records that name them, so each record of the copy finds its own.
    """
    with target.records.taking() as take:
        count = _bring_lines(source, take, 0, lambda _amount: None)
    _bring_blobs(source, target)
    return count


def _bring_lines(source: KeptLedger, take: Take, begun: int, advance: Callable[[int], None]) -> int:
    """Bring the lines behind a record over, whatever they are; return the number of the last one."""
    with source.records.snapshot() as snapshot:
        for chunk in snapshot.read_between(begun, None, LINES_AT_ONCE):
            take(begun + 1, [bytes_of(line) for line in chunk.lines])
            begun += len(chunk.lines)
            advance(len(chunk.lines))
    return begun


def _begun(source: KeptLedger, target: KeptLedger) -> int:
    """Return how many records the target has: the first ones of the source, or none."""
    end = _newest(target)
    if end is None:
        return 0
    same = source.records.record(end.seq)
    if same is None or same.line != end.line:
        raise LedgerError(
            msg("{place} holds another ledger, or has later records of this one", place=target.records.place),
            msg(
                "Name an empty store. To see what this one holds, run 'portalops ledger show' with a "
                "configuration that names it."
            ),
        )
    return end.seq


def _newest(kept: KeptLedger) -> Record | None:
    return next(kept.records.records(Selection(newest_first=True, limit=1)), None)


def _bring_blobs(source: KeptLedger, target: KeptLedger) -> tuple[int, tuple[Digest, ...]]:
    """Bring every detail over: bodies of records, and what these name in turn, such as documents, letters and answers of hosts."""
    brought = 0
    for digest in source.blobs.digests():
        if not target.blobs.has(digest):
            target.blobs.keep(source.blobs.read(digest))
            brought += 1
    lost = tuple(digest for _seq, digest in source.records.bodies() if not target.blobs.has(digest))
    return brought, lost
