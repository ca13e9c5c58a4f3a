"""Reads which records of a ledger two persons set aside, for who judges by it and for who sets aside more."""

from __future__ import annotations

from collections.abc import Iterable

from portalops.errors import PortalOpsError
from portalops.ledger.chain import Faults, bytes_of
from portalops.ledger.check_heads import HeldRecord
from portalops.ledger.claims import Ownership
from portalops.ledger.heads import read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import ANYBODYS, Surrounding, check_quarantines, read_quarantine, suspects
from portalops.ledger.record import NotARecord, line_digest, parse
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.registers.writers import QUARANTINED


def read_set_aside(ledger: Ledger, ownership: Ownership) -> tuple[SetAside, ...]:
    """Return the quarantines that count; the others are named by `ledger verify`.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = tuple(read_quarantine(_held(ledger, record)) for record in ledger.records(kinds=(QUARANTINED,)))
    if not read:
        return ()
    noted = {seq: (digest, format_at(at.at) if at else "") for seq, digest, at in stored_lines(ledger, suspects(read))}
    anybodys = frozenset(record.seq for record in ledger.records(kinds=ANYBODYS))
    surrounding = Surrounding(ledger.id, read_signers(ledger), ownership, noted, anybodys)
    return check_quarantines(read, surrounding, Faults())


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
