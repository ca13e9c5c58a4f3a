"""Which sets are held and which are marked for removal: the records of `prune.*`, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime

from portalops.bodies import decode_part
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.backups import SetId
from portalops.model.message import msg
from portalops.model.record import Record
from portalops.model.retention import Hold, PruneMark
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

HELD, RELEASED = "prune.held", "prune.released"
MARKED, UNDONE = "prune.marked", "prune.undone"
RETENTION_KINDS = (HELD, RELEASED, MARKED, UNDONE)

HOLD, MARK = "hold", "mark"
"""The keys of the two in their records' bodies."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One record of a set that was held, released, marked for removal, or unmarked."""

    seq: int
    at: datetime
    kind: str
    """One of `RETENTION_KINDS`."""
    body: Hold | PruneMark


@dataclass(frozen=True, slots=True)
class RecordedHold:
    """A hold that is in force, with the record that placed it."""

    seq: int
    at: datetime
    hold: Hold


@dataclass(frozen=True, slots=True)
class RecordedMark:
    """A mark that is in force, with the record that made it."""

    seq: int
    at: datetime
    mark: PruneMark


@dataclass(frozen=True, slots=True)
class Retained:
    """What people and earlier runs have decided about sets; of removed sets as well."""

    holds: Mapping[SetId, RecordedHold] = field(default_factory=dict)
    marks: Mapping[SetId, RecordedMark] = field(default_factory=dict)


def fold_retention(decisions: Iterable[Decision]) -> Retained:
    """Return the holds and marks that are in force after these decisions, oldest first.

    A mark that a person undoes becomes a hold: otherwise the next run would mark the set again.
    """
    holds: dict[SetId, RecordedHold] = {}
    marks: dict[SetId, RecordedMark] = {}
    for each in decisions:
        body = each.body
        if isinstance(body, Hold):
            holds.pop(body.set_id, None)
            if each.kind == HELD:
                holds[body.set_id] = RecordedHold(each.seq, each.at, body)
            continue
        marks.pop(body.set_id, None)
        if each.kind == MARKED:
            marks[body.set_id] = RecordedMark(each.seq, each.at, body)
        elif body.by_person:
            holds[body.set_id] = RecordedHold(each.seq, each.at, Hold(body.set_id, str(body.reason)))
    return Retained(holds, marks)


def read_retention(ledger: LedgerReader) -> Retained:
    """Return the holds and marks that are in force.

    Raises:
        LedgerError: a record's details cannot be read. It may be a hold, so nothing may be removed then.
    """
    return fold_retention(_decision(ledger, record) for record in ledger.records(kinds=RETENTION_KINDS))


@dataclass(frozen=True, slots=True)
class Decisions:
    """What reading the decisions about sets came to."""

    decisions: tuple[Decision, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_decisions(ledger: LedgerReader, *, until: datetime | None = None) -> Decisions:
    """Return every decision that was recorded by a moment, and the records that cannot be read."""
    found: list[Decision] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=RETENTION_KINDS, until=until):
        try:
            found.append(_decision(ledger, record))
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
    return Decisions(tuple(found), tuple(unreadable))


def _decision(ledger: LedgerReader, record: Record) -> Decision:
    blob = ledger.blob(record.body)
    body = decode_part(blob, HOLD, Hold) or decode_part(blob, MARK, PruneMark)
    if body is None:
        raise LedgerError(
            msg("record {seq} of the kind {kind} names no set", seq=record.seq, kind=record.kind),
            msg("Run 'portalops ledger verify'. No set is removed until this record can be read."),
        )
    return Decision(record.seq, record.at, record.kind, body)
