"""What holds a report's ledger: the records it rests on, the heads over them, who keeps those, and what speaks against it.

Read by `portalops.ledger.proof`. Here is what was read, and what follows from it without reading more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from portalops.model.heads import AnchorReceipt, Head, SignedHead, Signer
from portalops.model.message import Message
from portalops.model.record import Digest, Fault, Recorded
from portalops.model.writers import RecordedRange
from portalops.registers.erasures import RecordedErasure
from portalops.registers.evidence import UnreadableRecord
from portalops.registers.expected_slots import START_GRACE
from portalops.registers.exports import RecordedExport
from portalops.registers.figures import Figures
from portalops.registers.sign_offs import RecordedSignOff
from portalops.registers.waivers import RecordedWaiver

LONGEST_UNANCHORED = timedelta(days=1) + START_GRACE
"""A head is to leave the operator's hands every day; a daily job may begin an hour late."""


@dataclass(frozen=True, slots=True)
class LedgerRange:
    """The records that a report could rest on."""

    ledger: str
    """The ledger's id."""
    first_seq: int
    first_at: datetime
    last_seq: int
    last_at: datetime
    count: int
    last_line_sha256: Digest
    """SHA-256 of the last record's line: whoever keeps it can tell later whether anything before it was changed."""


@dataclass(frozen=True, slots=True)
class ProvenHead:
    """A head of the ledger, and whether it holds."""

    seq: int
    """Of the `head` record."""
    head: Head
    signed: SignedHead
    text_digest: Digest
    """SHA-256 of the six lines, by which receipts name the head."""
    public_key: str
    """Of the signature; empty if it is none."""
    problem: Message | None
    """Why it does not hold: its signature, its key's time, or the record that it is over."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that a report says of its own proof."""

    ledger_range: LedgerRange | None = None
    """None for an empty ledger."""
    figures: Figures | None = None
    """As of the last record of the range."""
    head: ProvenHead | None = None
    """The newest head of the range; None if there is none, or none that can be read."""
    faults: tuple[Fault, ...] | None = None
    """What was found changed in records, heads, keys and signatures when the report was made, the earliest first; blobs
    were not read for it. None where nobody looked."""
    uncovered: int = 0
    """How many records of the range the head is not over, heads apart; 0 without a head."""
    unsigned: Message | None = None
    """Why no head could be made for this report; None if its head is new, or no key is configured."""
    has_key: bool = False
    """A signing key is configured."""
    own_run: str = ""
    """The run that makes this report, and so has not ended yet; empty for a report by hand."""
    heads: tuple[ProvenHead, ...] = ()
    """Those recorded since the period began, oldest first."""
    receipts: tuple[Recorded[AnchorReceipt], ...] = ()
    """What anchors answered since the period began, and the newest head taken before it, oldest first."""
    signers: tuple[Signer, ...] = ()
    """Every key, oldest first."""
    sign_offs: tuple[RecordedSignOff, ...] = ()
    """Every signature of a person under a report, recorded since the period began, oldest first."""
    waivers: tuple[RecordedWaiver, ...] = ()
    """Every waiver, oldest first."""
    erasures: tuple[RecordedErasure, ...] = ()
    """Every blob that was removed for good."""
    exports: tuple[RecordedExport, ...] = ()
    """Every bundle that was handed out, recorded since the period began, oldest first."""
    unreadable: tuple[UnreadableRecord, ...] = ()
    """Records of any of these whose details cannot be read."""
    claimed_from: int | None = None
    """The record behind which each is claimed; None for a ledger without writers."""
    recorded: tuple[RecordedRange, ...] = ()
    """Whose the records are, ascending; none overlaps another."""

    def recorder(self, seq: int) -> str | None:
        """Return the name of the writer that claims a record; None if nobody does, or not yet."""
        found = bisect_right(self.recorded, seq, key=lambda each: each.first) - 1
        return self.recorded[found].name if found >= 0 and seq <= self.recorded[found].last else None

    def taken(self) -> tuple[Recorded[AnchorReceipt], ...]:
        """Return the receipts of heads that an anchor has, oldest first."""
        return tuple(receipt for receipt in self.receipts if not receipt.body.problem)


def without_repeats(receipts: Iterable[Recorded[AnchorReceipt]]) -> Iterator[Recorded[AnchorReceipt]]:
    """Yield receipts, oldest first, but none that only repeats an earlier one: an anchor has a head once.

    A head that was refused counts again each time that it is refused.
    """
    seen: set[tuple[str, Digest]] = set()
    for receipt in receipts:
        key = receipt.body.anchor, receipt.body.head
        if receipt.body.problem:
            yield receipt
        elif key not in seen:
            seen.add(key)
            yield receipt


def unanchored(taken_at: Sequence[datetime], start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Return the spans longer than `LONGEST_UNANCHORED` in which no anchor took a head.

    Args:
        taken_at: when anchors took heads, in order, the last one before `start` among them if there is one.
        start: of what is looked at, or of the ledger if that is later.
        end: of what is looked at, or now if that is earlier.
    """
    before = [at for at in taken_at if at <= start]
    moments = [before[-1] if before else start, *(at for at in taken_at if start < at < end), end]
    return tuple((earlier, later) for earlier, later in pairwise(moments) if later - earlier > LONGEST_UNANCHORED)
