"""The lines of a ledger's file as verification reads them: one consistent view, whatever is appended meanwhile."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from portalops.ledger.chain import ChainMark, ChainPart, Chunk, Tail
from portalops.ledger.record import Fields, NotARecord, line_digest, split
from portalops.ledger.tables import COLUMNS, RECORD, SCHEMA_VERSION
from portalops.model.record import Digest
from portalops.model.values import dataclass

WORTH_RECORDS = 200_000
"""From so many records on a second process checks some: with fewer, its start takes longer than it saves."""

MAX_VALUE_BYTES = 1 << 20
"""No value is read with others that is larger. A line is far shorter."""

MAX_SINGLE_BYTES = 1 << 26
"""Nor one by itself that is larger, so that a row of gigabytes costs no memory. What is read can be set aside, by its digest."""

_NO_BOUND = (1 << 63) - 1
"""The largest number that SQLite holds."""

_SPELT = (
    """'{"at":"' || at || '","body":"' || body || '","duty":"' || duty || '","kind":"' || kind || '","prev":"' || prev"""
    """ || '","run":"' || run || '","seq":' || seq || ',"subject":"' || subject || '","v":1}' = CAST(line AS TEXT)"""
)
"""Compares stored columns with the line inside SQLite, which is faster than fetching and splitting."""


class StoredChain:
    """All rows and the tail, in one read transaction."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, opened: Callable[[Path], AbstractContextManager[StoredChain]]
    ) -> None:
        self._connection = connection
        self._path, self._opened = path, opened
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        made_by = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'record'"
        ).fetchone()
        # In a table that is not exactly ours the columns may say anything, so they are compared with the lines.
        self.stores_columns = version != SCHEMA_VERSION or made_by != (RECORD,)
        """Queries are answered by what stands beside the lines, and not by the lines."""
        self._selected = f"seq, line, {', '.join(COLUMNS)}, {_SPELT}" if self.stores_columns else "seq, line"

    def tail(self) -> Tail | None:
        """Return what the tail table says, or None if nothing was ever recorded."""
        found = self._connection.execute("SELECT size, head FROM tail WHERE one = 1").fetchone()
        return Tail(found[0], Digest(found[1])) if found else None

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the lines of all rows in order, so many at a time; a line that is too large to be one is None."""
        yield from self.read_between(None, None, size)

    @contextmanager
    def parts(self, wanted: Collection[int]) -> Iterator[Iterator[ChainPart]]:
        """Yield the parts of a large ledger, some of them checked by a second process."""
        last = self._connection.execute("SELECT max(seq) FROM record").fetchone()[0]
        if self.stores_columns or not isinstance(last, int) or last < WORTH_RECORDS:
            yield iter((_Whole(self),))
            return
        from portalops.ledger.second_process import parts  # noqa: PLC0415  # multiprocessing, for large ledgers alone

        with parts(self._path, self._opened, self, last, wanted) as shared:
            yield shared

    def read_mark_before(self, seq: int) -> ChainMark | None:
        """Return the mark after a record, on trust; None if the line is not a record."""
        try:
            row = self._connection.execute("SELECT line FROM record WHERE seq = ?", (seq,)).fetchone()
        except sqlite3.DataError:  # too large to be one
            return None
        fields = _fields(row[0]) if row and isinstance(row[0], bytes) else None
        return ChainMark(seq, line_digest(row[0]), fields.at) if fields else None

    def read_between(self, after: int | None, last: int | None, size: int) -> Iterator[Chunk]:
        """Yield the lines behind one record up to another, so many at a time; None is the beginning, or the end."""
        done = 0
        # Not all tables that somebody else made anew have numbers to compare with.
        span = " AND ".join(
            [*([] if after is None else [f"seq > {after:d}"]), *([] if last is None else [f"seq <= {last:d}"])]
        )
        where = f"WHERE {span}" if span else ""
        try:
            cursor = self._connection.execute(f"SELECT {self._selected} FROM record {where} ORDER BY seq")  # noqa: S608
            while rows := cursor.fetchmany(size):
                yield self._chunk(rows)
                done += len(rows)
        except sqlite3.DataError:  # a value is too large
            for row in self._one_by_one(where, done):
                yield self._chunk((row,))

    def lines_of(self, kinds: Collection[str]) -> Iterator[tuple[object, object]]:
        """Yield place and line of the records that stand under some kinds, in order; a line that is too large is None."""
        marks = ", ".join("?" * len(kinds))
        where, done = f"WHERE kind IN ({marks})", 0
        try:
            statement = f"SELECT seq, line FROM record {where} ORDER BY seq"  # noqa: S608
            for seq, line in self._connection.execute(statement, tuple(kinds)):
                yield seq, line
                done += 1
        except sqlite3.DataError:  # a line is too large
            statement = f"SELECT seq, rowid FROM record {where} ORDER BY seq LIMIT -1 OFFSET {done:d}"  # noqa: S608
            for seq, rowid in self._connection.execute(statement, tuple(kinds)):
                try:
                    found = self._connection.execute("SELECT line FROM record WHERE rowid = ?", (rowid,)).fetchone()
                except sqlite3.DataError:
                    found = (None,)
                yield seq, found[0]

    def latest_first(self, after: int, last: int | None) -> Iterator[int]:
        """Yield the numbers of the lines behind one up to another, or to the end, by the time that each seems to have; the latest first."""
        # The signs keep SQLite from going by number and sorting: the index holds both values, and mostly the first one is enough.
        statement = "SELECT seq FROM record WHERE +seq > ? AND +seq <= ? ORDER BY at DESC"
        for (seq,) in self._connection.execute(statement, (after, _NO_BOUND if last is None else last)):
            if isinstance(seq, int):
                yield seq

    def misleading_indexes(self) -> Iterator[tuple[int, str]]:
        """Yield where an index would lead a query past a record: its place, or 0, and what SQLite says of it.

        The lines may be whole and an index made to hide one, so that reports miss it (sqlite.org, PRAGMA integrity_check).
        """
        try:
            for (text,) in self._connection.execute("PRAGMA integrity_check(record)"):
                if " index " in text:
                    found = _ROW.match(text)
                    yield int(found.group(1)) if found else 0, text
        except sqlite3.DataError:
            return  # a value is too large for any line, which the pass over the lines names

    def are_indexed(self, after: int) -> bool:
        """Say whether queries by kind and by run find every record behind one, in a time that grows with those alone."""
        try:
            return all(not self._connection.execute(each, (after,)).fetchone() for each in _HIDDEN)
        except (sqlite3.OperationalError, sqlite3.DataError):  # an index is gone, or a value is too large
            return False

    def _chunk(self, rows: Sequence[Sequence[object]]) -> Chunk:
        places, lines = list(zip(*rows, strict=True))[:2]
        if not self.stores_columns:
            return Chunk(lines, places)
        suspected = [at for at, row in enumerate(rows) if row[-1] != 1]
        return Chunk(lines, places, {at: names for at in suspected if (names := _differing(rows[at]))})

    def _one_by_one(self, where: str, skip: int) -> Iterator[Sequence[object]]:
        statement = f"SELECT rowid, seq FROM record {where} ORDER BY seq LIMIT -1 OFFSET ?"  # noqa: S608
        rowids = self._connection.execute(statement, (skip,))
        for rowid, seq in rowids:
            statement = f"SELECT {self._selected} FROM record WHERE rowid = ?"  # noqa: S608
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_SINGLE_BYTES)
            try:
                row = self._connection.execute(statement, (rowid,)).fetchone()
            except sqlite3.DataError:
                row = (seq, None, *(None for _name in COLUMNS), 1)
            finally:
                self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
            yield row


_HIDDEN = (
    "SELECT 1 FROM record r NOT INDEXED WHERE r.seq > ? AND NOT EXISTS"
    " (SELECT 1 FROM record i INDEXED BY record_kind WHERE i.kind = r.kind AND i.seq = r.seq) LIMIT 1",
    "SELECT 1 FROM record r NOT INDEXED WHERE r.seq > ? AND r.run <> '' AND NOT EXISTS"
    " (SELECT 1 FROM record i INDEXED BY record_run WHERE i.run = r.run AND i.run <> '' AND i.kind = r.kind"
    " AND i.seq = r.seq) LIMIT 1",
)
"""By index: a record that queries for its kind, or its run, would pass over."""

_ROW = re.compile(r"row (\d{1,18}) ")


@dataclass(frozen=True, slots=True)
class _Whole:
    chain: StoredChain
    read_partial_pass: None = None

    def chunks(self, size: int) -> Iterator[Chunk]:
        return self.chain.chunks(size)


def differs(connection: sqlite3.Connection) -> int | None:
    """Return the first row of version 1 whose columns are not what its line says, or whose line is no record."""
    statement = (
        f"SELECT seq, line, {', '.join(COLUMNS)} FROM record WHERE ({_SPELT}) IS NOT 1 OR typeof(line) <> 'blob'"  # noqa: S608
    )
    for row in connection.execute(f"{statement} ORDER BY seq"):
        if not isinstance(row[1], bytes) or _fields(row[1]) is None or _differing(row):
            return row[0] if isinstance(row[0], int) else 0
    return None


def _differing(row: Sequence[object]) -> tuple[str, ...]:
    """Name the columns that are not what the line says; none if the line cannot be read."""
    fields = _fields(row[1])
    if fields is None:
        return ()
    return tuple(name for name, held in zip(COLUMNS, row[2:], strict=False) if held != getattr(fields, name))


def _fields(line: object) -> Fields | None:
    data = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
    try:
        return split(data) if isinstance(data, bytes) else None
    except NotARecord:
        return None
