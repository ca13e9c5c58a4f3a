"""What a report judged, as values: for formats that carry verdicts from program to program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.record import Digest
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class JudgedDuty:
    """One duty with what was found."""

    duty: Duty
    standing: Standing
    recorders: tuple[Message, ...] = ()
    """Who recorded what it rests on; none where the ledger has no writers."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was judged, by which rules, and on which ledger."""

    portal: Name
    portal_id: str
    start: datetime
    end: datetime
    """Of the period, the end exclusive; both aware."""
    period: str
    """`2026-11-16..2026-11-22`, local days."""
    made_at: datetime
    version: str
    """Of portalops."""
    rulebook: str
    """Id and version, and a digest of the numbers where configuration changed any."""
    regulation: Name
    document: str
    """Number, date and issuer of the regulation."""
    clauses: Mapping[str, str]
    """The Vietnamese text of each clause that was judged, by its id."""
    ledger: str | None
    """The ledger's id; None if there is no record."""
    last_record: Digest | None
    """SHA-256 of the last record's line."""
    head_code: str | None
    """Code of the signed head; None if nothing is signed."""
    holds: bool
    """The ledger was gone over, and nothing in it was found changed."""
    judged: Sequence[JudgedDuty]
