"""What holds a report's ledger: the records it rests on, the head over them, and whatever else speaks for or against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portalops.model.heads import RecordedHead
from portalops.model.message import Message
from portalops.model.record import Digest
from portalops.registers.figures import Figures


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
class Proof:
    """Everything that a report says of its own proof."""

    ledger_range: LedgerRange | None = None
    """None for an empty ledger."""
    head: RecordedHead | None = None
    """The newest head of the range; None if there is none, or none that can be read."""
    uncovered: int = 0
    """How many records of the range the head is not over, its own record apart."""
    unsigned: Message | None = None
    """Why no head could be made for this report; None if its head is new, or no key is configured."""
    has_key: bool = False
    """A signing key is configured."""
    own_run: str = ""
    """The run that makes this report, and so has not ended yet; empty for a report by hand."""
    figures: Figures | None = None
