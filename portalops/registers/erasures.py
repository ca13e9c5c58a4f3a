"""Which blobs were erased, by whose decision: the `blob.erased` records, folded.

The record stays, and so does the digest of what was erased: the chain holds, and everybody sees that
something was taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from portalops.model.heads import Erasure
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.registers.plans import PLAN
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS
from portalops.registers.writers import BY_TWO, CLAIM_KINDS

ERASED = "blob.erased"
"""The kind; the erasure stands under the key `erased` of the body."""

INERASABLE: Collection[str] = (
    "ledger.created",
    "ledger.upgraded",
    "ledger.moved",
    PLAN,
    "head",
    *KEY_KINDS,
    ERASED,
    SIGN_OFF,
    *CLAIM_KINDS,
    *BY_TWO,
)
"""Kinds of records whose bodies are never erased: without them, what was signed, expected, erased or claimed could not be told."""


NamedKept: TypeAlias = Mapping[Digest, Sequence[tuple[int, str]]]
"""By body: number and kind of the records of a kind in `INERASABLE` that have it, in order, whether they count or not."""


@dataclass(frozen=True, slots=True)
class RecordedErasure:
    """An erasure with the record that holds it."""

    seq: int
    at: datetime
    erasure: Erasure


def names_kept(recorded: RecordedErasure, kept: Mapping[Digest, int]) -> bool:
    """Say whether an erasure counts for nothing, since a record before it of a kind in `INERASABLE` has these details.

    What stands behind an erasure undoes nothing of it: a stranger could record that.

    Args:
        recorded: the erasure.
        kept: the first record of those kinds that has each body, of those that count (`find_protected`) or of all.
    """
    return kept.get(recorded.erasure.digest, recorded.seq) < recorded.seq


def find_protected(named: NamedKept, protects: Callable[[int, str], bool]) -> dict[Digest, int]:
    """Return the first record that protects each body; a body that none protects is not in it.

    Args:
        named: those that may.
        protects: says of a record's number and kind whether it counts.
    """
    first = ((body, next((seq for seq, kind in records if protects(seq, kind)), 0)) for body, records in named.items())
    return {body: seq for body, seq in first if seq}


def fold_erasures(records: Iterable[RecordedErasure]) -> Mapping[Digest, RecordedErasure]:
    """Return the erasures by digest; the first one counts if a blob is named again."""
    erased: dict[Digest, RecordedErasure] = {}
    for recorded in records:
        erased.setdefault(recorded.erasure.digest, recorded)
    return erased
