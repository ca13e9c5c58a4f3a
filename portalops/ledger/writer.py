"""The one connection of a process that writes to a ledger's file: each call is one durable transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

from portalops.errors import IntegrityError, LedgerError
from portalops.ledger import store_errors
from portalops.ledger.chain import bytes_of
from portalops.ledger.record import GENESIS, MAX_TEXT, Draft, NotARecord, encode, line_digest, parse
from portalops.ledger.stored_chain import differs
from portalops.ledger.stores import Decide, Latest, Take
from portalops.ledger.tables import BY_TIME, MAKE, SCHEMA_VERSION, UPGRADE
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.record import Digest, Record
from portalops.model.text import format_at
from portalops.model.values import dataclass
from portalops.ports import Clock
from portalops.registers.writers import BY_TWO

_REMEMBER = "INSERT INTO tail VALUES (1, ?1, ?2) ON CONFLICT (one) DO UPDATE SET size = ?1, head = ?2"


@dataclass(frozen=True, slots=True)
class _End:
    """The newest record, as far as the next one needs it."""

    seq: int
    at: datetime | None
    """None before the first record."""
    digest: Digest
    may_be_early: bool = False
    """`at` may be none to go by: it is of a kind that sets no time, or a line before it is later."""


_NOTHING = _End(0, None, GENESIS)


class LedgerWriter:
    """Appends to one file. What the driver and the system raise, it raises as our errors."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._end: _End | None = None
        self._seen = 0
        """SQLite's data version when `_end` was the newest record; it differs once another connection has written."""
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    def make_tables(self) -> None:
        """Make the tables, unless there are any, and an index that the file may lack."""
        with self._transaction():
            if self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
                for statement in MAKE:
                    self._connection.execute(statement)
            elif self._connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                self._connection.execute(BY_TIME)

    def append(
        self, drafts: Sequence[Draft], clock: Clock, latest: Latest, *, only_first: bool = False
    ) -> tuple[Record, ...]:
        """Append; with `only_first` nothing, where another process has begun the ledger. As `SqliteStore.append`."""
        with self._transaction():
            end = self._newest()
            if not drafts or (only_first and end.seq):
                return ()
            records, end = self._insert(drafts, clock, _timed(end, latest))
        self._end = end
        return records

    def append_decided(self, decide: Decide, clock: Clock, latest: Latest) -> tuple[Record, ...]:
        """Append what is decided while nobody else can; as `SqliteStore.append_decided`."""
        with self._transaction():
            end = self._newest()
            drafts = decide()
            if not drafts:
                return ()
            records, end = self._insert(drafts, clock, _timed(end, latest))
        self._end = end
        return records

    def append_behind_damage(self, decide: Decide, clock: Clock) -> tuple[Record, ...]:
        """Append behind a newest line that is no record, or not the one added last; as `SqliteStore.append_behind_damage`."""
        with self._transaction():
            end = self._read_damaged_end()
            records, end = self._insert(decide(), clock, end)
        self._end = end
        return records

    @contextmanager
    def taking(self) -> Iterator[Take]:
        """Add lines as they are; as `SqliteStore.taking`."""
        with self._transaction():
            end = self._newest()

            def take(first: int, lines: Sequence[bytes]) -> None:
                nonlocal end
                if end.seq != first - 1:
                    raise store_errors.does_not_follow(first)
                for line in lines:
                    record = parse_line(end.seq + 1, line)
                    if record.seq != end.seq + 1 or record.prev != end.digest:
                        raise store_errors.does_not_follow(end.seq + 1)
                    self._connection.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (record.seq, line))
                    end = _End(record.seq, record.at, line_digest(line))
                self._connection.execute(_REMEMBER, (end.seq, end.digest))

            yield take
        self._end = None

    def upgrade(self, draft: Callable[[int, Digest], Draft], clock: Clock) -> None:
        """Make version 2 of version 1; as `SqliteStore.upgrade`."""
        connection = self._connection
        with self._transaction():
            if connection.execute("PRAGMA user_version").fetchone()[0] != 1:
                return  # another process was first
            if (seq := differs(connection)) is not None:
                raise store_errors.not_upgraded(self._path, seq)
            end = self._newest()
            for statement in UPGRADE:
                connection.execute(statement)
            if end.seq:
                count = connection.execute("SELECT count(*) FROM record").fetchone()[0]
                _records, end = self._insert((draft(count, end.digest),), clock, end)
        self._end = end

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    def _insert(self, drafts: Sequence[Draft], clock: Clock, end: _End) -> tuple[tuple[Record, ...], _End]:
        records: list[Record] = []
        seq, at, prev = end.seq, end.at, end.digest
        for draft in drafts:
            now = clock.now()
            record = encoded(draft, seq + 1, now, prev)
            if at is not None and record.at < at and draft.kind not in BY_TWO:
                raise store_errors.clock_went_back(now, at)
            try:
                self._connection.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (record.seq, record.line))
            except sqlite3.IntegrityError as error:
                raise store_errors.already_recorded(record, error) from error
            seq, at, prev = record.seq, record.at, line_digest(record.line)
            records.append(record)
        self._connection.execute(_REMEMBER, (seq, prev))
        return tuple(records), _End(seq, at, prev, records[-1].kind in BY_TWO)

    def _newest(self) -> _End:
        """Return the chain's end: as it was left, if nobody else has written since, and otherwise looked at anew."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if self._end is None or version != self._seen:
            self._end = self._read_end()
            self._seen = version
        return self._end

    def _read_end(self) -> _End:
        row = self._connection.execute("SELECT seq, line FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        tail = self._connection.execute("SELECT size, head FROM tail WHERE one = 1").fetchone()
        if row is None and tail is None:
            return _NOTHING
        newest = parse_line(*row) if row else None
        if newest is None or tail is None or tail != (newest.seq, line_digest(newest.line)):
            raise store_errors.not_the_newest(row[0] if row else 0)
        return _End(newest.seq, newest.at, tail[1], newest.kind in BY_TWO or self._has_later(newest))

    def _has_later(self, newest: Record) -> bool:
        """Say whether a line may be of a later time."""
        (at,) = self._connection.execute("SELECT max(at) FROM record").fetchone()
        return str(at) > format_at(newest.at)

    def _read_damaged_end(self) -> _End:
        """Return the chain's end whatever stands there; its time is that of the newest line that is a record."""
        rows = self._connection.execute("SELECT seq, line FROM record ORDER BY seq DESC")
        end: tuple[int, Digest] | None = None
        for seq, line in rows:
            end = end or (seq, line_digest(bytes_of(line)))
            with suppress(NotARecord):
                return _End(end[0], parse(bytes_of(line)).at, end[1])
        return _End(end[0], None, end[1]) if end else _NOTHING

    def begin_transaction(self) -> None:
        """Wait until nobody else appends, and keep others from it."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise store_errors.translated(self._path, error) from error

    def end_transaction(self, error: BaseException | None) -> None:
        """Commit, durably, if there was no error; otherwise undo everything and raise the error as one of ours."""
        if error is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as raised:
                error = raised
        if error is None:
            return
        self._end = None
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise store_errors.translated(self._path, error) from error
        if isinstance(error, OSError):
            raise store_errors.not_writable(self._path, cause_of(error)) from error


def _timed(end: _End, latest: Latest) -> _End:
    """Return the chain's end with the time that no record may be before."""
    return replace(end, at=latest() or end.at) if end.may_be_early else end


class _Transaction:
    """A class, since the generator of a `contextmanager` costs an append more than the record's digest does."""

    __slots__ = ("_writer",)

    def __init__(self, writer: LedgerWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        self._writer.begin_transaction()

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> Literal[False]:
        self._writer.end_transaction(error)
        return False


def parse_line(seq: int, line: object) -> Record:
    """Read a stored line.

    Raises:
        IntegrityError: it is not a record.
    """
    try:
        return parse(bytes_of(line))  # as verification reads a line that is stored as text
    except NotARecord as error:
        raise IntegrityError(
            msg("record {seq} does not have the format that portalops writes", seq=seq),
            msg(
                "If a stranger wrote that line, two persons set it aside: portalops ledger quarantine (docs/stopped.md)."
            ),
        ) from error


def encoded(draft: Draft, seq: int, now: datetime, prev: Digest) -> Record:
    try:
        return encode(draft, seq=seq, at=now, prev=prev)
    except NotARecord as error:
        raise LedgerError(
            msg("the record cannot be written: {cause}", cause=str(error)),
            msg("Give ids and names without control characters, at most {limit} characters long.", limit=MAX_TEXT),
        ) from error
