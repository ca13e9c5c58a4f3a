"""Journals of what the processes of one machine appended and have not claimed.

    2026-11-23T01:00:00.000Z  note  9f3a...  RUN    at, kind, body and run of a record that is about to be appended
    17  5f0c...                                     its number, and SHA-256 of its line, once it is there

The kernel frees the lock on a journal with its process. A journal that speaks of another line than the ledger holds shows that the
ledger was rewritten: it is kept as `*.kept` until a person has read it.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from pathlib import Path

from portalops.errors import IntegrityError
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest, parse_at
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.values import dataclass

FOLDER = "unclaimed"
"""In the state folder."""

JOURNAL = ".journal"
KEPT = ".kept"


@dataclass(frozen=True, slots=True)
class AppendJournal:
    """What a journal speaks of."""

    noted: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """Kind, body and run of what was to be appended, each as often as it was noted."""
    since: datetime | None = None
    """The earliest moment in it."""
    lines: Mapping[int, Digest] = field(default_factory=dict)
    """Digests of the lines that were appended, by their numbers."""


@dataclass(frozen=True, slots=True)
class NamedJournal:
    """A journal and its file."""

    path: Path
    journal: AppendJournal

    @property
    def process(self) -> int | None:
        """Number of the process that wrote it; None if the name has none."""
        number = self.path.name.partition("-")[0]
        return int(number) if number.isascii() and number.isdigit() else None


@dataclass(frozen=True, slots=True)
class LeftJournal:
    """A journal whose process has ended, open and locked."""

    path: Path
    descriptor: int

    def read(self) -> AppendJournal:
        """Return what it speaks of."""
        return _read(self.descriptor)


def read_journal(data: bytes) -> AppendJournal:
    """Read a journal; a line that is none, such as a last one that was cut, is passed over."""
    noted: Counter[tuple[str, ...]] = Counter()
    since: datetime | None = None
    lines: dict[int, Digest] = {}
    for line in data.decode(errors="replace").splitlines():
        with suppress(ValueError):
            match line.split("\t"):
                case [at, kind, body, run]:
                    moment = parse_at(at)
                    since = moment if since is None else min(since, moment)
                    noted[kind, body, run] += 1
                case [seq, digest] if len(digest) == _DIGEST_LENGTH:
                    lines[int(seq)] = Digest(digest)
    return AppendJournal(noted, since, lines)


def contradicted(ledger: Ledger, journal: AppendJournal) -> int | None:
    """Return the first record that is another one than the journal says, or is there no more; None if there is none."""
    for seq, digest in sorted(journal.lines.items()):
        try:
            record = ledger.record(seq)
        except IntegrityError:
            return seq
        if record is None or line_digest(record.line) != digest:
            return seq
    return None


def contradictions(ledger: Ledger, folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield each journal that speaks of another record than the ledger holds, with the first such record.

    Args:
        ledger: may be open for reading only.
        folder: the state folder; journals of other accounts are passed over.
    """
    for path in (*_named(folder, JOURNAL), *_named(folder, KEPT)):
        descriptor = _opened(path)
        if descriptor is None:
            continue
        try:
            seq = contradicted(ledger, _read(descriptor))
        finally:
            os.close(descriptor)
        if seq is not None:
            yield path, seq


def describe_contradiction(path: Path, seq: int) -> Message:
    """Say that a ledger was rewritten, by the journal that shows it."""
    return msg("record {seq} is not the one that this machine appended: {path} shows it", seq=seq, path=str(path))


def left_journals(folder: Path, *, but: Path) -> Iterator[LeftJournal]:
    """Yield the journals whose processes have ended, locked; who takes one closes it.

    Args:
        folder: the state folder.
        but: the caller's own.
    """
    for path in _named(folder, JOURNAL):
        if path == but:
            continue
        descriptor = _opened(path)
        if descriptor is None:
            continue
        if _locks(descriptor):
            yield LeftJournal(path, descriptor)
        else:
            os.close(descriptor)


def living_journals(folder: Path) -> Iterator[NamedJournal]:
    """Yield the journals of processes that run, as far as this account can read them."""
    for path in _named(folder, JOURNAL):
        descriptor = _opened(path)
        if descriptor is None:
            continue
        try:
            if not _locks(descriptor):
                yield NamedJournal(path, _read(descriptor))
        finally:
            os.close(descriptor)


def noted_here(ledger: Ledger, folder: Path) -> Callable[[int], bool]:
    """Return what says whether a journal of this machine speaks of a record: a process that runs, or was killed, is yet to claim it."""
    spoken = tuple(_readable(folder))

    def is_noted(seq: int) -> bool:
        record = ledger.record(seq) if spoken else None
        if record is None:
            return False
        mark, digest = (record.kind, str(record.body), str(record.run)), line_digest(record.line)
        return any(each.noted[mark] or each.lines.get(seq) == digest for each in spoken)

    return is_noted


def _readable(folder: Path) -> Iterator[AppendJournal]:
    for path in _named(folder, JOURNAL):
        if (descriptor := _opened(path)) is not None:
            try:
                yield _read(descriptor)
            finally:
                os.close(descriptor)


def _named(folder: Path, suffix: str) -> list[Path]:
    try:
        with os.scandir(folder / FOLDER) as entries:
            return sorted(Path(each.path) for each in entries if each.name.endswith(suffix))
    except OSError:
        return []


def _opened(path: Path) -> int | None:
    """Open a journal; None if it went meanwhile, is another account's, or is no file."""
    try:
        # A pipe of that name would keep who opens it waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(descriptor: int) -> AppendJournal:
    return read_journal(os.pread(descriptor, os.fstat(descriptor).st_size, 0))


_DIGEST_LENGTH = 64
