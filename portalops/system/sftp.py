"""Files on another host: the SFTP protocol, version 3, over any link that carries bytes.

Version 3 is what every OpenSSH server speaks (draft-ietf-secsh-filexfer-02; its extensions are in OpenSSH's file PROTOCOL).
It is written here and not taken from a library for what backups need of it: requests as large as the server takes, many of
them under way, durable files (`fsync@openssh.com`), free space (`statvfs@openssh.com`), and the same code over paramiko and
over the system's ssh, which is several times as fast.

One `Sftp` serves one thread.
"""

from __future__ import annotations

import stat
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

VERSION = 3
OK, END_OF_FILE, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE = range(5)
UNSUPPORTED = 8
MOST_REQUESTS = 64
"""How many reads or writes are under way at most."""
PLAIN_BYTES = 32 << 10
"""Bytes that every server accepts in one request."""
LARGEST_BYTES = 255 << 10
"""What OpenSSH takes, whose packets end at 256 KiB."""
MAX_PACKET_BYTES = 1 << 20
"""No answer is as long; what is, is no SFTP."""

_INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE, _LSTAT, _FSTAT = 1, 2, 3, 4, 5, 6, 7, 8
_OPENDIR, _READDIR, _REMOVE, _MKDIR, _RMDIR, _STAT, _RENAME = 11, 12, 13, 14, 15, 17, 18
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS, _EXTENDED, _EXTENDED_REPLY = 101, 102, 103, 104, 105, 200, 201
_FOR_READING, _FOR_WRITING_A_NEW_FILE = 0x01, 0x02 | 0x08 | 0x20
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 0x1, 0x2, 0x4, 0x8, 0x80000000


class Link(Protocol):
    """Carries bytes to an SFTP server and back. Its methods raise `LinkBroken`."""

    @property
    def is_worn(self) -> bool:
        """Say whether it has carried so much that a new one should take its place."""
        ...

    def send(self, *parts: bytes | memoryview) -> None:
        """Send everything."""
        ...

    def receive(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        ...

    def close(self) -> None:
        """End it; never raises."""
        ...


class LinkBroken(Exception):
    """The other side is gone, silent for too long, or does not speak SFTP."""


class SftpRefused(Exception):
    """The server did not do what it was asked for."""

    def __init__(self, code: int, words: str, path: str) -> None:
        super().__init__(f"{path}: {words or code}")
        self.code = code
        self.words = words
        self.path = path


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a server says of a file."""

    size: int
    mode: int
    """Type and permissions, as in `st_mode`; 0 if it does not say."""
    modified_at: int
    """Seconds since 1970 by the server's clock."""

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


class Sftp:
    """An SFTP session."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._last = 0
        link.send(struct.pack(">IBI", 5, _INIT, VERSION))
        kind, body = self._packet()
        if kind != _VERSION or body.number() < VERSION:
            raise LinkBroken("what answers does not speak SFTP")
        self._extensions = frozenset(body.pairs())
        self._write_bytes, self._read_bytes = self._limits()

    def close(self) -> None:
        """End the session."""
        self.link.close()

    def status(self, path: str, *, follow: bool = False) -> Attributes | None:
        """Return what is there; None if nothing is."""
        try:
            return self._ask(_STAT if follow else _LSTAT, _ATTRS, path, _text(path)).attributes()
        except SftpRefused as error:
            if error.code == NO_SUCH_FILE:
                return None
            raise

    def names(self, folder: str) -> Iterator[tuple[str, Attributes]]:
        """Yield what is in a folder."""
        handle = self._ask(_OPENDIR, _HANDLE, folder, _text(folder)).text()
        try:
            while True:
                body = self._ask(_READDIR, _NAME, folder, _text(handle))
                for _entry in range(body.number()):
                    name, _listing = body.text().decode("utf-8", "surrogateescape"), body.text()
                    attributes = body.attributes()
                    if name not in {".", ".."} and "/" not in name:
                        yield name, attributes
        except SftpRefused as error:
            if error.code != END_OF_FILE:
                raise
        finally:
            self._ask(_CLOSE, _STATUS, folder, _text(handle))

    def make_folder(self, path: str) -> None:
        """Make a folder for its owner alone."""
        self._ask(_MKDIR, _STATUS, path, _text(path) + struct.pack(">II", _HAS_MODE, 0o700))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._ask(_REMOVE, _STATUS, path, _text(path))

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        self._ask(_RMDIR, _STATUS, path, _text(path))

    def rename(self, old: str, new: str) -> None:
        """Rename; what is there already is not replaced."""
        self._ask(_RENAME, _STATUS, new, _text(old) + _text(new))

    def free_bytes(self, path: str) -> int | None:
        """Return how much room is left for this user; None if the server does not tell."""
        if "statvfs@openssh.com" not in self._extensions:
            return None
        body = self._ask(_EXTENDED, _EXTENDED_REPLY, path, _text("statvfs@openssh.com") + _text(path))
        _block, fragment, _blocks, _free, available = (body.long() for _field in range(5))
        return fragment * available

    def create(self, path: str) -> RemoteFile:
        """Open a file that must not be there yet, for its owner alone."""
        flags = struct.pack(">III", _FOR_WRITING_A_NEW_FILE, _HAS_MODE, 0o600)
        return RemoteFile(self, path, self._ask(_OPEN, _HANDLE, path, _text(path) + flags).text())

    def read(self, path: str) -> ReadFile:
        """Open a file for reading."""
        handle = self._ask(_OPEN, _HANDLE, path, _text(path) + struct.pack(">II", _FOR_READING, 0)).text()
        return ReadFile(self, path, handle)

    def _limits(self) -> tuple[int, int]:
        """Return how much one write and one read may carry."""
        if "limits@openssh.com" not in self._extensions:
            return PLAIN_BYTES, PLAIN_BYTES
        body = self._ask(_EXTENDED, _EXTENDED_REPLY, "limits", _text("limits@openssh.com"))
        _packet, read, write = body.long(), body.long(), body.long()
        return min(write or PLAIN_BYTES, LARGEST_BYTES), min(read or PLAIN_BYTES, LARGEST_BYTES)

    def _ask(self, kind: int, wanted: int, path: str, *parts: bytes) -> _Body:
        """Send one request and return its answer, which must be of the wanted kind; `OK` is one where it is a status."""
        number = self._send(kind, *parts)
        got_number, got, body = self._answer()
        if got_number != number:
            raise LinkBroken("an answer to nothing that was asked")
        if got == _STATUS:
            self._check(body, path, is_answer=wanted == _STATUS)
        elif got != wanted:
            raise LinkBroken(f"an answer of kind {got} instead of {wanted}")
        return body

    def _send(self, kind: int, *parts: bytes | memoryview) -> int:
        self._last = (self._last + 1) & 0xFFFFFFFF
        size = 5 + sum(len(part) for part in parts)
        self.link.send(struct.pack(">IBI", size, kind, self._last), *parts)
        return self._last

    def _answer(self) -> tuple[int, int, _Body]:
        kind, body = self._packet()
        return body.number(), kind, body

    def _packet(self) -> tuple[int, _Body]:
        (size,) = struct.unpack(">I", self.link.receive(4))
        if not 1 <= size <= MAX_PACKET_BYTES:
            raise LinkBroken("what answers does not speak SFTP")
        data = self.link.receive(size)
        return data[0], _Body(data, 1)

    @staticmethod
    def _check(body: _Body, path: str, *, is_answer: bool = True) -> None:
        code = body.number()
        words = body.text().decode("utf-8", "replace") if body.has_more() else ""
        if code != OK or not is_answer:
            raise SftpRefused(code, words, path)


class RemoteFile:
    """A new file; writes are under way until `close`."""

    def __init__(self, session: Sftp, path: str, handle: bytes) -> None:
        self._session = session
        self._path = path
        self._handle = _text(handle)
        self._rest = bytearray()
        self._under_way: set[int] = set()
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append bytes; small pieces are gathered."""
        at_once = self._session._write_bytes  # the file is a part of the session
        view = memoryview(data)
        if self._rest:
            missing = at_once - len(self._rest)
            self._rest += view[:missing]
            view = view[missing:]
            if len(self._rest) < at_once:
                return
            self._send(bytes(self._rest))
            self._rest.clear()
        while len(view) >= at_once:
            self._send(view[:at_once])
            view = view[at_once:]
        self._rest += view

    def close(self) -> int:
        """Make it durable where the server can, close it, and return its size as the server reports it."""
        session = self._session
        if self._rest:
            self._send(bytes(self._rest))
            self._rest.clear()
        while self._under_way:
            self._settle()
        if "fsync@openssh.com" in session._extensions:
            session._ask(_EXTENDED, _STATUS, self._path, _text("fsync@openssh.com"), self._handle)
        size = session._ask(_FSTAT, _ATTRS, self._path, self._handle).attributes().size
        session._ask(_CLOSE, _STATUS, self._path, self._handle)
        return size

    def _send(self, piece: bytes | memoryview) -> None:
        while len(self._under_way) >= MOST_REQUESTS:
            self._settle()
        place = struct.pack(">QI", self.size, len(piece))
        self._under_way.add(self._session._send(_WRITE, self._handle, place, piece))
        self.size += len(piece)

    def _settle(self) -> None:
        number, kind, body = self._session._answer()
        if kind != _STATUS or number not in self._under_way:
            raise LinkBroken("an answer to nothing that was asked")
        self._under_way.remove(number)
        self._session._check(body, self._path)


class ReadFile:
    """A file that is read from its beginning; requests run ahead of what is taken."""

    def __init__(self, session: Sftp, path: str, handle: bytes) -> None:
        self._session = session
        self._path = path
        self._handle = _text(handle)
        self.attributes = session._ask(_FSTAT, _ATTRS, path, self._handle).attributes()
        self._asked = 0
        self._under_way: deque[tuple[int, int, int]] = deque()
        self._answers: dict[int, bytes | None] = {}
        self._piece = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        if not self._piece:
            self._piece = memoryview(self._next())
        taken, self._piece = self._piece[:size], self._piece[size:]
        return bytes(taken)

    def close(self) -> None:
        """Wait for what is under way, and close it."""
        while self._under_way:
            number, _start, _size = self._under_way.popleft()
            self._wait_for(number)
        self._session._ask(_CLOSE, _STATUS, self._path, self._handle)

    def _next(self) -> bytes:
        at_once = self._session._read_bytes  # the file is a part of the session
        while len(self._under_way) < MOST_REQUESTS and self._asked < self.attributes.size:
            size = min(at_once, self.attributes.size - self._asked)
            self._ask_for(self._asked, size)
            self._asked += size
        if not self._under_way:
            return b""
        number, start, size = self._under_way.popleft()
        data = self._wait_for(number)
        if data is None:
            return b""  # it has become shorter; the digest tells
        if 0 < len(data) < size:
            self._ask_for(start + len(data), size - len(data))
            self._under_way.rotate(1)
        return data

    def _ask_for(self, start: int, size: int) -> None:
        number = self._session._send(_READ, self._handle, struct.pack(">QI", start, size))
        self._under_way.append((number, start, size))

    def _wait_for(self, number: int) -> bytes | None:
        """Return the answer to a read; None at the end of the file."""
        while number not in self._answers:
            got, kind, body = self._session._answer()
            if kind == _DATA:
                self._answers[got] = body.text()
            elif kind == _STATUS:
                self._must_be_the_end(body)
                self._answers[got] = None
            else:
                raise LinkBroken("an answer to nothing that was asked")
        return self._answers.pop(number)

    def _must_be_the_end(self, body: _Body) -> None:
        try:
            self._session._check(body, self._path, is_answer=False)
        except SftpRefused as error:
            if error.code != END_OF_FILE:
                raise


class _Body:
    """The fields of an answer, in order."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def has_more(self) -> bool:
        return self._at < len(self._data)

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def long(self) -> int:
        return int.from_bytes(self._take(8), "big")

    def text(self) -> bytes:
        return self._take(self.number())

    def pairs(self) -> Iterator[str]:
        while self.has_more():
            yield self.text().decode("utf-8", "replace")
            self.text()

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.long() if flags & _HAS_SIZE else 0
        if flags & _HAS_OWNER:
            self._take(8)
        mode = self.number() if flags & _HAS_MODE else 0
        modified_at = (self.number(), self.number())[1] if flags & _HAS_TIMES else 0
        if flags & _HAS_MORE:
            for _pair in range(self.number()):
                self.text(), self.text()
        return Attributes(size, mode, modified_at)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            _cut_short()
        taken = self._data[self._at : end]
        self._at = end
        return taken


def _cut_short() -> NoReturn:
    raise LinkBroken("an answer that is cut short")


def _text(value: str | bytes) -> bytes:
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return struct.pack(">I", len(data)) + data
