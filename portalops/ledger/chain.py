"""The pass over the lines: each hashed as it stands, and compared with what the next one names; pure.

Lines come in chunks. A chunk in which everything is as it should be, the usual case, is told by a few
tests over the whole of it, so that the time goes into hashing; any other chunk is checked line by line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from typing import Protocol, runtime_checkable

from portalops.ledger.quick_pass import are_bytes, well_formed
from portalops.ledger.record import CREATED, GENESIS, Fields, line_digest, parse_at, split
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Fault
from portalops.model.values import dataclass

MAX_FAULTS = 100
"""How many faults are described; all are counted."""

MAX_LINE_BYTES = 8192
"""No line is longer, whatever its texts: a source of lines need not yield more than one byte beyond it."""

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Tail:
    """What is stored apart about the chain's end."""

    size: int
    head: Digest


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines in a row, as they are stored. Something that was changed may hold anything in place of bytes."""

    lines: Sequence[object]
    """Without their line feeds."""
    places: Sequence[object] | None = None
    """The number under which each line is stored; None where lines are numbered by their order alone, as in a file."""
    differing: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By position in this chunk: names of values stored beside a line that are not what the line says."""


class LineSnapshot(Protocol):
    """Stored lines at one moment, whatever is appended meanwhile: those of a database, or of a file."""

    def tail(self) -> Tail | None:
        """Return what is stored about the chain's end, or None if nothing is."""
        ...

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield all lines in order, at most so many at a time. A chunk is never empty."""
        ...


@dataclass(frozen=True, slots=True)
class ChainMark:
    """Where a pass stands between two records, neither of which has a fault."""

    seq: int
    """Of the record before."""
    head: Digest
    at: str


@dataclass(frozen=True, slots=True)
class PartialPass:
    """What somebody found who began in the middle and trusted the record before: no fault at all."""

    begin: ChainMark
    end: ChainMark
    noted: Mapping[int, tuple[Digest, str]]


class ChainPart(Protocol):
    """Some of a snapshot's lines in a row."""

    @property
    def read_partial_pass(self) -> PartialPass | None:
        """Return what was found by somebody else; None if nobody has looked, or not everything is as it should be."""
        ...

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the part's lines in order, at most so many at a time."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """A snapshot whose parts a second process may check."""

    def parts(self, wanted: Collection[int]) -> AbstractContextManager[Iterator[ChainPart]]:
        """Yield all parts in order, each when it is its turn."""
        ...


@dataclass(slots=True)
class Faults:
    """Collects faults; the earliest are kept."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0
    suspects: Collection[int] = frozenset()
    """Records that a quarantine speaks of, quarantines and mended clocks: whether what is wrong with them is a fault waits for `settle`."""
    _open: list[tuple[int, Fault]] = field(default_factory=list)
    """Each with the record whose standing it waits for."""
    _set_aside: Collection[int] | None = None

    def add(self, seq: int, what: Message) -> None:
        self.count += 1
        self.kept.append(Fault(seq, what))
        if len(self.kept) > 2 * MAX_FAULTS:
            self.kept = self.first()

    def add_excusable(self, seq: int, what: Message, *, at: int | None = None) -> None:
        """Add a fault of a record alone: it is none where the record is excused. It is named at another record, if one is given."""
        if self._set_aside is None and seq in self.suspects:
            self._open.append((seq, Fault(at or seq, what)))
        elif self._set_aside is None or seq not in self._set_aside:
            self.add(at or seq, what)

    def settle(self, set_aside: Collection[int]) -> None:
        """Say which records are excused; what waited for that and is excused by none becomes a fault."""
        self._set_aside = set_aside
        for seq, fault in self._open:
            self.add_excusable(seq, fault.what, at=fault.seq)
        self._open.clear()

    def first(self) -> list[Fault]:
        return sorted(self.kept, key=lambda fault: fault.seq)[:MAX_FAULTS]


@dataclass(slots=True)
class ChainPass:
    """How far the pass has come."""

    records: int = 0
    seq: int = 0
    first_at: str = ""
    last_at: str = ""
    head: Digest = GENESIS
    is_sound: bool = True
    """The newest record checked has no fault of its own, but for its time."""
    noted: dict[int, tuple[Digest, str]] = field(default_factory=dict)
    """For each wanted record that exists, by its number: the digest of its line, and its `at` (empty if it has none)."""
    is_early: bool = False
    """A record has an earlier time than one before it: `times.check_times` tells which of them is wrong."""


def check_chain(
    snapshot: LineSnapshot,
    faults: Faults,
    advance: Callable[[int], None] = lambda _amount: None,
    *,
    wanted: Collection[int] = (),
) -> ChainPass:
    """Go over the whole chain and name what is wrong with it.

    Args:
        snapshot: the stored chain.
        faults: receives what is found.
        advance: is called with the records done.
        wanted: numbers of records whose digest and time are to be noted, such as those that heads speak of.
    """
    chain = ChainPass()
    sought = frozenset(wanted)
    whole: AbstractContextManager[Iterator[ChainPart]] = nullcontext(iter((_Whole(snapshot),)))
    with snapshot.parts(sought) if isinstance(snapshot, Divisible) else whole as parts:
        for part in parts:
            if part.read_partial_pass is not None and mark(chain) == part.read_partial_pass.begin:
                advance(_move_on(chain, part.read_partial_pass))
                continue
            for chunk in part.chunks(_CHUNK):
                _pass(chunk, chain, faults, sought)
                advance(len(chunk.lines))
    _check_tail(chain, snapshot.tail(), faults)
    return chain


def early_record(seq: int, at: str) -> Message:
    """Say that a record is before its time."""
    return msg("record {seq} has the time {at}, earlier than the record before it", seq=seq, at=at)


def mark(chain: ChainPass) -> ChainMark | None:
    """Return where a pass stands; None if the newest record has a fault of its own."""
    return ChainMark(chain.seq, chain.head, chain.last_at) if chain.is_sound else None


def pass_from(begin: ChainMark, chunks: Iterable[Chunk], wanted: Collection[int]) -> PartialPass | None:
    """Go over lines behind a record; None if not all of them are certainly as they should be.

    Args:
        begin: the record before, taken on trust: the result counts only if the chain up to it ends in the same mark.
        chunks: of lines numbered from there on.
        wanted: as in `check_chain`.
    """
    chain = ChainPass(records=begin.seq, seq=begin.seq, last_at=begin.at, head=begin.head)
    sought = frozenset(wanted)
    for chunk in chunks:
        if not _pass_usual(chunk, 0, chain, sought):
            return None
    return PartialPass(begin, ChainMark(chain.seq, chain.head, chain.last_at), chain.noted)


@dataclass(frozen=True, slots=True)
class _Whole:
    snapshot: LineSnapshot
    read_partial_pass: PartialPass | None = None

    def chunks(self, size: int) -> Iterator[Chunk]:
        return self.snapshot.chunks(size)


def _move_on(chain: ChainPass, looked: PartialPass) -> int:
    """Move the chain to the end of what was checked, and return the number of records."""
    moved = looked.end.seq - chain.seq
    chain.records += moved
    chain.seq, chain.head, chain.last_at = looked.end.seq, looked.end.head, looked.end.at
    chain.noted.update(looked.noted)
    return moved


def _pass(chunk: Chunk, chain: ChainPass, faults: Faults, sought: frozenset[int]) -> None:
    """Move the chain on over a chunk."""
    if not chain.records:  # the first record is like no other
        _check_row(chunk, 0, chain, faults, sought)
        begin = 1
    else:
        begin = 0
    if len(chunk.lines) == begin or _pass_usual(chunk, begin, chain, sought):
        return
    for position in range(begin, len(chunk.lines)):
        _check_row(chunk, position, chain, faults, sought)


def _pass_usual(chunk: Chunk, begin: int, chain: ChainPass, sought: frozenset[int]) -> bool:
    """Move the chain on over a chunk without any fault; otherwise, or where that is not certain, leave it as it is.

    Args:
        begin: how many of the chunk's lines were checked before.
    """
    lines = chunk.lines[begin:]
    numbers = range(chain.seq + 1, chain.seq + 1 + len(lines))
    if chunk.differing or not are_bytes(lines):
        return False
    if chunk.places is not None and tuple(chunk.places[begin:]) != tuple(numbers):
        return False
    found = well_formed(lines, numbers)
    if found is None:
        return False
    times, prevs = found
    if times[0].decode() < chain.last_at:
        return False
    sha256 = hashlib.sha256
    digests = [sha256(line).hexdigest() for line in lines]
    if b"".join(prevs) != "".join((chain.head, *digests[:-1])).encode():
        return False
    for seq in sought.intersection(numbers) if sought else ():
        chain.noted[seq] = Digest(digests[seq - numbers[0]]), times[seq - numbers[0]].decode()
    chain.records += len(lines)
    chain.seq = numbers[-1]
    chain.last_at = times[-1].decode()
    chain.head = Digest(digests[-1])
    chain.is_sound = True
    return True


def _check_row(chunk: Chunk, position: int, chain: ChainPass, faults: Faults, sought: frozenset[int]) -> None:
    place = chain.seq + 1 if chunk.places is None else chunk.places[position]
    differing = chunk.differing.get(position, ())
    if not isinstance(place, int):  # a table that was made anew may hold anything there
        faults.add(chain.seq + 1, msg("a record has no sequence number"))
        return
    data = bytes_of(chunk.lines[position])
    fields = fields_of(data)
    usual = (
        fields is not None
        and not differing
        and fields.seq == place == chain.seq + 1
        and fields.prev == chain.head
        and fields.at >= chain.last_at
    )
    chain.is_sound = usual or _judge_line(place, fields, differing, chain, faults)
    if fields is not None and (fields.kind == CREATED) != (place == 1):
        _name_misplaced(place, fields, faults)
    at = fields.at if fields else ""
    if not chain.records:
        chain.first_at = at
    chain.records += 1
    chain.seq = place
    chain.is_early = chain.is_early or "" < at < chain.last_at
    if chain.is_sound:
        chain.last_at = max(chain.last_at, at)
    chain.head = line_digest(data)
    if place in sought:
        chain.noted[place] = chain.head, at


def fields_of(data: bytes) -> Fields | None:
    """Return what a line says; None if it is no record."""
    try:
        fields = split(data)
        parse_at(fields.at)
    except ValueError:
        return None
    return fields


def _judge_line(place: int, fields: Fields | None, differing: Sequence[str], chain: ChainPass, faults: Faults) -> bool:
    """Name what is wrong with a line and with its place; return whether the line itself is sound."""
    gap = place > chain.seq + 1
    if gap:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, place - 1))
    elif place <= chain.seq:
        faults.add(place, msg("sequence number {seq} is used more than once or is not valid", seq=place))
    if fields is None:
        faults.add_excusable(place, msg("record {seq} does not have the format that portalops writes", seq=place))
        return False
    if fields.seq != place:
        # One that stands too late and joins an earlier record was pushed back by others put before it.
        pushed_back = fields.seq < place and fields.prev != chain.head
        faults.add(
            fields.seq if pushed_back else place,
            msg("record {other} is stored as number {seq}", seq=place, other=str(fields.seq)),
        )
    elif differing:
        names = ", ".join(differing)
        faults.add(place, msg("record {seq}: the columns {names} contradict the record's line", seq=place, names=names))
    if fields.prev != chain.head and fields.seq == place and not gap:
        # The record before is not what this one was chained to. Were it this one's own `prev` that was
        # changed, then the next record would not join either, and what can be trusted ends here as well.
        blamed = max(chain.seq, 1)
        faults.add(
            blamed, msg("record {seq} is not the record that record {next} was chained to", seq=blamed, next=str(place))
        )
    return fields.seq == place and not differing


def _name_misplaced(place: int, fields: Fields, faults: Faults) -> None:
    if place == 1:
        faults.add(1, msg("the first record is of kind {kind}, not {created}", kind=fields.kind, created=CREATED))
    else:
        faults.add_excusable(place, msg("record {seq} starts a ledger, but only record 1 may", seq=place))


def _check_tail(chain: ChainPass, tail: Tail | None, faults: Faults) -> None:
    if not chain.records:
        faults.add(1, msg("the ledger has no records"))
    elif tail is None:
        faults.add(chain.seq, msg("the last record is not known: the table 'tail' is empty"))
    elif tail.size > chain.seq:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, tail.size))
    elif tail.size < chain.seq:
        faults.add(tail.size + 1, msg("record {seq} was not added by portalops", seq=tail.size + 1))
    elif tail.head != chain.head and chain.is_sound:
        faults.add(chain.seq, msg("record {seq} is not the record that was added last", seq=chain.seq))


def _missing(first: int, last: int) -> Message:
    if first == last:
        return msg("record {seq} is missing", seq=first)
    return msg("records {first} to {last} are missing", first=str(first), last=str(last))


def bytes_of(line: object) -> bytes:
    """Return the stored line's bytes, whatever type a changed row may hold."""
    match line:
        case bytes():
            return line
        case str():
            return line.encode("utf-8", "surrogateescape")
        case _:
            return b""
