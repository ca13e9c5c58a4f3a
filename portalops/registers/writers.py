"""Kinds of the records that say who writes, and who claims what."""

from __future__ import annotations

CLAIM = "claim"
WRITER_ADDED = "writer.added"
WRITER_ENDED = "writer.ended"
WRITER_KINDS = (WRITER_ADDED, WRITER_ENDED)

CLAIM_KINDS = (CLAIM, *WRITER_KINDS)
"""Kinds whose details are needed to tell whose a record is."""

QUARANTINED = "ledger.quarantined"
"""The kind by which two persons set records aside."""

SELF_SIGNED = frozenset({"head", *CLAIM_KINDS, QUARANTINED})
"""Kinds of records that nobody needs to claim: their details are signed, and one that is not is named."""
