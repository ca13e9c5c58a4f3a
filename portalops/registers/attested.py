"""Which items people attest: their records, folded.

A record whose details cannot be read attests nothing. If it withdraws something, nothing that was attested before it counts any
more, since each may be what it withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.record import Digest, Record
from portalops.model.submissions import AttestationWithdrawal, ObservedItem, RegisteredPaper
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

OBSERVED = "updates.observed"
REGISTERED = "updates.registered"
WITHDRAWN = "updates.withdrawn"
ATTESTED_KINDS = (OBSERVED, REGISTERED, WITHDRAWN)
ITEM, PAPER, WITHDRAWAL = "item", "paper", "withdrawal"
"""The keys of the three in their records' bodies."""

Attestation: TypeAlias = ObservedItem | RegisteredPaper


@dataclass(frozen=True, slots=True)
class Attested:
    """What a person attests, with the records that say so and take it back."""

    seq: int
    at: datetime
    """When it was recorded."""
    evidence: Digest
    """The record's body."""
    what: Attestation
    withdrawn_seq: int | None = None
    withdrawn_at: datetime | None = None


def fold_attested(
    records: Iterable[tuple[int, datetime, Digest, Attestation | AttestationWithdrawal | None]],
) -> tuple[Attested, ...]:
    """Return what was attested, in the order in which it was recorded.

    Args:
        records: number, time and body of each record, with what that holds, oldest first; None for a withdrawal that cannot be
            read.
    """
    found: list[Attested] = []
    for seq, at, body, what in records:
        if isinstance(what, (ObservedItem, RegisteredPaper)):
            found.append(Attested(seq, at, body, what))
            continue
        ends = None if what is None else what.id
        found = [
            replace(each, withdrawn_seq=seq, withdrawn_at=at)
            if each.withdrawn_seq is None and ends in {None, each.what.id}
            else each
            for each in found
        ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReadAttested:
    """What reading attestations came to."""

    attested: tuple[Attested, ...] = ()
    """Oldest first, also what was withdrawn since."""
    unreadable: tuple[tuple[Record, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""

    @property
    def standing(self) -> tuple[Attested, ...]:
        """Return what was not withdrawn."""
        return tuple(each for each in self.attested if each.withdrawn_seq is None)


def read_attested(ledger: LedgerReader, *, until: datetime | None = None) -> ReadAttested:
    """Return all that was attested by a moment."""
    found: list[tuple[int, datetime, Digest, Attestation | AttestationWithdrawal | None]] = []
    faults: list[tuple[Record, PortalOpsError]] = []
    for record in ledger.records(kinds=ATTESTED_KINDS, until=until):
        what: Attestation | AttestationWithdrawal | None
        try:
            blob = ledger.blob(record.body)
            if record.kind == OBSERVED:
                what = required_part(blob, ITEM, ObservedItem)
            elif record.kind == REGISTERED:
                what = required_part(blob, PAPER, RegisteredPaper)
            else:
                what = required_part(blob, WITHDRAWAL, AttestationWithdrawal)
        except PortalOpsError as error:
            faults.append((record, error))
            what = None
        if what is not None or record.kind == WITHDRAWN:
            found.append((record.seq, record.at, record.body, what))
    return ReadAttested(fold_attested(found), tuple(faults))
