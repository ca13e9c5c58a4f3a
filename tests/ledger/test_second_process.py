"""A second process makes the pass over a large chain quicker, and changes nothing of what is found."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from portalops.ledger.chain import (
    ChainMark,
    ChainPart,
    ChainPass,
    Chunk,
    Faults,
    PartialPass,
    Tail,
    check_chain,
    pass_from,
)
from portalops.ledger.ledger import Ledger
from portalops.ledger.second_process import PART_RECORDS, parts
from portalops.ledger.store import open_snapshot
from portalops.ledger.stored_chain import StoredChain
from portalops.model.record import Digest, Fault
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, new_ledger, tamper

RECORDS = 3 * PART_RECORDS - 10
LAST = 2 * PART_RECORDS
"""The last part is behind this record."""

NOTED = (1, 7, PART_RECORDS, PART_RECORDS + 1, LAST + 500, RECORDS)


@dataclass(frozen=True)
class Alone:
    """A stored chain that one process looks at."""

    stored: StoredChain

    def tail(self) -> Tail | None:
        return self.stored.tail()

    def chunks(self, size: int) -> Iterator[Chunk]:
        return self.stored.chunks(size)


@dataclass(frozen=True)
class Shared(Alone):
    """One at whose parts a second process has looked before this one comes to them."""

    path: Path
    looked: list[PartialPass]
    last: int = RECORDS

    @contextmanager
    def parts(self, wanted: Collection[int]) -> Iterator[Iterator[ChainPart]]:
        with parts(self.path, open_snapshot, self.stored, self.last, wanted) as shared:
            yield self._in_order(shared)
        assert not [each for each in multiprocessing.active_children() if each.name == "verification"]

    def _in_order(self, shared: Iterator[ChainPart]) -> Iterator[ChainPart]:
        yield next(shared)
        for process in multiprocessing.active_children():
            if process.name == "verification":
                process.join(120)
        for part in shared:
            if part.read_partial_pass is not None:
                self.looked.append(part.read_partial_pass)
            yield part


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a ledger of three parts."""
    folder = tmp_path_factory.mktemp("whole")
    ledger = new_ledger(folder)
    body = ledger.keep(b"{}\n")
    ledger.append_many(
        [ledger.draft("case.noted", subject=f"case-{number}", body=body) for number in range(2, RECORDS + 1)]
    )
    ledger.close()
    return folder


@pytest.fixture
def ledger(whole: Path, tmp_path: Path) -> Ledger:
    """Return a copy of it that may be changed."""
    shutil.copytree(whole, tmp_path / "ledger")
    return Ledger.open(tmp_path / "ledger", FixedClock(START), create=False)


def checked(ledger: Ledger) -> tuple[ChainPass, list[Fault], list[PartialPass]]:
    """Check with a second process, make sure that one alone finds the same, and return what was found."""
    path = ledger.folder / "ledger.sqlite"
    alone, shared, looked = Faults(), Faults(), list[PartialPass]()
    with open_snapshot(path) as stored:
        chain = check_chain(Alone(stored), alone, wanted=NOTED)
        done: list[int] = []
        assert check_chain(Shared(stored, path, looked), shared, done.append, wanted=NOTED) == chain
    assert (shared.first(), shared.count) == (alone.first(), alone.count)
    assert sum(done) == chain.records
    return chain, alone.first(), looked


@pytest.mark.heavy
def test_what_a_second_process_finds_is_taken_over(ledger: Ledger) -> None:
    chain, faults, looked = checked(ledger)

    assert not faults and chain.records == RECORDS and set(chain.noted) == set(NOTED)
    if len(os.sched_getaffinity(0)) > 1:
        assert [each.begin.seq for each in looked] == [PART_RECORDS, LAST]


@pytest.mark.parametrize("seq", [5, PART_RECORDS, PART_RECORDS + 1, LAST, RECORDS])
def test_a_changed_record_is_named_as_one_process_alone_names_it(ledger: Ledger, seq: int) -> None:
    tamper(ledger, "UPDATE record SET line = CAST(replace(line, '\"case-', '\"cAse-') AS BLOB) WHERE seq = ?", (seq,))

    _chain, faults, _looked = checked(ledger)

    assert faults[0].seq == seq


@pytest.mark.parametrize("seq", [PART_RECORDS, LAST + 1, LAST + 77])
def test_a_missing_record_is_named_as_one_process_alone_names_it(ledger: Ledger, seq: int) -> None:
    tamper(ledger, "DELETE FROM record WHERE seq = ?", (seq,))

    _chain, faults, _looked = checked(ledger)

    assert faults[0].seq == seq


@pytest.mark.heavy
@pytest.mark.parametrize("first", [LAST - 300, LAST + 1])
def test_an_end_that_was_chained_anew_does_not_join(ledger: Ledger, first: int) -> None:
    chain_anew(ledger, first)

    _chain, faults, _looked = checked(ledger)

    assert faults[0].seq == first - 1


def test_a_file_that_the_second_process_cannot_open_is_looked_at_by_the_first_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    looked: list[PartialPass] = []
    faults = Faults()
    with open_snapshot(ledger.folder / "ledger.sqlite") as stored:
        chain = check_chain(Shared(stored, tmp_path / "elsewhere", looked), faults)

    assert (chain.records, faults.count, looked) == (RECORDS, 0, [])


@dataclass(frozen=True)
class Claimed:
    """A part of lines, and what somebody says of it."""

    lines: tuple[bytes, ...]
    read_partial_pass: PartialPass | None

    def chunks(self, size: int) -> Iterator[Chunk]:
        for at in range(0, len(self.lines), size):
            yield Chunk(self.lines[at : at + size])


@dataclass(frozen=True)
class Claims:
    """A chain in parts that were looked at, or so it is said."""

    claimed: tuple[Claimed, ...]
    end: Tail

    def tail(self) -> Tail:
        return self.end

    def chunks(self, size: int) -> Iterator[Chunk]:
        for part in self.claimed:
            yield from part.chunks(size)

    def parts(self, _wanted: Collection[int]) -> AbstractContextManager[Iterator[ChainPart]]:
        return closing(part for part in self.claimed)


def test_what_was_found_from_another_record_on_does_not_count(ledger: Ledger) -> None:
    with open_snapshot(ledger.folder / "ledger.sqlite") as stored:
        (chunk,) = stored.read_between(None, 40, 40)
        lines = tuple(line for line in chunk.lines if isinstance(line, bytes))
        begin = stored.read_mark_before(20)
    assert begin is not None
    other = (*lines[:18], lines[18].replace(b'"case-', b'"cAse-'), *lines[19:])
    looked = pass_from(begin, [Chunk(lines[20:])], ())
    assert looked is not None and looked.end.seq == 40
    tail = Tail(40, looked.end.head)
    for wrong in (
        replace(begin, head=Digest("0" * 64)),
        replace(begin, seq=19),
        replace(begin, at="2026-11-23T01:00:00.001Z"),
    ):
        lying = replace(looked, begin=wrong, end=ChainMark(40, Digest("1" * 64), looked.end.at))
        assert found(Claims((Claimed(lines[:20], None), Claimed(lines[20:], lying)), tail)) == []

    assert found(Claims((Claimed(lines[:20], None), Claimed((), looked)), tail)) == [], (
        "what counts is not looked at again"
    )
    assert found(Claims((Claimed(other[:20], None), Claimed(lines[20:], looked)), tail)) == [19]


def test_a_part_in_which_anything_is_wrong_is_not_told_of(ledger: Ledger) -> None:
    with open_snapshot(ledger.folder / "ledger.sqlite") as stored:
        (chunk,) = stored.read_between(20, 40, 40)
        begin, lines, places = stored.read_mark_before(20), list(chunk.lines), list(chunk.places or ())
        assert stored.read_mark_before(RECORDS + 1) is None
    assert begin is not None and pass_from(begin, [chunk], ()) is not None
    line = lines[5]
    assert isinstance(line, bytes)
    for bad in (line.replace(b"case-", b"cAse-"), line + b" ", line.decode(), None):
        assert pass_from(begin, [Chunk([*lines[:5], bad, *lines[6:]], places)], ()) is None
    assert pass_from(begin, [Chunk(lines[1:], places[1:])], ()) is None
    assert pass_from(begin, [Chunk(lines, [*places[:-1], 99])], ()) is None
    assert pass_from(begin, [Chunk(lines, places, {3: ("kind",)})], ()) is None
    assert pass_from(replace(begin, head=Digest("0" * 64)), [chunk], ()) is None


def found(snapshot: Claims) -> list[int]:
    """Return the numbers of the records that a check names."""
    faults = Faults()
    check_chain(snapshot, faults)
    return [fault.seq for fault in faults.first()]


def chain_anew(ledger: Ledger, first: int) -> None:
    """Change a record and write everything behind it anew, so that it joins; the tail too."""
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as connection:
        rows = connection.execute("SELECT line FROM record WHERE seq >= ? ORDER BY seq", (first,)).fetchall()
    lines: list[bytes] = []
    prev = "f" * 64
    for (line,) in rows:
        at = line.index(b'"prev":"') + len(b'"prev":"')
        lines.append(line[:at] + prev.encode() + line[at + 64 :])
        prev = hashlib.sha256(lines[-1]).hexdigest()
    tamper(ledger, "UPDATE tail SET head = ?", (prev,))
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as connection:
        connection.executemany(
            "UPDATE record SET line = ? WHERE seq = ?", [(line, first + at) for at, line in enumerate(lines)]
        )
        connection.commit()
