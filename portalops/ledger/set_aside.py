"""Reads which records of a ledger two persons set aside, for who judges by it and for who sets aside more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portalops.errors import PortalOpsError
from portalops.ledger.chain import Faults, bytes_of
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.claims import Ownership
from portalops.ledger.heads import read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import (
    ANYBODYS,
    ReadQuarantine,
    Surrounding,
    check_quarantines,
    read_quarantine,
    wanted,
)
from portalops.ledger.record import NotARecord, line_digest, parse
from portalops.model.message import Message
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.registers.writers import BY_TWO


def read_set_aside(ledger: Ledger, ownership: Ownership) -> tuple[SetAside, ...]:
    """Return the quarantines and mended clocks that count; the others are named by `ledger verify`.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    return _counted(ledger, ownership, read, Faults()) if read else ()


def find_flaw(ledger: Ledger, ownership: Ownership, planned: ReadQuarantine) -> Message | None:
    """Return why a record that is not there yet would count for nothing; None if it would count.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read, faults = _read(ledger), Faults()
    faults.settle({each.seq for each in read})  # named by `ledger verify`
    counted = _counted(ledger, ownership, (*read, planned), faults)
    if any(each.seq == planned.seq for each in counted):
        return None
    return next(fault.what for fault in faults.kept if fault.seq == planned.seq)


def _read(ledger: Ledger) -> tuple[ReadQuarantine, ...]:
    return tuple(read_quarantine(_held(ledger, record)) for record in ledger.records(kinds=BY_TWO))


def _counted(
    ledger: Ledger, ownership: Ownership, read: Sequence[ReadQuarantine], faults: Faults
) -> tuple[SetAside, ...]:
    noted = {seq: (digest, format_at(at.at) if at else "") for seq, digest, at in stored_lines(ledger, wanted(read))}
    anybodys = frozenset(record.seq for record in ledger.records(kinds=ANYBODYS))
    surrounding = Surrounding(ledger.id, read_signers(ledger), ownership, noted, anybodys)
    return check_quarantines(read, surrounding, faults)


def stored_lines(ledger: Ledger, numbers: Iterable[int]) -> list[tuple[int, Digest, Record | None]]:
    """Return the digest of each line as it is stored, and the record; None if it is none."""
    found: list[tuple[int, Digest, Record | None]] = []
    with ledger.snapshot() as snapshot:
        for seq in sorted(set(numbers)):
            for chunk in snapshot.read_between(seq - 1, seq, 1):
                line = bytes_of(chunk.lines[0])
                try:
                    found.append((seq, line_digest(line), parse(line)))
                except NotARecord:
                    found.append((seq, line_digest(line), None))
    return found


def _held(ledger: Ledger, record: Record) -> HeldRecord:
    try:
        blob = ledger.blob(record.body)
    except PortalOpsError:
        return HeldRecord(record.seq, record.at, record.kind, None)
    return HeldRecord(record.seq, record.at, record.kind, blob)
