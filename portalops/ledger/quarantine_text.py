"""The text that two persons sign to set records aside; pure.

portalops-quarantine 1
ledger 5f0c...            the ledger's id
range 12 15 9f3a...       the first and the last record, and SHA-256 of the line of the last
by Nguyễn Văn An          who asks for it
second Trần Thị Bình      the second person
key ssh-ed25519 AAAA...   the second person's
reason a stolen account wrote them
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.record import NotARecord, parse
from portalops.ledger.stores import BlobStore, StoredLines
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.registers.writers import QUARANTINED
from portalops.signatures.sshsig import public_key_of

PART = "quarantine"
"""The key of the signed text in the body."""

MAX_RECORDS = 1000
"""Of one quarantine."""

MAX_NAME = 200
"""Longest name or reason, in characters."""


def text_of(quarantine: Quarantine) -> str:
    """Return the seven lines that both sign."""
    return (
        f"portalops-quarantine 1\nledger {quarantine.ledger}\n"
        f"range {quarantine.first} {quarantine.last} {quarantine.digest}\n"
        f"by {quarantine.by}\nsecond {quarantine.second}\nkey {quarantine.public_key}\nreason {quarantine.reason}\n"
    )


def parse_quarantine(text: str) -> Quarantine | None:
    """Read them; None if `text_of` would not have written the text, or there are no such records or no such key."""
    found = _QUARANTINE.fullmatch(text)
    try:
        if found is None or public_key_of(found.group(7)) != found.group(7):
            return None
    except ValueError:
        return None
    ledger, first, last, digest, by, second, key, reason = found.groups()
    if not int(first) <= int(last) < int(first) + MAX_RECORDS:
        return None
    return Quarantine(ledger, int(first), int(last), Digest(digest), by, second, key, reason)


def lines_named(lines: StoredLines, blobs: BlobStore) -> Iterator[int]:
    """Yield the numbers of the records that the quarantines of a store name, whether they count or not."""
    for _place, line in lines.lines_of((QUARANTINED,)):
        with suppress(NotARecord, PortalOpsError):
            record = parse(line) if isinstance(line, bytes) else None
            text = bodies.part_of(blobs.read(record.body), PART).get("text") if record else None
            named = parse_quarantine(text) if isinstance(text, str) else None
            if record is not None and named is not None and named.last < record.seq:
                yield from range(named.first, named.last + 1)


_LINE = rf"([^\x00-\x1f\x7f\ud800-\udfff]{{1,{MAX_NAME}}})"
_QUARANTINE = re.compile(
    r"portalops-quarantine 1\nledger ([0-9a-f]{32})\nrange ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n"
    rf"by {_LINE}\nsecond {_LINE}\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\nreason {_LINE}\n"
)
