"""One line of the ledger, as a value. The bytes are made and read in `portalops/ledger/record.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, NewType, TypeVar

from portalops.model.message import Message
from portalops.model.values import dataclass

Digest = NewType("Digest", str)
"""SHA-256 in lower-case hexadecimal, 64 characters."""
RunId = NewType("RunId", str)
"""Deterministic and unique, such as `10.2:content:2026-W48:full`."""

YEARS = range(2, 9999)
"""Years of the moments that the format allows: those that are in the calendar wherever they are shown."""

STARTED = ".started"
FINISHED = ".finished"
"""The endings of the two kinds that frame a run."""

BodyT = TypeVar("BodyT")


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded fact: who, where, how and the details lie in the blob that `body` names."""

    seq: int
    """1 for the first record; no gaps."""
    at: datetime
    """UTC, whole milliseconds or coarser; never earlier than the record before."""
    kind: str
    """Dotted, such as `backup.finished`."""
    run: RunId
    subject: str
    """What it is about: a set, host, unit, medium or job; may be empty."""
    duty: str
    """The duty or clause it is evidence for; may be empty."""
    body: Digest
    """SHA-256 of the blob with the details."""
    prev: Digest
    """SHA-256 of the previous line's bytes; 64 zeros for the first."""
    line: bytes
    """The exact bytes that are hashed, without the line feed."""
    v: int = 1


@dataclass(frozen=True, slots=True)
class Recorded(Generic[BodyT]):
    """A result together with the record that holds it."""

    seq: int
    at: datetime
    run: str
    body: BodyT


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was recorded."""

    seq: int
    """The record that cannot be trusted, or that is missing."""
    what: Message
