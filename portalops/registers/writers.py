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

CLOCK_MENDED = "ledger.clock-mended"
"""The kind by which two persons say that records carry a wrong time."""

BY_TWO = (QUARANTINED, CLOCK_MENDED)
"""Kinds that two persons sign: they may be before the time of the records that they speak of."""

SELF_SIGNED = frozenset({"head", *CLAIM_KINDS, *BY_TWO})
"""Kinds of records that nobody needs to claim: their details are signed, and one that is not is named."""
