"""The erasures of a ledger that count, and which records' details are gone by one: that is no fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.erasures import protects, read_named, read_recorded
from portalops.ledger.heeded import heeded, numbers_set_aside, read_ownership
from portalops.ledger.ledger import Ledger
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.registers.erasures import (
    ERASED,
    INERASABLE,
    RecordedErasure,
    find_protected,
    fold_erasures,
    names_kept,
)
from portalops.registers.evidence import UnreadableRecord


def read_kept(ledger: Ledger, erasures: Iterable[RecordedErasure]) -> dict[Digest, int]:
    """Return the first record that protects the details which erasures name (`protects`), by their digest.

    Raises:
        IntegrityError: the ledger cannot be read.
    """
    named = read_named(ledger, erasures)
    if not named:
        return {}
    return find_protected(
        named, partial(protects, ownership=read_ownership(ledger), set_aside=numbers_set_aside(ledger))
    )


def read_erasures(ledger: Ledger) -> Mapping[Digest, RecordedErasure]:
    """Return the erasures that count, by what they name.

    Raises:
        IntegrityError: the ledger cannot be read.
    """
    records = heeded(ledger).records(kinds=(ERASED,))
    found = [each for record in records if (each := read_recorded(ledger, record)) is not None]
    kept = read_kept(ledger, found)
    return fold_erasures(each for each in found if not names_kept(each, kept))


def was_erased(
    ledger: Ledger | LedgerAsOf, record: Record, erasures: Mapping[Digest, RecordedErasure]
) -> RecordedErasure | None:
    """Return the erasure by which a record's details are gone; None if they are there, or were not erased.

    Args:
        ledger: says whether the details are there.
        record: whose.
        erasures: those that count.
    """
    erasure = erasures.get(record.body) if record.kind not in INERASABLE else None
    return None if erasure is None or ledger.has_blob(record.body) else erasure


def name_erased(
    ledger: Ledger | LedgerAsOf, unreadable: Iterable[UnreadableRecord], erasures: Mapping[Digest, RecordedErasure]
) -> Iterator[UnreadableRecord]:
    """Yield what cannot be read; where details were erased on purpose, that is the reason, and nothing was changed."""
    for each in unreadable:
        record = ledger.record(each.seq) if each.damaged and erasures else None
        erasure = was_erased(ledger, record, erasures) if record is not None else None
        yield each if erasure is None else replace(each, damaged=False, erased=True, why=say_erased(erasure))


def say_erased(erasure: RecordedErasure) -> Message:
    """Say why details are not there."""
    return msg("its details were erased for good, by record {seq}", seq=str(erasure.seq))
