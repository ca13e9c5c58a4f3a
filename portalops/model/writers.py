"""Who may write to a ledger, and for which records each of them stands."""

from __future__ import annotations

from enum import StrEnum

from portalops.model.record import Digest
from portalops.model.values import dataclass


class Authority(StrEnum):
    """What a writer's records may change."""

    ALL = "all"
    """Plans and erasures too."""
    RECORDS = "records"
    """All but those."""


class WriterState(StrEnum):
    """What a record says of a writer."""

    ADDED = "added"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class WriterEvent:
    """The text of a `writer.added` or `writer.ended` record, which a key of the ledger signs."""

    ledger: str
    """The ledger's id."""
    state: WriterState
    public_key: str
    """Of the machine or person: `ssh-ed25519 BASE64`, without a comment."""
    name: str
    """What reports call it: letters, digits, and `.`, `_`, `@`, `-`; at most 100."""
    authority: Authority


@dataclass(frozen=True, slots=True)
class Writer:
    """A machine or person whose key claims records: folded from the writer records."""

    public_key: str
    name: str
    authority: Authority
    added_seq: int
    ended_seq: int | None
    """None while it may write."""

    def is_enrolled_at(self, seq: int) -> bool:
        """Say whether a record of this number may be its claim."""
        return self.added_seq < seq and (self.ended_seq is None or seq < self.ended_seq)


@dataclass(frozen=True, slots=True)
class LineRange:
    """Records in a row."""

    first: int
    last: int
    digest: Digest
    """SHA-256 of the line of the last one, which holds the digests of all before."""


@dataclass(frozen=True, slots=True)
class WriterClaim:
    """The text of a `claim` record, which its writer signs."""

    ledger: str
    ranges: tuple[LineRange, ...]
    """Ascending; none overlaps another."""


@dataclass(frozen=True, slots=True)
class RecordedRange:
    """Records in a row, and who recorded them."""

    first: int
    last: int
    name: str
    """The writer's."""
    public_key: str


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """Who had records claimed that no command had claimed, and why: as the machine noted it, which no key of theirs signs."""

    person: str
    """The login, and the machine; empty where that is not recorded."""
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimByHand:
    """A claim that counts and that a person had made afterwards."""

    seq: int
    """Of the record of the claim."""
    ranges: tuple[LineRange, ...]
    public_key: str
    """Of the writer that stands for them."""
    by_hand: ClaimNote


@dataclass(frozen=True, slots=True)
class Claimed:
    """Records in a row, and who stands for them."""

    first: int
    last: int
    public_key: str
    """Of the writer."""
    claim_seq: int = 0
    """Of the claim's record; 0 where several claims make one range."""
