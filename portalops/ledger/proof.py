"""Reads out of a ledger what a report says of its own proof."""

from __future__ import annotations

from portalops.errors import LedgerError
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.heads import HEAD, UNCOVERED_KINDS, read_head
from portalops.ledger.record import line_digest
from portalops.model.heads import RecordedHead
from portalops.model.message import Message
from portalops.registers.figures import Figures
from portalops.registers.proof import LedgerRange, Proof


def read_proof(
    ledger: LedgerAsOf,
    figures: Figures,
    *,
    ledger_id: str,
    unsigned: Message | None,
    has_key: bool,
    own_run: str,
) -> Proof:
    """Read everything that a report says of its own proof.

    Args:
        ledger: up to the last record that the report rests on.
        figures: of the report, as of the same record.
        ledger_id: as the first record names it.
        unsigned: why no new head could be signed.
        has_key: a signing key is configured.
        own_run: the run that makes the report; empty for one by hand.

    Raises:
        LedgerError: the ledger cannot be read at all.
    """
    head, unreadable = _newest_head(ledger)
    return Proof(
        ledger_range=_range(ledger, ledger_id),
        head=head,
        uncovered=_uncovered(ledger, head),
        unsigned=unsigned or unreadable,
        has_key=has_key,
        own_run=own_run,
        figures=figures,
    )


def _range(ledger: LedgerAsOf, ledger_id: str) -> LedgerRange | None:
    first, last = ledger.first(), ledger.last()
    if first is None or last is None:
        return None
    return LedgerRange(
        ledger=ledger_id,
        first_seq=first.seq,
        first_at=first.at,
        last_seq=last.seq,
        last_at=last.at,
        count=ledger.count(),
        last_line_sha256=line_digest(last.line),
    )


def _newest_head(ledger: LedgerAsOf) -> tuple[RecordedHead | None, Message | None]:
    """Return the newest head, or why it cannot be read; neither if there is none."""
    record = next(ledger.records(kinds=(HEAD,), newest_first=True, limit=1), None)
    if record is None:
        return None, None
    try:
        return read_head(ledger.ledger, record), None
    except LedgerError as error:
        return None, error.message


def _uncovered(ledger: LedgerAsOf, head: RecordedHead | None) -> int:
    """Count the records that no head is over, heads themselves apart."""
    covered = head.head.size if head else 0
    count = 0
    for record in ledger.records(newest_first=True):
        if record.seq <= covered:
            break
        count += record.kind not in UNCOVERED_KINDS
    return count
