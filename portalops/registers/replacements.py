"""Media whose place another physical one took: the records of `media.added` that end what was on them."""

from __future__ import annotations

from datetime import datetime

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.media import MediumEntry
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

ADDED, MEDIUM = "media.added", "medium"
"""The kind of the records, and the key of the medium in their bodies."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """From here on another physical medium has this id: what was on the one before is gone with it."""

    seq: int
    at: datetime
    medium: str


def read_replacements(ledger: LedgerReader) -> tuple[Replacement, ...]:
    """Return the replacements, oldest first.

    A medium is replaced where its id comes into the register once more, or where its record says so. Where the details of a
    record cannot be read, its subject still tells which medium came.
    """
    known: set[str] = set()
    found: list[Replacement] = []
    for record in ledger.records(kinds=(ADDED,)):
        try:
            entry = decode_part(ledger.blob(record.body), MEDIUM, MediumEntry)
        except PortalOpsError:
            entry = None
        medium = entry.id if entry is not None else record.subject
        if medium in known or (entry is not None and entry.replaces):
            found.append(Replacement(record.seq, record.at, medium))
        known.add(medium)
    return tuple(found)
