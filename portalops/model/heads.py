"""Heads, the keys that sign them, and the anchors that keep them out of the operator's reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import NewType

from portalops.model.organisation import Name
from portalops.model.record import Digest
from portalops.model.values import dataclass

AnchorId = NewType("AnchorId", str)


@dataclass(frozen=True, slots=True)
class Head:
    """The state of a ledger at one moment: a kept head shows later whether anything before it was changed."""

    ledger: str
    """The ledger's id."""
    size: int
    """How many records there were: the seq of the newest."""
    digest: Digest
    """SHA-256 of that record's line."""
    at: datetime
    """When the head was made, UTC, whole milliseconds."""
    previous: Digest
    """SHA-256 of the text of the head before; 64 zeros for the first one."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as it was published: the body of a `head` record, under the key `head`."""

    text: str
    """The six lines, each ending in a line feed; see `ledger.heads`."""
    signature: str
    """OpenSSH signature of the text's bytes, armoured."""


@dataclass(frozen=True, slots=True)
class RecordedHead:
    """A head with the record that holds it."""

    seq: int
    """Of the `head` record; later than the head's own size."""
    head: Head
    signed: SignedHead


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """The body of a `key.added` or `key.retired` record, under the key `key`.

    The record's own time is the moment from which the key signs; a retirement ends it for what stands behind, whatever its time.
    """

    public_key: str
    """`ssh-ed25519 BASE64`, without a comment."""
    reason: str = ""
    replaces: str = ""
    """Of a key that was added: the public key before it, which must sign a head over this record. Empty for the first
    key, and for one whose predecessor was lost and could not speak for it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signed heads, and when: folded from the key records."""

    principal: str
    public_key: str
    valid_from: datetime
    valid_to: datetime | None
    added_seq: int
    retired_seq: int | None
    replaces: str
    vouched_seq: int | None = None
    """The record of the first head over `added_seq` by the confirmed key which this one replaces; None without one."""
    is_known: bool = True
    """It is the first key, or the reader knows it to be the ledger's own."""

    @property
    def is_confirmed(self) -> bool:
        """The ledger's own: anybody who may append can add another."""
        return self.is_known or self.vouched_seq is not None

    def signs(self, seq: int, moment: datetime) -> bool:
        """Say whether it signs in a record, at a moment: from its first moment on, and before the record that retired it.

        Where that record stands decides, not what time it has: anybody who has the key can write an earlier time.
        """
        return self.valid_from <= moment and (self.retired_seq is None or seq < self.retired_seq)


@dataclass(frozen=True, slots=True)
class AnchorReceipt:
    """What one anchor gave back for a head."""

    anchor: AnchorId
    kind: str
    """`mail`, `rfc3161`, `s3`, `witness`, ..."""
    size: int
    """Of the head."""
    head: Digest
    """SHA-256 of the head's text."""
    at: datetime | None
    """The time that the third party itself states; None if it states none."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Whatever lets a stranger find it again: a message id, an object's version, a retention date."""
    evidence: tuple[Digest, ...] = ()
    """Blobs: the third party's answer as it came; of `rfc3161` the time-stamp token comes first."""
    problem: str = ""
    """Why the head is not there; empty if it is."""


@dataclass(frozen=True, slots=True)
class AnchorResult:
    """The body of an `anchor.finished` record, under the key `anchor`."""

    size: int
    head: Digest
    """SHA-256 of the text of the head that was sent."""
    receipts: tuple[AnchorReceipt, ...]


@dataclass(frozen=True, slots=True)
class SignOff:
    """A person's signature under a report: the body of a `sign-off` record, under the key `sign_off`."""

    report: str
    """The report's file name."""
    sha256: Digest
    """Of the report's file."""
    signer: str
    """Id of the person in the configuration."""
    name: str
    office: str
    public_key: str
    text: str
    """What was signed: the line that `sha256sum` prints for the file."""
    signature: str
    """OpenSSH signature of the text, namespace `portalops-signoff`."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs reports, from a day to a day, both included."""

    id: str
    name: Name
    office: str
    public_key: str
    """`ssh-ed25519 BASE64` or `sk-ssh-ed25519@openssh.com BASE64`, without a comment."""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A blob that was removed for good: the body of a `blob.erased` record, under the key `erased`."""

    digest: Digest
    reason: str
    approved_by: str
