"""The erasures in a ledger, and which of them count for nothing: those of details that are never erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.claims import AUTHORITY_KINDS, Ownership
from portalops.ledger.ledger import Ledger
from portalops.model.heads import Erasure
from portalops.model.message import msg
from portalops.model.record import Digest, Record
from portalops.registers.erasures import ERASED, INERASABLE, RecordedErasure, names_kept
from portalops.registers.signers import KEY_KINDS
from portalops.registers.writers import SELF_SIGNED

_OF_ITSELF = SELF_SIGNED | {*KEY_KINDS}
"""Kinds that protect their details unclaimed too: one that holds nothing of its kind is a fault until it is set aside."""


def protects(seq: int, kind: str, *, ownership: Ownership, set_aside: Collection[int]) -> bool:
    """Say whether a record's details are never erased and never withheld: it is of a kind in `INERASABLE`, and counts.

    One that nobody claims yet does not: a stranger can record it, and could so forbid any erasure.

    Args:
        seq: the record's number.
        kind: its kind.
        ownership: whose the records are.
        set_aside: numbers of the records that two persons set aside.
    """
    if kind not in INERASABLE or seq in set_aside:
        return False
    if kind in _OF_ITSELF or ownership.begin is None or seq <= ownership.begin:
        return True
    return ownership.has_authority(seq) if kind in AUTHORITY_KINDS else ownership.owner(seq) is not None


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


def read_named(ledger: Ledger, erasures: Iterable[RecordedErasure]) -> dict[Digest, list[tuple[int, str]]]:
    """Return the records of a kind in `INERASABLE` with details which erasures name, as `NamedKept` has them."""
    wanted = {each.erasure.digest for each in erasures}
    named: dict[Digest, list[tuple[int, str]]] = {}
    for record in ledger.records(kinds=INERASABLE) if wanted else ():
        if record.body in wanted:
            named.setdefault(record.body, []).append((record.seq, record.kind))
    return named


def find_void_erasures(ledger: Ledger, records: Iterable[Record]) -> frozenset[int]:
    """Return which of some records are erasures of what any record of a kind in `INERASABLE` has: each can be set aside.

    Whether that record counts is not asked: it may itself depend on what is set aside.

    Raises:
        IntegrityError: the ledger cannot be read.
    """
    erasures = [found for each in records if each.kind == ERASED and (found := read_recorded(ledger, each)) is not None]
    first = {digest: records[0][0] for digest, records in read_named(ledger, erasures).items()}
    return frozenset(each.seq for each in erasures if names_kept(each, first))


def read_recorded(ledger: Ledger, record: Record) -> RecordedErasure | None:
    """Read a `blob.erased` record with its details; None if they cannot be read, or hold no erasure."""
    try:
        blob = ledger.blob(record.body)
    except PortalOpsError:
        return None
    return read_erasure(HeldRecord(record.seq, record.at, record.kind, blob))
