"""A look at a stream's bytes while they go by."""

from __future__ import annotations

from typing import Protocol

from portalops.model.backups import StreamMember, TableRows
from portalops.ports import Hash, StreamWriter


class Counter(Protocol):
    """Takes the bytes of a stream, in order."""

    def take(self, piece: bytes) -> None:
        """Take the next bytes in."""
        ...


class CountingWriter:
    """A `ports.StreamWriter` that passes everything on, and counts."""

    def __init__(self, out: StreamWriter, counter: Counter) -> None:
        self._out = out
        self._counter = counter
        self._room = memoryview(b"")

    @property
    def position(self) -> int:
        return self._out.position

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._counter.take(bytes(data))
        self._out.write(data)

    def room(self) -> memoryview:
        self._room = self._out.room()
        return self._room

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        self._counter.take(bytes(self._room[:count]))
        self._out.filled(count, content=content)

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        self._out.add_member(member, content=content)

    def add_unread(self, line: str) -> None:
        self._out.add_unread(line)

    def add_changed(self, line: str) -> None:
        self._out.add_changed(line)

    def add_skipped(self, line: str) -> None:
        self._out.add_skipped(line)

    def add_gone(self, line: str) -> None:
        self._out.add_gone(line)

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        self._out.add_unchanged(members, plain_bytes)

    def add_rows(self, rows: TableRows) -> None:
        self._out.add_rows(rows)
