"""Which claims officers have confirmed: their records, folded.

A record whose details cannot be read confirms nothing, and is told. If it takes a confirmation back, none that was given before it counts
any more, since each may be the one that it takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date, datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.confirmations import Confirmation
from portalops.model.organisation import UnitId
from portalops.model.record import Record
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.papers import still_kept

CONFIRMED = "updates.confirmed"
UNCONFIRMED = "updates.unconfirmed"
CONFIRMATION_KINDS = (CONFIRMED, UNCONFIRMED)
CONFIRMATION = "confirmation"
"""The key of it in the record's body."""


def fold_confirmations(records: Iterable[tuple[str, Confirmation | None]]) -> dict[str, date | None]:
    """Return the observations that stand confirmed, each with the day that was confirmed; None for the one that it claims.

    Args:
        records: kind of each record and what its body holds, oldest first; None if it cannot be read.
    """
    found: dict[str, date | None] = {}
    for kind, body in records:
        if kind == CONFIRMED:
            found |= dict.fromkeys(body.observations, body.published_on) if body else {}
        elif body is None:
            found.clear()
        else:
            for name in body.observations:
                found.pop(name, None)
    return found


@dataclass(frozen=True, slots=True)
class ReadConfirmations:
    """What reading confirmations came to."""

    observations: Mapping[str, date | None] = field(default_factory=dict)
    """Those that stand confirmed, each with the day that was confirmed; None for the one that it claims."""
    given_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each was last confirmed; also of those that were taken back."""
    units: Mapping[str, UnitId] = field(default_factory=dict)
    """Whose each is by the newest such document, where that says it."""
    unkept: frozenset[str] = frozenset()
    """Those that stand confirmed and whose document is not kept."""
    unreadable: tuple[tuple[Record, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_confirmations(ledger: LedgerReader, *, until: datetime | None = None) -> ReadConfirmations:
    """Return the observations that stood confirmed at a moment."""
    found: list[tuple[str, Confirmation | None]] = []
    faults: list[tuple[Record, PortalOpsError]] = []
    given_at: dict[str, datetime] = {}
    for record in ledger.records(kinds=CONFIRMATION_KINDS, until=until):
        body: Confirmation | None
        try:
            body = required_part(ledger.blob(record.body), CONFIRMATION, Confirmation)
        except PortalOpsError as error:
            faults.append((record, error))
            body = None
        found.append((record.kind, body))
        if body is not None and record.kind == CONFIRMED:
            given_at |= dict.fromkeys(body.observations, record.at)
    standing = fold_confirmations(found)
    newest = {name: body for kind, body in found if kind == CONFIRMED and body for name in body.observations}
    unkept = frozenset(name for name in standing if still_kept(ledger, newest[name].file) is None)
    units = {name: body.unit for name, body in newest.items() if body.unit is not None}
    return ReadConfirmations(standing, given_at, units, unkept, tuple(faults))
