"""The text that two persons sign to set records aside, or to say that their time is wrong; pure.

portalops-quarantine 1
ledger 5f0c...            the ledger's id
range 12 15 9f3a...       the first and the last record, and SHA-256 of the line of the last
by Nguyễn Văn An          who asks for it
second Trần Thị Bình      the second person
key ssh-ed25519 AAAA...   the second person's
reason a stolen account wrote them

Of a mended clock the first line is `portalops-clock 1`, and the range is followed by

since 2026-12-01T08:15:00.000Z   from when on time is right again
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.ledger.record import NotARecord, parse, parse_at
from portalops.ledger.stores import BlobStore, StoredLines
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.model.text import format_at
from portalops.model.values import dataclass
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED
from portalops.signatures.sshsig import BadSignature, public_key_of, verify


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What differs between the two kinds of records that two persons sign."""

    part: str
    """The key of the signed text in the body."""
    word: str
    """Of the text's first line."""
    most: int | None
    """How many records one may name; None for any number up to the record itself: what is named once is not named again."""

    @property
    def namespace(self) -> str:
        """The purpose that both sign for."""
        return f"portalops-{self.word}"


MOST_SET_ASIDE = 1000
"""How many records one quarantine may name."""

FORMS: Mapping[str, SignedForm] = {
    QUARANTINED: SignedForm("quarantine", "quarantine", MOST_SET_ASIDE),
    CLOCK_MENDED: SignedForm("mended_clock", "clock", None),
}
"""By kind of record."""

MAX_NAME = 200
"""Longest name or reason, in characters."""


def text_of(quarantine: Quarantine) -> str:
    """Return the lines that both sign: seven, or eight where a clock is mended."""
    form = FORMS[QUARANTINED if quarantine.since is None else CLOCK_MENDED]
    since = "" if quarantine.since is None else f"since {format_at(quarantine.since)}\n"
    return (
        f"{form.namespace} 1\nledger {quarantine.ledger}\n"
        f"range {quarantine.first} {quarantine.last} {quarantine.digest}\n{since}"
        f"by {quarantine.by}\nsecond {quarantine.second}\nkey {quarantine.public_key}\nreason {quarantine.reason}\n"
    )


def parse_quarantine(text: str, kind: str = QUARANTINED) -> Quarantine | None:
    """Read them; None if `text_of` would not have written the text for a kind of record, or there are no such records or no such key."""
    found = _QUARANTINE.fullmatch(text)
    try:
        if found is None or public_key_of(found.group(8)) != found.group(8):
            return None
        since = parse_at(found.group(5)) if found.group(5) is not None else None
    except ValueError:
        return None
    form, (ledger, first, last, digest, _since, by, second, key, reason) = FORMS[kind], found.groups()
    if not text.startswith(f"{form.namespace} ") or int(last) < int(first):
        return None
    if form.most is not None and int(last) >= int(first) + form.most:
        return None
    made = Quarantine(ledger, int(first), int(last), Digest(digest), by, second, key, reason, since)
    return made if (since is not None) == (kind == CLOCK_MENDED) else None


def read_by_two(kind: str, blob: bytes, ledger: str) -> tuple[Quarantine, str] | None:
    """Return what two persons signed, and the key that did so as the ledger's; None if the details hold no such text of this ledger.

    Args:
        kind: of the record.
        blob: its details.
        ledger: its id.
    """
    form = FORMS[kind]
    part = bodies.part_of(blob, form.part)
    text, own, second = part.get("text"), part.get("signature"), part.get("second_signature")
    if not isinstance(text, str) or not isinstance(own, str) or not isinstance(second, str):
        return None
    found = parse_quarantine(text, kind)
    if found is None or found.ledger != ledger:
        return None
    try:
        verify(text.encode(), second, form.namespace)
        return found, verify(text.encode(), own, form.namespace)
    except BadSignature:
        return None


def lines_named(lines: StoredLines, blobs: BlobStore) -> Iterator[int]:
    """Yield the numbers of the records that the quarantines of a store name, whether they count or not."""
    for _place, line in lines.lines_of((QUARANTINED,)):
        with suppress(NotARecord, PortalOpsError):
            record = parse(line) if isinstance(line, bytes) else None
            text = bodies.part_of(blobs.read(record.body), FORMS[QUARANTINED].part).get("text") if record else None
            named = parse_quarantine(text) if isinstance(text, str) else None
            if record is not None and named is not None and named.last < record.seq:
                yield from range(named.first, named.last + 1)


_LINE = rf"([^\x00-\x1f\x7f\ud800-\udfff]{{1,{MAX_NAME}}})"
_QUARANTINE = re.compile(
    r"portalops-(?:quarantine|clock) 1\nledger ([0-9a-f]{32})\nrange ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n"
    r"(?:since ([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z)\n)?"
    rf"by {_LINE}\nsecond {_LINE}\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\nreason {_LINE}\n"
)
