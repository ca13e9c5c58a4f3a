"""Reads which records of a ledger two persons set aside, for who judges by it and for who sets aside more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from portalops.errors import PortalOpsError
from portalops.ledger.chain import ChainPass, Faults, bytes_of
from portalops.ledger.check_heads import HeldRecord, ReadHead, Spoken, find_standings, read_head
from portalops.ledger.claims import AUTHORITY_KINDS, Ownership, SettingAside
from portalops.ledger.erasures import find_void_erasures
from portalops.ledger.heads import HEAD, heads, read_signers
from portalops.ledger.ledger import Ledger, find_latest
from portalops.ledger.quarantines import (
    ReadQuarantine,
    Surrounding,
    check_quarantines,
    find_needing,
    first_void_clock,
    flaw_of,
    is_anybodys,
    key_mends,
    lacks_details,
    may_lose,
    mended_clocks,
    read_quarantine,
    records_mistimed,
    records_set_aside,
    records_untimely,
    settings_aside,
    suspects,
    void_by_two,
    wanted,
)
from portalops.ledger.record import NotARecord, line_digest, parse, parse_at
from portalops.ledger.selection import TimeOrder
from portalops.ledger.stores import StoredLines
from portalops.ledger.times import check_times
from portalops.model.heads import Signer
from portalops.model.message import Message
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.registers.drills import IMPORTED
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS, begin_mended
from portalops.registers.writers import BY_TWO, CLOCK_MENDED, QUARANTINED

_CHUNK = 256

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
    return _find_counted(ledger, ownership, exact)[1]


def _find_counted(
    ledger: Ledger, ownership: Ownership, exact: Callable[[], Ownership] | None
) -> tuple[Sequence[ReadQuarantine], tuple[SetAside, ...]]:
    """Return what two persons signed, and what of it counts; found once for each state of the ledger."""

    def find() -> tuple[Sequence[ReadQuarantine], tuple[SetAside, ...]]:
        read = _read(ledger)
        return read, _counted(ledger, _exact(ownership, read, exact), read, Faults()) if read else ()

    return ledger.remember("of two" if exact else "of two, by ranges", find)


def _exact(ownership: Ownership, read: Sequence[ReadQuarantine], exact: Callable[[], Ownership] | None) -> Ownership:
    themselves = {each.seq for each in read}
    if exact is None or not any(ownership.owner(seq) for seq in suspects(read) if seq not in themselves):
        return ownership
    return exact()


def read_untimely(ledger: Ledger, ownership: Ownership, exact: Callable[[], Ownership]) -> frozenset[int]:
    """Return the numbers of all records whose time says nothing (`quarantines.records_untimely`).

    Args:
        ledger: whose.
        ownership: whose the records are.
        exact: as in `read_set_aside`.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read, counted = _find_counted(ledger, ownership, exact)
    return records_untimely(read, counted, _misplaced(ledger, read, counted))


def read_void_clocks(ledger: Ledger, ownership: Ownership, exact: Callable[[], Ownership]) -> frozenset[int]:
    """Return the numbers of the mended clocks that count for nothing and are not set aside yet.

    Args:
        ledger: whose.
        ownership: whose the records are.
        exact: as in `read_set_aside`.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read, counted = _find_counted(ledger, ownership, exact)
    clocks = frozenset(each.seq for each in read if each.kind == CLOCK_MENDED)
    return clocks - mended_clocks(counted) - records_set_aside(counted)


def read_time_order(ledger: Ledger, ownership: Ownership, exact: Callable[[], Ownership]) -> TimeOrder:
    """Return how a moment is looked for in a ledger with mended clocks or quarantines.

    Args:
        ledger: whose.
        ownership: whose the records are.
        exact: as in `read_set_aside`.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read, counted = _find_counted(ledger, ownership, exact)
    mended = mended_clocks(counted)
    void = {each.seq for each in read if each.kind == CLOCK_MENDED} - mended
    before = {each.seq for each in read if each.kind == QUARANTINED}  # set no time
    passed = records_set_aside(counted).union(void, before, _misplaced(ledger, read, counted))
    return TimeOrder(tuple((each.seq, format_at(each.at)) for each in counted if each.seq in mended), passed - mended)


def _misplaced(ledger: Ledger, read: Sequence[ReadQuarantine], counted: Sequence[SetAside]) -> frozenset[int]:
    """Return the numbers of the records before their time, from the first mended clock on that does not count."""
    void = first_void_clock(read, counted)
    if void is None:
        return frozenset()
    return ledger.remember("misplaced", lambda: _find_misplaced(ledger, void, read, counted))


def _find_misplaced(
    ledger: Ledger, void: int, read: Sequence[ReadQuarantine], counted: Sequence[SetAside]
) -> frozenset[int]:
    with ledger.snapshot() as snapshot:
        latest = _time_in_force(snapshot, void - 1, counted, read)
        lines = snapshot.read_between(void - 1, None, _CHUNK)
        return check_times(lines, void - 1, ChainPass(is_early=True), counted, Faults(), latest=latest)


def _time_in_force(
    lines: StoredLines, seq: int, counted: Sequence[SetAside], read: Iterable[ReadQuarantine] = ()
) -> str:
    """Return the time that what follows a line may not be before; what two persons signed, or a stranger in that form, sets none."""
    passed = records_set_aside(counted).union(each.seq for each in read)
    return find_latest(lines, mended_clocks(counted), passed, seq)


def find_flaw(ledger: Ledger, ownership: Ownership, planned: ReadQuarantine) -> Message | None:
    """Return why a record that is not there yet would count for nothing; None if it would count.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    around = _surrounding(ledger, ownership, (*read, planned))
    mends = key_mends((planned,), ledger.id)
    around = replace(around, signers=tuple(begin_mended(each, mends) for each in around.signers))
    return flaw_of(planned, read, around)


def read_time_before(ledger: Ledger, ownership: Ownership, first: int) -> datetime | None:
    """Return the time that was right before a record; None if there is none, or if that record follows a range whose time is wrong.

    Args:
        ledger: read only.
        ownership: whose the records are.
        first: the record's number.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    counted = read_set_aside(ledger, ownership)
    if first - 1 in records_mistimed(counted):
        return None
    with ledger.snapshot() as snapshot:
        found = _time_in_force(snapshot, first - 1, counted)
    return parse_at(found) if found else None


def find_quarantine_needing(ledger: Ledger, ownership: Ownership, digest: Digest) -> tuple[int, int] | None:
    """Return a quarantine that counts only by details which show that a record is void, and that record; None if none does.

    Args:
        ledger: whose.
        ownership: whose the records are.
        digest: of the details.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    named = [record for _seq, _digest, record in stored_lines(ledger, suspects(read)) if record is not None]
    numbers = frozenset(record.seq for record in named if record.body == digest)
    if not numbers:
        return None
    around = _surrounding(ledger, ownership, read)
    return find_needing(read, check_quarantines(read, around, Faults()), around, numbers)


def records_named(ledger: Ledger) -> frozenset[int]:
    """Return the numbers of the records that any quarantine names, whether it counts or not.

    Raises:
        IntegrityError: the ledger cannot be read.
    """
    return frozenset(suspects(_read(ledger)))


def find_void_by_two(ledger: Ledger, ownership: Ownership) -> frozenset[int]:
    """Return the numbers of the quarantines and mended clocks that count for nothing, so that each can be set aside.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    return void_by_two(read, _counted(ledger, ownership, read, Faults()))


def read_settings_aside(ledger: Ledger, upto: int) -> tuple[SettingAside, ...]:
    """Return the quarantines behind a record, for who reads the claims behind it.

    Raises:
        IntegrityError: the ledger's keys or its id cannot be read.
    """
    read = _read(ledger)
    return tuple(each for each in settings_aside(read, _surrounding(ledger, Ownership(), read)) if each.seq > upto)


def _read(ledger: Ledger) -> tuple[ReadQuarantine, ...]:
    read: dict[tuple[str, Digest], ReadQuarantine] = {}  # whoever may append can record one text many times
    found: list[ReadQuarantine] = []
    for record in ledger.records(kinds=BY_TWO):
        known = read.get((record.kind, record.body))
        if known is None:
            known = read[record.kind, record.body] = read_quarantine(_held(ledger, record, ledger.blob_of_two))
        found.append(replace(known, seq=record.seq, at=record.at))
    return tuple(found)


def _counted(
    ledger: Ledger, ownership: Ownership, read: Sequence[ReadQuarantine], faults: Faults
) -> tuple[SetAside, ...]:
    return check_quarantines(read, _surrounding(ledger, ownership, read), faults)


def _surrounding(ledger: Ledger, ownership: Ownership, read: Sequence[ReadQuarantine]) -> Surrounding:
    noted = {seq: (digest, format_at(at.at) if at else "") for seq, digest, at in stored_lines(ledger, wanted(read))}
    signers = read_signers(ledger)
    named = [record for _seq, _digest, record in stored_lines(ledger, suspects(read)) if record is not None]
    anybodys = frozenset(record.seq for record in named if is_anybodys(record.seq, record.kind))
    anybodys |= find_void_erasures(ledger, named)
    restricted = frozenset(record.seq for record in named if record.kind in AUTHORITY_KINDS)
    standings = read_standings(ledger, signers, named)

    def time_in_force(seq: int, counted: Sequence[SetAside]) -> str:
        with ledger.snapshot() as snapshot:
            return _time_in_force(snapshot, seq, counted, read)

    losable = frozenset(record.seq for record in named if may_lose(record.kind))
    return Surrounding(ledger.id, signers, ownership, noted, time_in_force, anybodys, restricted, *standings, losable)


def find_lacking(ledger: Ledger, records: Iterable[Record]) -> frozenset[int]:
    """Return the numbers of the records whose details, or evidence that they name, are not at hand (`lacks_details`)."""

    def read(digest: Digest) -> bytes | None:
        try:
            return ledger.blob(digest)
        except PortalOpsError:
            return None

    return frozenset(each.seq for each in records if lacks_details(each.kind, each.body, read))


def read_standings(
    ledger: Ledger, signers: Sequence[Signer], records: Iterable[Record]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which records count for nothing by themselves, and which a confirmed key stands for (`check_heads.find_standings`)."""
    held = [_held(ledger, record) for record in records if record.kind in JUDGED]
    named = [read_head(each) for each in held if each.kind == HEAD]
    spoken = Spoken(
        [*_originals(ledger, named), *named],
        [each for each in held if each.kind in KEY_KINDS],
        [each for each in held if each.kind == SIGN_OFF],
        [each for each in held if each.kind == IMPORTED],
    )
    return find_standings(spoken, signers, ledger.id, frozenset(each.seq for each in held))


def _originals(ledger: Ledger, named: Sequence[ReadHead]) -> Iterator[ReadHead]:
    """Yield the heads of which one that is named may be a copy: all that say the same before it."""
    texts = {each.signed.text: each.seq for each in named if each.signed and each.public_key}
    for each in heads(ledger) if texts else ():
        record = ledger.record(each.seq) if each.seq < texts.get(each.signed.text, 0) else None
        if record is not None:
            yield read_head(_held(ledger, record))


def stored_lines(ledger: Ledger, numbers: Iterable[int]) -> list[tuple[int, Digest, Record | None]]:
    """Return the digest of each line as it is stored, and the record; None if it is none."""
    found: list[tuple[int, Digest, Record | None]] = []
    with ledger.snapshot() as snapshot:
        for first, last in _ranges(sorted(set(numbers))):
            for chunk in snapshot.read_between(first - 1, last, _CHUNK):
                for seq, stored in zip(chunk.places or (), chunk.lines, strict=True):
                    line = bytes_of(stored)
                    try:
                        record = parse(line)
                    except NotARecord:
                        record = None
                    if isinstance(seq, int):
                        found.append((seq, line_digest(line), record))
    return found


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of numbers in a row."""
    for _key, run in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        row = [number for _at, number in run]
        yield row[0], row[-1]


def _held(ledger: Ledger, record: Record, read: Callable[[Digest], bytes] | None = None) -> HeldRecord:
    try:
        blob = (read or ledger.blob)(record.body)
    except PortalOpsError:
        return HeldRecord(record.seq, record.at, record.kind, None)
    return HeldRecord(record.seq, record.at, record.kind, blob)
