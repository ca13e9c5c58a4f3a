"""Reads which records of a ledger two persons set aside, for who judges by it and for who sets aside more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from portalops.errors import PortalOpsError
from portalops.ledger.chain import Faults, bytes_of
from portalops.ledger.check_heads import HeldRecord, Spoken, find_standings, read_head
from portalops.ledger.claims import Ownership, SettingAside
from portalops.ledger.heads import HEAD, read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.quarantines import (
    ReadQuarantine,
    Surrounding,
    check_quarantines,
    is_anybodys,
    key_mends,
    read_quarantine,
    settings_aside,
    suspects,
    wanted,
)
from portalops.ledger.record import NotARecord, line_digest, parse
from portalops.model.heads import Signer
from portalops.model.message import Message
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.registers.drills import IMPORTED
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS, begin_mended
from portalops.registers.writers import BY_TWO

JUDGED = frozenset({HEAD, *KEY_KINDS, SIGN_OFF, IMPORTED})
"""Kinds that may count for nothing by themselves, since they are signed."""


def read_set_aside(
    ledger: Ledger, ownership: Ownership, exact: Callable[[], Ownership] | None = None
) -> tuple[SetAside, ...]:
    """Return the quarantines and mended clocks that count; the others are named by `ledger verify`.

    Args:
        ledger: whose.
        ownership: whose the records are.
        exact: returns the same with each claim by itself, where that is none yet: a claim behind a quarantine changes nothing of it.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    if exact is not None and any(ownership.owner(seq) is not None for seq in suspects(read)):
        ownership = exact()
    return _counted(ledger, ownership, read, Faults()) if read else ()


def find_flaw(ledger: Ledger, ownership: Ownership, planned: ReadQuarantine) -> Message | None:
    """Return why a record that is not there yet would count for nothing; None if it would count.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read, faults = _read(ledger), Faults()
    faults.settle({each.seq for each in read})  # named by `ledger verify`
    around = _surrounding(ledger, ownership, (*read, planned))
    mends = key_mends((planned,), ledger.id)
    around = replace(around, signers=tuple(begin_mended(each, mends) for each in around.signers))
    counted = check_quarantines((*read, planned), around, faults)
    if any(each.seq == planned.seq for each in counted):
        return None
    return next(fault.what for fault in faults.kept if fault.seq == planned.seq)


def read_settings_aside(ledger: Ledger, upto: int) -> tuple[SettingAside, ...]:
    """Return the quarantines behind a record, for who reads the claims behind it.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = tuple(each for each in _read(ledger) if each.seq > upto)
    return settings_aside(read, _surrounding(ledger, Ownership(), read))


def _read(ledger: Ledger) -> tuple[ReadQuarantine, ...]:
    return tuple(read_quarantine(_held(ledger, record)) for record in ledger.records(kinds=BY_TWO))


def _counted(
    ledger: Ledger, ownership: Ownership, read: Sequence[ReadQuarantine], faults: Faults
) -> tuple[SetAside, ...]:
    return check_quarantines(read, _surrounding(ledger, ownership, read), faults)


def _surrounding(ledger: Ledger, ownership: Ownership, read: Sequence[ReadQuarantine]) -> Surrounding:
    noted = {seq: (digest, format_at(at.at) if at else "") for seq, digest, at in stored_lines(ledger, wanted(read))}
    signers = read_signers(ledger)
    named = [record for _seq, _digest, record in stored_lines(ledger, suspects(read)) if record is not None]
    anybodys = frozenset(record.seq for record in named if is_anybodys(record.seq, record.kind))
    standings = read_standings(ledger, signers, named)
    return Surrounding(ledger.id, signers, ownership, noted, anybodys, *standings)


def read_standings(
    ledger: Ledger, signers: Sequence[Signer], records: Iterable[Record]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which records count for nothing by themselves, and which a confirmed key stands for (`check_heads.find_standings`)."""
    held = [_held(ledger, record) for record in records if record.kind in JUDGED]
    spoken = Spoken(
        [read_head(each) for each in held if each.kind == HEAD],
        [each for each in held if each.kind in KEY_KINDS],
        [each for each in held if each.kind == SIGN_OFF],
        [each for each in held if each.kind == IMPORTED],
    )
    return find_standings(spoken, signers, ledger.id, frozenset(each.seq for each in held))


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
