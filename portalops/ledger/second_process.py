"""Verification on two cores: this process looks from the first record on, a second one at parts from the end backwards.

The second process begins each part by trusting the record before it. What it found counts only if the first one comes to
that record and finds the same; and only if it found nothing wrong. Otherwise the first one looks for itself, so what is
named is always what one process alone would have named.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, TypeAlias

from portalops.ledger.chain import ChainMark, Chunk, PartialPass, pass_from

PART_RECORDS = 25_000
"""How many records a part has: a twentieth of a second, so that nobody waits long for the other."""

_CHUNK = 256


class PartLines(Protocol):
    """Stored lines of which a part can be read."""

    def read_mark_before(self, seq: int) -> ChainMark | None:
        """Return the mark behind a record, on trust; None if there is no such record."""
        ...

    def read_between(self, after: int | None, last: int, size: int) -> Iterator[Chunk]:
        """Yield the lines behind one record (None: from the very first) up to another."""
        ...


Opened: TypeAlias = "Callable[[Path], AbstractContextManager[PartLines]]"
"""Opens the stored lines of a file, in either process."""


@dataclass(frozen=True, slots=True)
class _Part:
    lines: PartLines
    after: int | None
    last: int
    read_partial_pass: PartialPass | None

    def chunks(self, size: int) -> Iterator[Chunk]:
        return self.lines.read_between(self.after, self.last, size)


@contextmanager
def parts(
    path: Path, opened: Opened, lines: PartLines, last: int, wanted: Collection[int]
) -> Iterator[Iterator[_Part]]:
    """Yield all parts in order, while a second process checks the last ones; on one core there is no second process.

    The second process ends when the parts are done with, however that comes.

    Args:
        path: of the file.
        opened: opens it in the second process; a function that a module holds.
        lines: the same lines, opened here.
        last: the number of the newest record to check: what is appended meanwhile is not seen.
        wanted: as in `check_chain`.
    """
    if len(os.sched_getaffinity(0)) < 2:
        yield iter((_Part(lines, None, last, None),))
        return
    context = multiprocessing.get_context("spawn")  # SQLite may not be carried over a fork
    here, there = context.Pipe(duplex=False)
    other = context.Process(
        target=_read_backwards, args=(there, path, opened, last, tuple(wanted)), name="verification", daemon=True
    )
    other.start()
    there.close()
    try:
        yield _join_in_order(here, lines, last)
    finally:
        other.kill()
        other.join()
        other.close()
        here.close()


def _join_in_order(here: Connection, lines: PartLines, last: int) -> Iterator[_Part]:
    found: dict[int, PartialPass | None] = {}
    begun = None
    ended = False
    for number, (after, end) in enumerate(_spans(last)):
        # The second process says what it begins with: that one is waited for, so that nobody looks twice.
        while not ended and number not in found and (here.poll() or begun == number):
            try:
                told = here.recv()
            except (EOFError, OSError):
                ended = True
                break
            if isinstance(told, int):
                begun = told
            else:
                found[told[0]] = told[1]
        yield _Part(lines, after if number else None, end, found.pop(number, None))


def _read_backwards(
    there: Connection, path: Path, opened: Opened, last: int, wanted: Collection[int]
) -> None:  # pragma: no cover - runs in a process of its own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    spans = list(enumerate(_spans(last)))
    with opened(path) as lines:
        try:
            for number, (after, end) in reversed(spans[1:]):
                there.send(number)
                begin = lines.read_mark_before(after)
                there.send((number, begin and pass_from(begin, lines.read_between(after, end, _CHUNK), wanted)))
        except OSError:
            return  # nobody listens any more


def _spans(last: int) -> Iterator[tuple[int, int]]:
    for after in range(0, last, PART_RECORDS):
        yield after, min(after + PART_RECORDS, last)
