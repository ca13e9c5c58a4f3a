"""Records that two persons set aside, or of which they say that their time is wrong: what they sign, and what comes of it."""

from __future__ import annotations

from datetime import datetime

from portalops.model.record import Digest
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The text of a `ledger.quarantined` or `ledger.clock-mended` record, which the ledger's key and a second person sign."""

    ledger: str
    """The ledger's id."""
    first: int
    """The first record that it names."""
    last: int
    """The last one."""
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
    since: datetime | None = None
    """From when on time is right again, where the records' time is wrong; None where they are set aside."""

    def is_behind_its_range(self, seq: int, at: datetime) -> bool:
        """Say whether a mended clock stands where its text puts it, given the record's number and time: whoever has the text can append it again."""
        return self.since is not None and self.last == seq - 1 and self.since <= at


@dataclass(frozen=True, slots=True)
class SetAside:
    """A quarantine or a mended clock that counts."""

    seq: int
    """Its record."""
    at: datetime
    quarantine: Quarantine
    is_proven: bool = True
    """False where the details of which it says that they are missing are there, or left out of a bundle: that is unknown then."""

    def holds(self, seq: int) -> bool:
        """Say whether it names a record."""
        return self.quarantine.first <= seq <= self.quarantine.last
