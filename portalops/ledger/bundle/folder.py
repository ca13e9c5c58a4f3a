"""A foreign folder, read with care: no link is followed, nothing but a regular file is opened, no line is read to its end.

The folder's names come from its unknown maker, so only names that a bundle may have are ever put together to a path,
and each is opened relative to the folder that it was found in.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from portalops.errors import LedgerError, NotABundle
from portalops.ledger.bundle.contents import BLOBS, DESCRIPTION, FOLDERS, LINES, SUMS
from portalops.ledger.chain import MAX_LINE_BYTES, Chunk, Tail
from portalops.ledger.record import line_digest
from portalops.model.causes import cause_of
from portalops.model.message import msg, nmsg, verbatim
from portalops.model.text import show_text
from portalops.signatures.sshsig import Hashed

_PIECE_BYTES = 1 << 20
_BUFFER_BYTES = 128 << 10


class BundleFolder:
    """The folder of a bundle."""

    def __init__(self, path: Path) -> None:
        """Open the folder.

        Raises:
            NotABundle: it is no folder, or has not the three files that every bundle has.
        """
        self.path = path
        self._descriptors: dict[str, int | None] = {}
        try:
            self._descriptors[""] = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            cause = cause_of(error) if isinstance(error, OSError) else verbatim(str(error))
            raise NotABundle(
                msg("cannot read {path} as a folder: {cause}", path=show_text(str(path)), cause=cause), _HINT
            ) from error
        missing = [name for name in (DESCRIPTION, LINES, SUMS) if not self.has(name)]
        if missing:
            self.close()
            raise NotABundle(
                nmsg(
                    "{path} is not a bundle: {names} is missing",
                    "{path} is not a bundle: {names} are missing",
                    len(missing),
                    path=show_text(str(path)),
                    names=", ".join(missing),
                ),
                _HINT,
            )

    def close(self) -> None:
        """Let go of the folder."""
        for descriptor in self._descriptors.values():
            if descriptor is not None:
                os.close(descriptor)
        self._descriptors.clear()

    def __enter__(self) -> BundleFolder:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def has(self, name: str) -> bool:
        """Say whether there is a regular file of a name."""
        folder, _mark, leaf = name.rpartition("/")
        inside = self._folder(folder)
        return inside is not None and _is_file(inside, leaf)

    def size(self, name: str) -> int:
        """Return how many bytes a regular file has; 0 if there is none of this name."""
        folder, _mark, leaf = name.rpartition("/")
        inside = self._folder(folder)
        try:
            return os.stat(leaf, dir_fd=inside, follow_symlinks=False).st_size if inside is not None else 0
        except OSError:
            return 0

    def open(self, name: str) -> AbstractContextManager[BinaryIO] | None:
        """Open a file; None if there is no regular file of this name.

        Raises:
            LedgerError: it is there and cannot be read.
        """
        folder, _mark, leaf = name.rpartition("/")
        inside = self._folder(folder)
        if inside is None or not _is_file(inside, leaf):
            return None
        try:
            # Were it exchanged for a pipe just now, opening it would not wait.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.fdopen(os.open(leaf, flags, dir_fd=inside), "rb", _BUFFER_BYTES)
        except OSError as error:
            raise self._unreadable(name, error) from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            return None
        return self._reading(name, file)

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file's bytes, at most one more than the limit; None if there is no such file. Raises as `open` does."""
        opened = self.open(name)
        if opened is None:
            return None
        with opened as file:
            return file.read(limit + 1)

    def digests(self, name: str, advance: Callable[[int], None] = lambda _amount: None) -> Hashed | None:
        """Return a file's digests, read piece by piece; None if there is no such file. Raises as `open` does."""
        opened = self.open(name)
        if opened is None:
            return None
        sha256, sha512 = hashlib.sha256(), hashlib.sha512()
        with opened as file:
            while piece := file.read(_PIECE_BYTES):
                sha256.update(piece)
                if name == SUMS:
                    sha512.update(piece)
                advance(len(piece))
        return Hashed(sha256.digest(), sha512.digest())

    def names(self) -> Generator[tuple[str, bool], None, None]:
        """Yield every name in the folder and in those that a bundle has, and whether it is a regular file.

        The folders that a bundle has are no names of their own.
        """
        for folder in ("", *FOLDERS):
            descriptor = self._folder(folder)
            if descriptor is None:
                continue
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if not folder and name in FOLDERS and entry.is_dir(follow_symlinks=False):
                        continue
                    yield name, entry.is_file(follow_symlinks=False)

    def _folder(self, name: str) -> int | None:
        if name not in self._descriptors:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                self._descriptors[name] = os.open(name, flags, dir_fd=self._descriptors[""])
            except FileNotFoundError:
                self._descriptors[name] = None
            except OSError as error:
                if isinstance(error, PermissionError):
                    raise self._unreadable(name, error) from error
                self._descriptors[name] = None
        return self._descriptors[name]

    @contextmanager
    def _reading(self, name: str, file: BinaryIO) -> Iterator[BinaryIO]:
        with closing(file):
            try:
                yield file
            except OSError as error:
                raise self._unreadable(name, error) from error

    def _unreadable(self, name: str, error: OSError) -> LedgerError:
        return LedgerError(
            msg("cannot read {name} of the bundle: {cause}", name=name, cause=cause_of(error)),
            msg(
                "Check who may read the files in {folder}, and the disk that they are on.",
                folder=show_text(str(self.path)),
            ),
        )


_HINT = msg("Name the folder that 'portalops ledger export' wrote; it holds bundle.json, ledger.jsonl and SHA256SUMS.")


class BundleLines:
    """The lines of ledger.jsonl: a `chain.Snapshot`. A line without end takes no memory."""

    def __init__(self, folder: BundleFolder) -> None:
        self._folder = folder
        self.ends_in_line_feed = True
        """Known once all lines were gone through."""
        self.expected: Tail | None = None
        """What bundle.json says of the chain's end; None if that cannot be read."""
        self._count = 0
        self._last = b""

    def tail(self) -> Tail:
        """Return what the chain is to end with; what it does end with if nothing is known."""
        return self.expected or Tail(self._count, line_digest(self._last))

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield all lines in order, at most so many at a time."""
        chunk: list[bytes] = []
        self._count = 0
        for line in self.lines():
            chunk.append(line)
            self._count += 1
            if len(chunk) == size:
                self._last = chunk[-1]
                yield Chunk(chunk)
                chunk = []
        if chunk:
            self._last = chunk[-1]
            yield Chunk(chunk)

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its line feed; of one that is too long, its beginning, one byte longer than any record."""
        opened = self._folder.open(LINES)
        if opened is None:
            return
        with opened as file:
            line = b""
            while line := file.readline(MAX_LINE_BYTES + 1):
                self.ends_in_line_feed = line.endswith(b"\n")
                if self.ends_in_line_feed:
                    yield line[:-1]
                elif len(line) > MAX_LINE_BYTES:
                    self.ends_in_line_feed = _skip_line(file)
                    yield line
                else:
                    yield line


def _skip_line(file: BinaryIO) -> bool:
    """Go on behind the next line feed; say whether there is one."""
    while piece := file.read(_PIECE_BYTES):
        if (end := piece.find(b"\n")) >= 0:
            file.seek(end + 1 - len(piece), os.SEEK_CUR)
            return True
    return False


def sums(folder: BundleFolder, limit: int) -> Iterator[bytes]:
    """Yield the lines of SHA256SUMS with their line feeds; of one that is too long, its beginning without one."""
    opened = folder.open(SUMS)
    if opened is None:
        return
    with opened as file:
        while line := file.readline(limit + 1):
            if not line.endswith(b"\n") and len(line) > limit:
                _skip_line(file)
            yield line


def _is_file(folder: int, name: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False
    except ValueError:  # a name that no file can have
        return False


def blob_name(digest: str) -> str:
    """Return where a blob lies in a bundle."""
    return f"{BLOBS}/{digest}"
