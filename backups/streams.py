"""What a source writes into: its streams, their indexes, and what is to be said of them."""

from __future__ import annotations

import hashlib
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from backups.index import line_of
from backups.packing import SetPacker, new_compressor
from backups.shrink import Unchanged
from backups.tar import TAR
from portalops.model.backups import Pack, Stream, StreamMember, TableRows
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Hash, Source

MAX_NAMED = 1000
"""Lines of unread, changed or skipped paths that are kept; more are counted."""
_INDEX_IN_MEMORY_BYTES = 4 << 20


class SourceStreams:
    """Opens the streams of one source, and keeps what became of them."""

    def __init__(
        self, packer: SetPacker, source: Source, *, base: Path | None = None, listing: Path | None = None
    ) -> None:
        """Begin.

        Args:
            packer: takes the streams.
            source: whose streams they are.
            base: the source's listing of the base, in a differential set.
            listing: where it writes a new one, in a full set.
        """
        self._packer = packer
        self._source = source
        self.base = base
        self.listing = listing
        self.streams: list[Stream] = []
        self.unchanged: dict[str, Unchanged] = {}
        """What differential streams left out because the base has it, by name."""

    @contextmanager
    def stream(
        self,
        name: str,
        *,
        format: str,  # noqa: A002  # the port's word
        differential: bool = False,
    ) -> Iterator[PackedStream]:
        stream = PackedStream(self._packer, self._source, name, format, is_differential=differential)
        try:
            yield stream
            self.streams.append(stream.finish())
            self.unchanged[name] = stream.unchanged
        except BaseException:  # an interrupt too: its packs are taken back
            stream.drop()
            raise

    def drop(self) -> None:
        """Remove all streams of the source again, and what it noted for a later differential."""
        if self.listing is not None:
            self.listing.unlink(missing_ok=True)
        paths = [
            pack.path
            for stream in self.streams
            for pack in (*stream.packs, *([stream.index] if stream.index is not None else []))
        ]
        self._packer.discard(paths)
        self.streams.clear()


@dataclass(slots=True)
class _Waiting:
    """A member whose line waits for its digest, or for the lines before it."""

    member: StreamMember
    content: Hash | None
    hashed: Future[None] | None
    """Done when all of the content was taken in; None while some of it is in the buffer that is being filled."""


class PackedStream:
    """One stream under way: a `portalops.ports.StreamWriter`."""

    def __init__(
        self, packer: SetPacker, source: Source, name: str, format_name: str, *, is_differential: bool = False
    ) -> None:
        self._packer = packer
        self._source, self._name, self._format = source, name, format_name
        self._is_differential = is_differential
        self._stem = f"data/{source.data_class.value}/{source.id}/{name}"
        self._buffer: bytearray | None = packer.buffer()
        self._used = 0
        self._flushed = 0
        self._is_in_pack = False
        self._packs: list[Future[Pack]] = []
        self._paths: list[str] = []
        self._digest = None if format_name == TAR else hashlib.sha256()
        """Of a dump; the files in a tar have their own."""
        self._hashed: Future[None] = Future()
        """Done when all that was handed on is digested; there is always a last buffer."""
        self._contents: list[tuple[Hash, int, int]] = []
        """Pieces of the buffer that belong to members' contents."""
        self._waiting: deque[_Waiting] = deque()
        self._index: _IndexSpool | None = None
        self._members = 0
        self._notes: dict[str, _Notes] = {name: _Notes() for name in ("unread", "changed", "skipped", "gone")}
        self._rows: list[TableRows] = []
        self.unchanged = Unchanged()

    @property
    def position(self) -> int:
        return self._flushed + self._used

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        size = len(data)
        end = self._used + size
        if end <= self._packer.frame_bytes and self._buffer is not None:  # nearly always
            self._buffer[self._used : end] = data
            self._used = end
            return
        rest = memoryview(data)
        while rest:
            room = self.room()
            taken = min(len(room), len(rest))
            room[:taken] = rest[:taken]
            self._used += taken
            rest = rest[taken:]

    def room(self) -> memoryview:
        if self._used == self._packer.frame_bytes:
            self._flush()
        assert self._buffer is not None
        return memoryview(self._buffer)[self._used :]

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        if content is not None:
            self._contents.append((content, self._used, self._used + count))
        self._used += count

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        self._members += 1
        if content is None and not self._waiting:  # nearly always
            self._add_line(member)
        else:
            self._waiting.append(_Waiting(member, content, None))

    def add_unread(self, line: str) -> None:
        self._notes["unread"].add(line)

    def add_changed(self, line: str) -> None:
        self._notes["changed"].add(line)

    def add_skipped(self, line: str) -> None:
        self._notes["skipped"].add(line)

    def add_gone(self, line: str) -> None:
        self._notes["gone"].add(line)

    def add_rows(self, rows: TableRows) -> None:
        self._rows.append(rows)

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        self.unchanged = Unchanged(self.unchanged.members + members, self.unchanged.plain_bytes + plain_bytes)

    def finish(self) -> Stream:
        """Write what is left, and return what the stream is."""
        if self._used or not self._paths:
            self._flush(last=True)
        if self._is_in_pack:
            self._end_pack()
        self._release()
        self._packer.result(self._hashed)
        plain_sha256 = None if self._digest is None else Digest(self._digest.hexdigest())
        self._add_lines(None)
        index = self._finish_index()
        return Stream(
            source=self._source.id,
            kind=self._source.kind,
            data_class=self._source.data_class,
            name=self._name,
            format=self._format,
            members=self._members if self._index is not None or self._format == TAR else 1,
            plain_bytes=self._flushed,
            plain_sha256=plain_sha256,
            packs=tuple(self._packer.result(made) for made in self._packs),
            index=None if index is None else self._packer.result(index),
            unread=self._notes["unread"].lines(),
            changed=self._notes["changed"].lines(),
            skipped=self._notes["skipped"].lines(),
            gone=self._notes["gone"].lines(),
            rows=tuple(self._rows),
            differential=self._is_differential,
        )

    def drop(self) -> None:
        """Take back everything that was written of the stream."""
        self._release()
        self._packer.discard(self._paths)
        if self._index is not None:
            self._index.close()

    def _flush(self, *, last: bool = False) -> None:
        assert self._buffer is not None
        if not self._is_in_pack:
            self._paths.append(f"{self._stem}.{len(self._packs) + 1:04d}.age")
            self._is_in_pack = True
        hashes = self._contents if self._digest is None else [(self._digest, 0, self._used), *self._contents]
        hashed = self._hashed = self._packer.submit(self._paths[-1], self._buffer, self._used, hashes)
        self._contents = []
        self._add_lines(hashed)
        self._packer.on_bytes(self._used)
        self._flushed += self._used
        self._used = 0
        self._buffer = None
        if self._flushed % self._packer.pack_bytes == 0 and self._flushed:
            self._end_pack()
        if not last:
            self._buffer = self._packer.buffer()

    def _end_pack(self) -> None:
        held = self._flushed - (len(self._packs) * self._packer.pack_bytes)
        self._packs.append(self._packer.end_pack(self._paths[-1], held))
        self._is_in_pack = False

    def _add_line(self, member: StreamMember) -> None:
        if self._index is None:
            self._index = _IndexSpool(self._packer)
        self._index.add(line_of(member, pack=member.offset // self._packer.pack_bytes + 1))

    def _add_lines(self, hashed: Future[None] | None) -> None:
        """Add the lines that waited for what is hashed by now; None says that all is.

        Those left wait for `hashed` at the latest.
        """
        for each in self._waiting:
            each.hashed = each.hashed or hashed
        while self._waiting:
            first = self._waiting[0]
            if first.content is not None:
                if hashed is not None and not (first.hashed is not None and first.hashed.done()):
                    return
                first.member = replace(first.member, sha256=Digest(first.content.hexdigest()))
            self._waiting.popleft()
            self._add_line(first.member)

    def _finish_index(self) -> Future[Pack] | None:
        if self._index is None:
            return None
        path = f"{self._stem}.index.age"
        self._paths.append(path)
        return self._packer.add_index(path, *self._index.finish())

    def _release(self) -> None:
        if self._buffer is not None:
            self._packer.give_back(self._buffer)
            self._buffer = None


class _Notes:
    """Lines for people: bounded and escaped, the rest counted."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = 0

    def add(self, line: str) -> None:
        if len(self._lines) < MAX_NAMED:
            self._lines.append(show_text(line, 500))
        else:
            self._more += 1

    def lines(self) -> tuple[str, ...]:
        return (*self._lines, f"... and {self._more} more") if self._more else tuple(self._lines)


class _IndexSpool:
    """An index on its way: compressed and encrypted at once, so that no list of names lies about in clear."""

    def __init__(self, packer: SetPacker) -> None:
        self._encryptor = packer.encryptor()
        self._compressor = new_compressor()
        self._spool = tempfile.SpooledTemporaryFile(_INDEX_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by the assembler
        self._plain_bytes = 0
        self._lines = bytearray()

    def add(self, line: bytes) -> None:
        self._lines += line
        if len(self._lines) >= 1 << 18:
            self._write()

    def finish(self) -> tuple[IO[bytes], int]:
        self._write()
        self._spool.write(self._encryptor.update(self._compressor.flush()))
        self._spool.write(self._encryptor.finish())
        self._spool.seek(0)
        return self._spool, self._plain_bytes

    def close(self) -> None:
        self._spool.close()

    def _write(self) -> None:
        self._plain_bytes += len(self._lines)
        self._spool.write(self._encryptor.update(self._compressor.compress(self._lines)))
        self._lines = bytearray()
