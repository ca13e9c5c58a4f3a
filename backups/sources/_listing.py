"""What a full set held of a tree, so that a differential can tell what has changed since.

A listing is a file of this machine, never a part of a set: `portalops-listing 1`, then path and signature of each
member in the order of the walk, an empty path, and the SHA-256 of all of it; each ends with a NUL, which no path holds.
A signature is mode, size, mtime_ns, ctime_ns and inode (stat(2)): whatever changes a file's bytes, mode, owner, names or
attributes changes its ctime, which no program can set. A file that was changed while the full set was read, or just
before, gets no times: a second change within the clock's step would leave no trace, so the next differential reads it
again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

logger = logging.getLogger(__name__)

HEADER = b"portalops-listing 1\0"
STEP_NS = 2_000_000_000
"""How far a file system's times may lag behind its clock: 2 s on FAT, ticks of some milliseconds on Linux's own."""
_PIECE_BYTES = 1 << 20
_DIGEST_BYTES = 64


class ListingDamaged(Exception):
    """A listing is not what was written; then everything counts as changed."""


def order_of(path: str) -> list[str]:
    """Return what a walk is ordered by: a folder before what lies in it, names by their code points."""
    return path.split("/")


class ListingWriter:
    """Writes a listing; the file is there under its name only when all of it is.

    A listing that cannot be written stops no backup: there is none then, and the next set is a full one.
    """

    def __init__(self, path: Path, *, begun_ns: int) -> None:
        """Begin.

        Args:
            path: of the listing.
            begun_ns: when the reading began, in nanoseconds since 1970 by the clock that stamps files.
        """
        self._path = path
        self._unsure_from_ns = begun_ns - STEP_NS
        self._temporary = path.with_name(f".{path.name}.new")
        self._digest = hashlib.sha256(HEADER)
        self._file: BinaryIO | None = None
        try:
            self._file = self._temporary.open("wb", buffering=_PIECE_BYTES)
            self._file.write(HEADER)
        except OSError as error:
            self._give_up(error)

    def __enter__(self) -> ListingWriter:
        return self

    def __exit__(
        self, failure: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if failure is not None:
            self._drop()
            return
        self._write(b"\0")
        if self._file is None:
            return
        try:
            self._file.write(self._digest.hexdigest().encode())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
        except OSError as error:
            self._give_up(error)

    def add(self, path: str, status: os.stat_result, *, is_sure: bool = True) -> None:
        """Note a member as it was read.

        Args:
            path: absolute.
            status: taken before it was read.
            is_sure: it was read whole and had not changed afterwards.
        """
        sure = is_sure and status.st_ctime_ns < self._unsure_from_ns
        signature = signature_of(status) if sure else str(status.st_mode)
        self._write(os.fsencode(path) + b"\0" + signature.encode() + b"\0")

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        logger.warning("%s cannot be written, so the next set is a full one: %s", self._path, error.strerror)
        self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()  # what is in its buffer fails again
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)


def signature_of(status: os.stat_result) -> str:
    """Return what must be the same for a member to count as unchanged."""
    return f"{status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def read_listing(path: Path) -> Iterator[tuple[str, str]]:
    """Yield path and signature of each member, after the whole file was found to be as it was written.

    Raises:
        ListingDamaged: it is missing, cut short or changed.
    """
    try:
        _require_whole(path)
        with path.open("rb") as file:
            file.seek(len(HEADER))
            held = b""
            while piece := file.read(_PIECE_BYTES):
                whole, end, held = (held + piece).rpartition(b"\0")
                fields = os.fsdecode(whole).split(
                    "\0"
                )  # at once: one by one it is a fifth of a walk that finds nothing new
                if len(fields) % 2:
                    held = os.fsencode(fields.pop()) + end + held
                for name, signature in zip(fields[::2], fields[1::2], strict=True):
                    if not name:
                        return
                    yield name, signature
    except OSError as error:
        raise ListingDamaged(error.strerror or str(error)) from error


def _require_whole(path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size - _DIGEST_BYTES
        is_headed = file.read(len(HEADER)) == HEADER
        file.seek(0)
        while left > 0 and (piece := file.read(min(_PIECE_BYTES, left))):
            digest.update(piece)
            left -= len(piece)
        if not is_headed or file.read() != digest.hexdigest().encode():
            raise ListingDamaged("it is not as it was written")


class ListingComparison:
    """Compares a walk, member by member in its order, with the listing of the base."""

    def __init__(self, entries: Iterator[tuple[str, str]], on_removed: Callable[[str], None]) -> None:
        """Begin.

        Args:
            entries: the base's listing.
            on_removed: is told of each path that is no more, or is something of another type now.
        """
        self._entries = entries
        self._on_removed = on_removed
        self._next = next(entries, None)

    def is_unchanged(self, path: str, status: os.stat_result) -> bool:
        """Say whether a member of the walk is as it was in the base."""
        if self._next is None or self._next[0] != path:  # nearly never, and telling the order takes time
            self._pass_before(order_of(path))
        if self._next is None or self._next[0] != path:
            return False
        signature = self._next[1]
        self._next = next(self._entries, None)
        if signature == signature_of(status):
            return True
        if stat.S_IFMT(int(signature.partition(" ")[0])) != stat.S_IFMT(status.st_mode):
            self._on_removed(path)
        return False

    def keep(self, path: str) -> None:
        """Take nothing for removed of a path, or of what lies below it, that could not be looked at."""
        self._pass_before(order_of(path))
        below = path.rstrip("/") + "/"
        while self._next is not None and (self._next[0] == path or self._next[0].startswith(below)):
            self._next = next(self._entries, None)

    def vanished(self, path: str) -> None:
        """Take a path for removed that was there when the walk came by and was gone when it was to be read."""
        self._on_removed(path)

    def end(self) -> None:
        """Take everything behind the walk's last member for removed."""
        while self._next is not None:
            self._on_removed(self._next[0])
            self._next = next(self._entries, None)

    def _pass_before(self, here: list[str]) -> None:
        while self._next is not None and order_of(self._next[0]) < here:
            self._on_removed(self._next[0])
            self._next = next(self._entries, None)
