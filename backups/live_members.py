"""What a source would yield now, as members without their bytes: it reads everything, and only digests are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from backups.member_table import MemberTable
from portalops.model.backups import StreamMember, TableRows
from portalops.model.record import Digest
from portalops.ports import Hash

_BUFFER_BYTES = 1 << 20
_BATCH = 1000


@dataclass(slots=True)
class LiveMembers:
    """A `StreamOpener` that puts the members of one stream into a table, and lets all else go."""

    table: MemberTable
    part: int
    name: str
    base: Path | None = None
    listing: Path | None = None
    unread: list[str] = field(default_factory=list)
    """What could not be read, or changed while it was read."""
    is_there: bool = False
    """The source has such a stream."""

    @contextmanager
    def stream(self, name: str, *, format: str, differential: bool = False) -> Iterator[_LiveStream]:  # noqa: A002  # the port's word
        del format, differential
        self.is_there = self.is_there or name == self.name
        stream = _LiveStream(self, is_kept=name == self.name)
        yield stream
        stream.flush()


class _LiveStream:
    """A `StreamWriter` that keeps members and no bytes."""

    def __init__(self, opener: LiveMembers, *, is_kept: bool) -> None:
        self._opener = opener
        self._is_kept = is_kept
        self._buffer = bytearray(_BUFFER_BYTES)
        self._members: list[StreamMember] = []
        self.position = 0

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self.position += len(data)

    def room(self) -> memoryview:
        return memoryview(self._buffer)

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        self.position += count
        if content is not None:
            content.update(memoryview(self._buffer)[:count])

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        if not self._is_kept:
            return
        self._members.append(member if content is None else replace(member, sha256=Digest(content.hexdigest())))
        if len(self._members) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Put into the table what waits."""
        self._opener.table.add(self._opener.part, self._members)
        self._members.clear()

    def add_unread(self, line: str) -> None:
        self._opener.unread.append(line)

    def add_changed(self, line: str) -> None:
        self._opener.unread.append(line)

    def add_skipped(self, line: str) -> None:
        """Leave it out: what is left out of sets on purpose is in none."""

    def add_gone(self, line: str) -> None:
        """Leave it out: what is gone is no part of the live files any more."""

    def add_rows(self, rows: TableRows) -> None:
        """Leave it out: tables have no members."""

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        """Leave it out: no base is given."""
