"""Records that two persons set aside: what they sign, and what comes of it."""

from __future__ import annotations

from datetime import datetime

from portalops.model.record import Digest
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The text of a `ledger.quarantined` record, which the ledger's key and a second person sign."""

    ledger: str
    """The ledger's id."""
    first: int
    """The first record that is set aside."""
    last: int
    """The last one; at most `MAX_RECORDS` from the first."""
    digest: Digest
    """SHA-256 of the line of the last one, whatever bytes it has."""
    by: str
    """Who asks for it, as a person wrote it; 1 to 200 characters."""
    second: str
    """The second person's name, likewise."""
    public_key: str
    """The second person's key: `ALGORITHM BASE64`."""
    reason: str
    """1 to 200 characters."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A quarantine that counts."""

    seq: int
    """Its record."""
    at: datetime
    quarantine: Quarantine

    def holds(self, seq: int) -> bool:
        """Say whether a record is set aside by it."""
        return self.quarantine.first <= seq <= self.quarantine.last
