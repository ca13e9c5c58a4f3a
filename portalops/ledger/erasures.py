"""The erasures in a ledger, and which of them count for nothing: those of details that are never erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.ledger import Ledger
from portalops.model.heads import Erasure
from portalops.model.message import msg
from portalops.model.record import Digest, Record
from portalops.registers.erasures import ERASED, INERASABLE, RecordedErasure, names_kept


def read_erasure(held: HeldRecord) -> RecordedErasure | None:
    """Read a `blob.erased` record; None if its details hold no erasure."""
    part = bodies.part_of(held.blob or b"", "erased")
    digest, reason, approved_by = part.get("digest"), part.get("reason"), part.get("approved_by")
    if not isinstance(digest, str) or not isinstance(reason, str) or not isinstance(approved_by, str):
        return None
    return RecordedErasure(held.seq, held.at, Erasure(Digest(digest), reason, approved_by))


def without_void(
    erasures: Iterable[RecordedErasure], kept: Mapping[Digest, int], faults: Faults
) -> list[RecordedErasure]:
    """Return the erasures that name nothing that is never erased, and name the others.

    Args:
        erasures: those that a writer with authority stands for.
        kept: as in `names_kept`.
        faults: receives what counts for nothing.
    """
    found: list[RecordedErasure] = []
    for each in erasures:
        if not names_kept(each, kept):
            found.append(each)
            continue
        faults.add(
            each.seq,
            msg(
                "the erasure in record {seq} counts for nothing: it names the details of record {record}, which are never erased",
                seq=each.seq,
                record=str(kept[each.erasure.digest]),
            ),
        )
    return found


def read_kept(ledger: Ledger, erasures: Iterable[RecordedErasure]) -> dict[Digest, int]:
    """Return the first record of a kind in `INERASABLE` that has the details which erasures name, by their digest."""
    wanted = {each.erasure.digest for each in erasures}
    kept: dict[Digest, int] = {}
    for record in ledger.records(kinds=INERASABLE) if wanted else ():
        if record.body in wanted:
            kept.setdefault(record.body, record.seq)
    return kept


def find_void_erasures(ledger: Ledger, records: Iterable[Record]) -> frozenset[int]:
    """Return which of some records are erasures that count for nothing (`names_kept`), so that each can be set aside.

    Raises:
        IntegrityError: the ledger cannot be read.
    """
    erasures = [found for each in records if each.kind == ERASED and (found := _read(ledger, each)) is not None]
    kept = read_kept(ledger, erasures)
    return frozenset(each.seq for each in erasures if names_kept(each, kept))


def _read(ledger: Ledger, record: Record) -> RecordedErasure | None:
    try:
        blob = ledger.blob(record.body)
    except PortalOpsError:
        return None
    return read_erasure(HeldRecord(record.seq, record.at, record.kind, blob))
