"""The pass over the lines: each hashed as it stands, and compared with what the next one names; pure.

Lines come in chunks. A chunk in which everything is as it should be, the usual case, is told by a few
looks at the whole of it, so that the time goes into hashing; any other is looked at line by line.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeAlias

from portalops.ledger.record import GENESIS, MAX_TEXT, QUOTES, is_kind, line_digest, parse_at, spells, split
from portalops.ledger.store import Row, Tail
from portalops.model.message import Message, msg
from portalops.model.record import Digest

MAX_FAULTS = 100
"""How many faults are described; all are counted."""

_CHUNK = 2000
_COLUMN_NAMES = ("seq", "at", "kind", "run", "subject", "duty", "body", "prev")

Spelt: TypeAlias = "tuple[int, str, bytes, int]"
"""seq, kind and line as stored, and 1 where the columns spell the line. A changed table may hold anything."""


class Snapshot(Protocol):
    """The stored chain at one moment, whatever is appended meanwhile."""

    def tail(self) -> Tail | None:
        """Return what is stored about the chain's end."""
        ...

    def chunks(self, size: int) -> Iterator[Sequence[Spelt]]:
        """Yield all rows in order, so many at a time."""
        ...

    def rows(self, *, skip: int, limit: int) -> Iterator[Row]:
        """Yield some rows in full, in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was recorded."""

    seq: int
    """The record that cannot be trusted, or that is missing."""
    what: Message


@dataclass(slots=True)
class Faults:
    """Collects faults; the earliest are kept."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, seq: int, what: Message) -> None:
        self.count += 1
        self.kept.append(Fault(seq, what))
        if len(self.kept) > 2 * MAX_FAULTS:
            self.kept = self.first()

    def first(self) -> list[Fault]:
        return sorted(self.kept, key=lambda fault: fault.seq)[:MAX_FAULTS]


@dataclass(slots=True)
class Chain:
    """How far the pass has come."""

    records: int = 0
    seq: int = 0
    first_at: str = ""
    last_at: str = ""
    head: Digest = GENESIS
    is_sound: bool = True
    """The newest record looked at was found without fault of its own."""


def check_chain(snapshot: Snapshot, faults: Faults, advance: Callable[[int], None] = lambda _amount: None) -> Chain:
    """Go over the whole chain and name what is wrong with it.

    Args:
        snapshot: the stored chain.
        faults: receives what is found.
        advance: is told of records done.
    """
    chain = Chain()
    done = 0
    for chunk in snapshot.chunks(_CHUNK):
        if not _pass_usual(chunk, chain):
            for row in snapshot.rows(skip=done, limit=len(chunk)):
                _check_row(row, chain, faults)
        done += len(chunk)
        advance(len(chunk))
    _check_tail(chain, snapshot.tail(), faults)
    return chain


def _pass_usual(chunk: Sequence[Spelt], chain: Chain) -> bool:
    """Move the chain on over a chunk without any fault; otherwise, or where that is not certain, leave it as it is."""
    seqs, kinds, lines, spelt = zip(*chunk, strict=True)
    if (
        seqs != tuple(range(chain.seq + 1, chain.seq + 1 + len(chunk)))
        or set(spelt) != {1}
        or set(map(type, lines)) != {bytes}
        or not all(isinstance(kind, str) and is_kind(kind) for kind in set(kinds))
        or max(map(len, lines)) > MAX_TEXT
        or not _are_well_formed(lines)
    ):
        return False
    times = [line[_AT] for line in lines]
    if times != sorted(times) or times[0].decode() < chain.last_at or not _are_days({time[:10] for time in times}):
        return False
    sha256 = hashlib.sha256
    digests = [sha256(line).hexdigest() for line in lines]
    prevs = [line[(at := line.index(_PREV) + len(_PREV)) : at + 64] for line in lines]
    if b"".join(prevs) != "".join((chain.head, *digests[:-1])).encode():
        return False
    if not chain.records:
        chain.first_at = times[0].decode()
    chain.records += len(chunk)
    chain.seq += len(chunk)
    chain.last_at = times[-1].decode()
    chain.head = Digest(digests[-1])
    chain.is_sound = True
    return True


def _are_well_formed(lines: Sequence[bytes]) -> bool:
    """Say whether lines whose columns spell them are as portalops writes them.

    Since they are spelt by the template, only values can be wrong: there must be no quotation mark more than
    the template's own, no escape, no control character, and time and digest in their places and forms.
    """
    joined = b"".join(lines)
    times = b"".join([line[_AT] for line in lines])
    digests = b"".join([line[_BODY] for line in lines])
    return (
        len(joined) - len(joined.translate(None, _QUOTED)) == QUOTES * len(lines)
        and _TIMES.fullmatch(times) is not None
        and not digests.translate(None, b"0123456789abcdef")
        and (joined.isascii() or _is_nfc(joined))
    )


def _is_nfc(text: bytes) -> bool:
    try:
        return unicodedata.is_normalized("NFC", text.decode())
    except UnicodeDecodeError:
        return False


def _are_days(days: set[bytes]) -> bool:
    try:
        for day in days:
            date.fromisoformat(day.decode())
    except ValueError:
        return False
    return True


_AT = slice(7, 31)
_PREV = b'"prev":"'
_BODY = slice(41, 105)
_QUOTED = bytes(range(0x20)) + b'\x7f\\"'
"""The quotation mark, and what no line holds at all: were there one of these, the count would be too high."""
_TIMES = re.compile(rb"(?:\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z)*")


def _check_row(row: Row, chain: Chain, faults: Faults) -> None:
    place, at, kind, run, subject, duty, body, prev, line = row
    seq = _number(place)
    if seq is None:
        faults.add(chain.seq + 1, msg("a record has no number for its place"))
        return
    usual = (
        seq == chain.seq + 1
        and prev == chain.head
        and spells(line, seq=seq, at=at, kind=kind, run=run, subject=subject, duty=duty, body=body, prev=prev)
        and at >= chain.last_at
    )
    chain.is_sound = usual or _look_closely(row, chain, faults)
    if not chain.records:
        chain.first_at = str(at)
    chain.records += 1
    chain.seq = seq
    if chain.is_sound:
        chain.last_at = at
    chain.head = line_digest(_bytes_of(line))


def _number(place: object) -> int | None:
    """Return the number of a place; a table that was made anew may hold anything there."""
    return place if isinstance(place, int) else None


def _look_closely(row: Row, chain: Chain, faults: Faults) -> bool:
    """Name what is wrong with a row and with its place; return whether the row itself is sound."""
    seq, line = row[0], row[8]
    gap = seq > chain.seq + 1
    if gap:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, seq - 1))
    elif seq <= chain.seq:
        faults.add(seq, msg("place {seq} is taken more than once, or is none", seq=seq))
    try:
        fields = split(_bytes_of(line))
        parse_at(fields.at)
    except ValueError:
        faults.add(seq, msg("record {seq} is not a record as portalops writes it", seq=seq))
        return False
    differing = [name for name, held in zip(_COLUMN_NAMES, row, strict=False) if held != getattr(fields, name)]
    if fields.seq != seq:
        # One that stands too late and joins an earlier record was pushed back by others put before it.
        pushed_back = fields.seq < seq and fields.prev != chain.head
        faults.add(
            fields.seq if pushed_back else seq,
            msg("at place {seq} stands record {other}", seq=seq, other=str(fields.seq)),
        )
    elif differing:
        names = ", ".join(differing)
        faults.add(seq, msg("record {seq}: the columns {names} are not what the line says", seq=seq, names=names))
    went_back = fields.at < chain.last_at
    if went_back:
        faults.add(seq, msg("record {seq} is of {at}, earlier than the record before", seq=seq, at=fields.at))
    sound = not differing and not went_back
    if fields.prev != chain.head and sound and not gap:
        # The record before is not what this one was chained to. Were it this one's own `prev` that was
        # changed, then the next record would not join either, and what can be trusted ends here as well.
        blamed = max(chain.seq, 1)
        faults.add(
            blamed, msg("record {seq} is not the one that record {next} was chained to", seq=blamed, next=str(seq))
        )
    return sound


def _check_tail(chain: Chain, tail: Tail | None, faults: Faults) -> None:
    if not chain.records:
        faults.add(1, msg("the ledger holds no record at all"))
    elif tail is None:
        faults.add(chain.seq, msg("it is not known which record was the last: the table 'tail' is empty"))
    elif tail.size > chain.seq:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, tail.size))
    elif tail.size < chain.seq:
        faults.add(tail.size + 1, msg("record {seq} was added by something else than portalops", seq=tail.size + 1))
    elif tail.head != chain.head and chain.is_sound:
        faults.add(chain.seq, msg("record {seq} is not the one that was recorded last", seq=chain.seq))


def _missing(first: int, last: int) -> Message:
    if first == last:
        return msg("record {seq} is missing", seq=first)
    return msg("records {first} to {last} are missing", first=str(first), last=str(last))


def _bytes_of(line: object) -> bytes:
    """Return the stored line's bytes, whatever type a changed row may hold."""
    match line:
        case bytes():
            return line
        case str():
            return line.encode("utf-8", "surrogateescape")
        case _:
            return b""
