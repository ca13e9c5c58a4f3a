"""A bundle as one ZIP file: written from its folder, and unpacked to be verified. docs/bundle-format.md, "One file", says how it is read.

Who made a ZIP file is not known. Only names that a bundle may hold are ever put together to a path, and an entry is read no further than
the length that the list states for it.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from portalops.errors import LedgerError, NotABundle
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.folder import BundleFolder
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.text import show_text

SUFFIX = ".zip"
"""The end of a name that asks for a ZIP file."""

MAX_LIST_BYTES = 256 << 20
"""Longest list of entries that is read: of about three million files."""

_PIECE_BYTES = 1 << 20
_WIDE = 0xFFFFFFFF
_REGULAR = (0, stat.S_IFREG)
_NEEDED = (contents.DESCRIPTION, contents.LINES, contents.SUMS)
_END, _LONG_END = struct.Struct("<4sIHHIIH"), struct.Struct("<4s28xQQQ")
_LOCATOR = struct.Struct("<4s4xQ4x")
_ENTRY = struct.Struct("<4sxB2xHH4xIIIHHH4xII")
_LOCAL = struct.Struct("<4s4xH16xHH")
_BEGINNING = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, file: BinaryIO, name: str, advance: Callable[[int], None] = lambda _amount: None) -> None:
    """Write the files of a bundle's folder as a ZIP file; the same folder gives the same bytes with one zlib.

    Args:
        folder: a whole bundle.
        file: it is written to from its beginning.
        name: the folder in which a person finds the files when they unpack it.
        advance: is called with the files done.
    """
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as packed:
        for each in names:
            entry = zipfile.ZipInfo(f"{name}/{each}", _BEGINNING)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.file_size = (folder / each).stat().st_size  # so that a large one is given room for its length
            with (folder / each).open("rb") as data, packed.open(entry, "w") as into:
                while piece := data.read(_PIECE_BYTES):
                    into.write(piece)
            advance(1)


def unpack(path: Path, folder: Path) -> None:
    """Unpack a bundle's ZIP file into an empty folder.

    What is no file of a bundle becomes a folder of a like name, so that it is named. An entry that is not what the list says becomes a
    file that no digest fits.

    Raises:
        NotABundle: it is no ZIP file, or one that two readers may read differently, or what every bundle has cannot be read.
        LedgerError: it cannot be read by this account, or there is no room to unpack it.
    """
    with _opened(path) as (file, entries):
        for name, entry in entries.items():
            _unpack(file, entry, folder, name)


@contextmanager
def open_bundle(path: Path) -> Iterator[BundleFolder]:
    """Open the folder of a bundle, or a ZIP file of one, which is unpacked into the folder for temporary files.

    Raises:
        NotABundle: it is no bundle.
        LedgerError: it cannot be read by this account, or there is no room to unpack it.
    """
    if not path.is_file():
        with BundleFolder(path) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="portalops-bundle-") as scratch:
        unpack(path, Path(scratch))
        with BundleFolder(Path(scratch)) as folder:
            folder.path = path  # what is wrong is said of the file that was named
            yield folder


def read_packed(path: Path, name: str, limit: int) -> bytes:
    """Return the bytes of one file of a bundle's ZIP file; empty if they cannot be read, or are more than a limit. Raises as `unpack` does."""
    into = BytesIO()
    with _opened(path) as (file, entries):
        entry = entries.get(name)
        if entry is None or entry.size > limit or not _inflate(file, entry, into):
            return b""
    return into.getvalue()


def unpacked_bytes(path: Path) -> int:
    """Return how many bytes `unpack` writes at most. Raises as it does."""
    with _opened(path) as (_file, entries):
        return sum(entry.size for entry in entries.values() if entry is not None)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Mapping[str, _Entry | None]]]:
    try:
        with path.open("rb") as file:
            yield file, dict(_files(list(_entries(file))))
    except (ValueError, struct.error) as error:
        raise NotABundle(
            msg("{path} is neither the folder of a bundle nor a ZIP file of one", path=show_text(str(path))),
            msg("Name what 'portalops ledger export' wrote, or unpack the file and name the folder."),
        ) from error
    except OSError as error:
        raise LedgerError(
            msg("cannot unpack {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)),
            msg("Check who may read it, and the room in the folder for temporary files that TMPDIR names."),
        ) from error


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the list."""

    name: bytes
    method: int
    crc: int
    size: int
    packed: int
    offset: int
    is_plain: bool
    """It is a regular file, and stored or deflated."""


def _entries(file: BinaryIO) -> Iterator[_Entry]:
    data, count = _list(file)
    at = 0
    for _ in range(count):
        mark, host, flags, method, crc, packed, size, name_size, extra_size, comment_size, attributes, offset = (
            _ENTRY.unpack_from(data, at)
        )
        extra = at + _ENTRY.size + name_size
        after = extra + extra_size + comment_size
        if mark != b"PK\1\2" or after > len(data):
            raise ValueError("not an entry")
        size, packed, offset = _widened(data[extra : extra + extra_size], (size, packed, offset))
        name = data[at + _ENTRY.size : extra]
        mode = stat.S_IFMT(attributes >> 16) if host == 3 else 0  # 3: made on Unix, where this is the file's mode
        known = size == packed if method == zipfile.ZIP_STORED else method == zipfile.ZIP_DEFLATED
        is_plain = known and not flags & 1 and not name.endswith(b"/") and mode in _REGULAR
        yield _Entry(name, method, crc, size, packed, offset, is_plain)
        at = after
    if at != len(data):
        raise ValueError("there is more than the entries")


def _list(file: BinaryIO) -> tuple[bytes, int]:
    """Return the list of entries, and how many they are."""
    end = last = max(file.seek(0, os.SEEK_END) - _END.size, 0)
    mark, _disks, _here, count, size, start, comment = _END.unpack(_read_at(file, end, _END.size))
    if mark != b"PK\5\6" or comment:
        raise ValueError("no end of a list")
    if count == 0xFFFF or _WIDE in {size, start}:
        mark, end = _LOCATOR.unpack(_read_at(file, max(last - _LOCATOR.size, 0), _LOCATOR.size))
        if mark != b"PK\6\7" or end != last - _LOCATOR.size - _LONG_END.size:
            raise ValueError("no end of a long list")
        mark, count, size, start = _LONG_END.unpack(_read_at(file, end, _LONG_END.size))
        if mark != b"PK\6\6":
            raise ValueError("no end of a long list")
    if start + size != end or size > MAX_LIST_BYTES:
        raise ValueError("the list is not right before its end")
    return _read_at(file, start, size), count


def _read_at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _widened(extra: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the numbers of an entry, those that four bytes do not hold from its field of ZIP64."""
    found = list(numbers)
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if len(field) != size:
            raise ValueError("a field is cut off")
        if kind == 1:
            for place, number in enumerate(found):
                if number == _WIDE:
                    (found[place],), field = struct.unpack_from("<Q", field), field[8:]
    return found[0], found[1], found[2]


def _files(entries: list[_Entry]) -> Iterator[tuple[str, _Entry | None]]:
    """Yield what the folder of the bundle holds: a file's entry by its name, or None where it is something else."""
    names = [each.name.decode("latin-1") for each in entries]
    if not names:
        raise ValueError("there are no entries")
    top = "" if contents.DESCRIPTION in names else names[0].split("/")[0] + "/"
    if len(set(names)) != len(names) or not all(name.startswith(top) for name in names):
        raise ValueError("a name stands twice, or not in the folder of the others")
    found: dict[str, _Entry | None] = {}
    for full, entry in zip(names, entries, strict=True):
        name = full.removeprefix(top)
        if not name or (name.endswith("/") and name[:-1] in contents.FOLDERS):
            continue
        parts = name.split("/")
        depth = 2 if len(parts) > 1 and parts[0] in contents.FOLDERS else 1
        found["/".join(parts[:depth])] = entry if entry.is_plain and len(parts) <= depth else None
    if not all(found.get(name) for name in _NEEDED):
        raise ValueError("what every bundle has is not there")
    yield from found.items()


def _unpack(file: BinaryIO, entry: _Entry | None, folder: Path, name: str) -> None:
    if not contents.is_known_name(name):
        like = re.sub(r"[^\w. -]", "_", _decoded(name))[:60]  # at most 240 bytes, of the 255 that a name may have
        is_taken = like in {".", ".."} or contents.is_known_name(like) or (folder / like).exists()
        (folder / (f"{like}.{secrets.token_hex(4)}" if is_taken else like)).mkdir()
        return
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if entry is None:
        path.mkdir()
        return
    with path.open("xb") as into:
        is_whole = _inflate(file, entry, into)
    if not is_whole and name in _NEEDED:
        raise ValueError("what every bundle has cannot be read")
    if not is_whole:
        path.write_bytes(secrets.token_bytes(32))


def _decoded(name: str) -> str:
    """Return a name of which the bytes were read as Latin-1 as a person reads it."""
    with suppress(UnicodeDecodeError):
        return name.encode("latin-1").decode()
    return name


def _inflate(file: BinaryIO, entry: _Entry, into: BinaryIO) -> bool:
    """Write an entry's bytes, and say whether they are what the list says."""
    try:
        mark, method, name_size, extra_size = _LOCAL.unpack(_read_at(file, entry.offset, _LOCAL.size))
    except (struct.error, OverflowError, OSError):  # it would lie behind the end, or behind what a file can have
        return False
    name = file.read(name_size)
    file.seek(extra_size, os.SEEK_CUR)
    if mark != b"PK\3\4" or method != entry.method or name != entry.name:
        return False
    inflater = _Inflater() if entry.method == zipfile.ZIP_DEFLATED else _Stored()
    left, size, crc = entry.packed, 0, 0
    while left:
        piece = file.read(min(left, _PIECE_BYTES))
        left -= len(piece)
        if not piece:
            return False
        try:
            for plain in inflater.take(piece):
                size += len(plain)
                if size > entry.size:
                    return False
                crc = zlib.crc32(plain, crc)
                into.write(plain)
        except zlib.error:
            return False
    return inflater.ended and size == entry.size and crc == entry.crc


class _Stored:
    """Bytes that stand as they are."""

    ended = True

    def take(self, piece: bytes) -> Iterator[bytes]:
        yield piece


class _Inflater:
    """Bytes that are deflated (RFC 1951)."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def ended(self) -> bool:
        """Whether they came to their end, with nothing behind it."""
        return self._inflater.eof and not self._inflater.unused_data

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece holds, in pieces of bounded length."""
        plain = self._inflater.decompress(piece, _PIECE_BYTES)
        while plain:
            yield plain
            plain = self._inflater.decompress(self._inflater.unconsumed_tail, _PIECE_BYTES)
