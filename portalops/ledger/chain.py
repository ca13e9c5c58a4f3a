"""The pass over the lines: each hashed as it stands, and compared with what the next one names; pure.

Lines come in chunks. A chunk in which everything is as it should be, the usual case, is told by a few
looks at the whole of it, so that the time goes into hashing; any other is looked at line by line.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from portalops.ledger.record import CREATED, GENESIS, MAX_TEXT, Fields, is_kind, line_digest, parse_at, split
from portalops.model.message import Message, msg
from portalops.model.record import Digest

MAX_FAULTS = 100
"""How many faults are described; all are counted."""

MAX_LINE_BYTES = 8192
"""No line is longer, whatever its texts: a source of lines need not hand out more than one byte beyond it."""

_CHUNK = 512


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


class Snapshot(Protocol):
    """Stored lines at one moment, whatever is appended meanwhile: those of a database, or of a file."""

    def tail(self) -> Tail | None:
        """Return what is stored about the chain's end, or None if nothing is."""
        ...

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield all lines in order, at most so many at a time. A chunk is never empty."""
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
    noted: dict[int, tuple[Digest, str]] = field(default_factory=dict)
    """For each wanted record that there is, by its place: the digest of its line, and its `at` (empty if it has none)."""


def check_chain(
    snapshot: Snapshot,
    faults: Faults,
    advance: Callable[[int], None] = lambda _amount: None,
    *,
    wanted: Collection[int] = (),
) -> Chain:
    """Go over the whole chain and name what is wrong with it.

    Args:
        snapshot: the stored chain.
        faults: receives what is found.
        advance: is told of records done.
        wanted: numbers of records whose digest and time are to be noted, such as those that heads speak of.
    """
    chain = Chain()
    sought = frozenset(wanted)
    for chunk in snapshot.chunks(_CHUNK):
        if not _pass_usual(chunk, chain, sought):
            for position in range(len(chunk.lines)):
                _check_row(chunk, position, chain, faults, sought)
        advance(len(chunk.lines))
    _check_tail(chain, snapshot.tail(), faults)
    return chain


def _pass_usual(chunk: Chunk, chain: Chain, sought: frozenset[int]) -> bool:
    """Move the chain on over a chunk without any fault; otherwise, or where that is not certain, leave it as it is."""
    numbers = range(chain.seq + 1, chain.seq + 1 + len(chunk.lines))
    lines = [line for line in chunk.lines if isinstance(line, bytes)]
    if len(lines) != len(chunk.lines) or chunk.differing:
        return False
    if chunk.places is not None and tuple(chunk.places) != tuple(numbers):
        return False
    found = _well_formed(lines, numbers)
    if found is None or found.times[0] < chain.last_at:
        return False
    sha256 = hashlib.sha256
    digests = [sha256(line).hexdigest() for line in lines]
    if found.prevs != "".join((chain.head, *digests[:-1])):
        return False
    for seq in sought.intersection(numbers) if sought else ():
        chain.noted[seq] = Digest(digests[seq - numbers[0]]), found.times[seq - numbers[0]]
    if not chain.records:
        chain.first_at = found.times[0]
    chain.records += len(lines)
    chain.seq = numbers[-1]
    chain.last_at = found.times[-1]
    chain.head = Digest(digests[-1])
    chain.is_sound = True
    return True


@dataclass(frozen=True, slots=True)
class _Found:
    times: Sequence[str]
    prevs: str
    """All of them, one behind the other."""


def _well_formed(lines: Sequence[bytes], numbers: range) -> _Found | None:
    """Return what lines say if they are certainly as portalops writes them and have these numbers; None where it is not certain.

    One expression goes over all lines at once; what it leaves open, the form of digests and times, is looked
    at for all of them together. Lines with an escape, or long ones, are left to be looked at one by one.
    """
    joined = b"\n".join(lines) + b"\n"
    found = _USUAL.findall(joined)
    # Each match ends with a line feed and begins where a line does: as many as there are lines, and all of each is matched.
    if len(found) != len(lines) or joined.count(b"\n") != len(lines) or max(map(len, lines)) > MAX_TEXT:
        return None
    times, bodies, kinds, prevs, seqs = zip(*found, strict=True)
    joined_times = b"".join(times)
    if (
        b",".join(seqs) != ",".join(map(str, numbers)).encode()
        or _TIMES.fullmatch(joined_times) is None
        or b"".join((*bodies, *prevs)).translate(None, b"0123456789abcdef")
        or not all(is_kind(kind.decode("latin-1")) for kind in set(kinds))
        or (CREATED.encode() in kinds) != (numbers[0] == 1)
        or CREATED.encode() in kinds[1:]
        or not (joined.isascii() or _is_nfc(joined))
        or list(times) != sorted(times)
        or not _are_days({time[:10] for time in times})
    ):
        return None
    moments = joined_times.decode()
    return _Found([moments[at : at + 24] for at in range(0, len(moments), 24)], b"".join(prevs).decode())


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


# Anything but a quotation mark, an escape or a control character.
_TEXT = rb"[ !#-\[\]-~\x80-\xff]*+"
_USUAL = re.compile(
    rb'(?sm)^\{"at":"(.{24})","body":"(.{64})","duty":"'
    + _TEXT
    + rb'","kind":"([^"]++)","prev":"(.{64})","run":"'
    + _TEXT
    + rb'","seq":([0-9]++),"subject":"'
    + _TEXT
    + rb'","v":1\}\n'
)
_TIMES = re.compile(rb"(?:[0-9]{4}-[0-9][0-9]-[0-9][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z)*+")


def _check_row(chunk: Chunk, position: int, chain: Chain, faults: Faults, sought: frozenset[int]) -> None:
    place = chain.seq + 1 if chunk.places is None else chunk.places[position]
    differing = chunk.differing.get(position, ())
    if not isinstance(place, int):  # a table that was made anew may hold anything there
        faults.add(chain.seq + 1, msg("a record has no number for its place"))
        return
    data = _bytes_of(chunk.lines[position])
    fields = _fields_of(data)
    usual = (
        fields is not None
        and not differing
        and fields.seq == place == chain.seq + 1
        and fields.prev == chain.head
        and fields.at >= chain.last_at
    )
    chain.is_sound = usual or _look_closely(place, fields, differing, chain, faults)
    if fields is not None and (fields.kind == CREATED) != (place == 1):
        _name_misplaced(place, fields, faults)
    at = fields.at if fields else ""
    if not chain.records:
        chain.first_at = at
    chain.records += 1
    chain.seq = place
    if chain.is_sound:
        chain.last_at = at
    chain.head = line_digest(data)
    if place in sought:
        chain.noted[place] = chain.head, at


def _fields_of(data: bytes) -> Fields | None:
    try:
        fields = split(data)
        parse_at(fields.at)
    except ValueError:
        return None
    return fields


def _look_closely(place: int, fields: Fields | None, differing: Sequence[str], chain: Chain, faults: Faults) -> bool:
    """Name what is wrong with a line and with its place; return whether the line itself is sound."""
    gap = place > chain.seq + 1
    if gap:
        faults.add(chain.seq + 1, _missing(chain.seq + 1, place - 1))
    elif place <= chain.seq:
        faults.add(place, msg("place {seq} is taken more than once, or is none", seq=place))
    if fields is None:
        faults.add(place, msg("record {seq} is not a record as portalops writes it", seq=place))
        return False
    if fields.seq != place:
        # One that stands too late and joins an earlier record was pushed back by others put before it.
        pushed_back = fields.seq < place and fields.prev != chain.head
        faults.add(
            fields.seq if pushed_back else place,
            msg("at place {seq} stands record {other}", seq=place, other=str(fields.seq)),
        )
    elif differing:
        names = ", ".join(differing)
        faults.add(place, msg("record {seq}: the columns {names} are not what the line says", seq=place, names=names))
    went_back = fields.at < chain.last_at
    if went_back:
        faults.add(place, msg("record {seq} is of {at}, earlier than the record before", seq=place, at=fields.at))
    sound = fields.seq == place and not differing and not went_back
    if fields.prev != chain.head and sound and not gap:
        # The record before is not what this one was chained to. Were it this one's own `prev` that was
        # changed, then the next record would not join either, and what can be trusted ends here as well.
        blamed = max(chain.seq, 1)
        faults.add(
            blamed, msg("record {seq} is not the one that record {next} was chained to", seq=blamed, next=str(place))
        )
    return sound


def _name_misplaced(place: int, fields: Fields, faults: Faults) -> None:
    if place == 1:
        faults.add(1, msg("the first record is of kind {kind}, not {created}", kind=fields.kind, created=CREATED))
    else:
        faults.add(place, msg("record {seq} begins a ledger, which only the first one does", seq=place))


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
