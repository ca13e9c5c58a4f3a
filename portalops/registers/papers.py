"""Papers that records rest on. One that was lost or erased since shows nobody anything: it is not kept any more."""

from __future__ import annotations

from portalops.model.record import Digest
from portalops.ports import LedgerReader


def still_kept(ledger: LedgerReader, paper: Digest | None) -> Digest | None:
    """Return a paper's digest if the ledger has it still; whether its bytes are whole is told by verification."""
    return paper if paper is not None and ledger.has_blob(paper) else None
