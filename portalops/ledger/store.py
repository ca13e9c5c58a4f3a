"""The records' table: SQLite, written by one transaction a record, opened read-only by readers.

The line is the truth; the columns beside it serve queries, and verification compares them with it. Two
triggers refuse to change or delete a record, which stops mistakes; that someone removed the triggers
is what the chain is there to show.

The standard library's driver is used, since `portalops status` may take 300 ms and importing
SQLAlchemy alone takes half of that.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from portalops.errors import IntegrityError, LedgerError, LedgerMissing
from portalops.ledger import store_errors
from portalops.ledger.chain import bytes_of
from portalops.ledger.record import Draft, NotARecord, split
from portalops.ledger.selection import IN_ORDER, Selection, TimeOrder
from portalops.ledger.stored_chain import StoredChain
from portalops.ledger.stores import NO_TIME, Decide, Latest, StoredLines, Take
from portalops.ledger.tables import APPLICATION_ID, READABLE, require_sqlite
from portalops.ledger.writer import LedgerWriter, parse_line
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.record import FINISHED, STARTED, Digest, Record
from portalops.model.text import format_at
from portalops.ports import Clock
from portalops.private_folder import make_private_file, make_private_folder

FILE_PLACE = "file"

WAIT_SECONDS = 30.0
"""How long an append waits for another process that is appending."""

_MIN_SEQ, _MAX_SEQ = -(2**63), 2**63 - 1
"""What SQLite can number rows with."""

_FRAME_ENDINGS = (f'{STARTED}","prev":"'.encode(), f'{FINISHED}","prev":"'.encode())
"""What only the lines of frame records hold: within a value the quotation marks would be escaped."""


class SqliteStore:
    """One ledger file.

    Every read opens the file anew and read-only, so that nothing is held between reads and an auditor
    without the right to write can look. Many reads in a row share one `view`. Appends keep one connection.
    """

    skew = timedelta()
    """Of one clock."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._writable = writable
        self._writer: LedgerWriter | None = None
        self._view: sqlite3.Connection | None = None
        self.find_set_aside: Callable[[StoredLines], Iterable[int]] = lambda _lines: ()
        """Returns the records that quarantines name; asked once there is a line that is no record, which is passed over then."""
        self._set_aside: frozenset[int] | None = None
        self._firsts: dict[str, int] = {}
        """In a view: the first seq from each time that was asked for."""

    @property
    def place(self) -> str:
        """Where it is, for the record of a move: a state folder may be moved or restored elsewhere, and stays the ledger's file."""
        return FILE_PLACE

    def taking(self) -> AbstractContextManager[Take]:
        """Take lines of another store as they are, in one durable transaction: all of them or, where the block raises, none.

        Raises:
            IntegrityError: one does not follow from the line before.
            LedgerError: the store holds no such line.
            LedgerFull: the disk is full or not writable.
        """
        return self._write_with().taking()

    def create(self) -> int:
        """Make the tables, if they are not there yet, and return their version.

        Raises:
            LedgerFull: the disk is full or not writable.
            LedgerError: the file is something else.
        """
        require_sqlite()
        self._write_with(create=True).make_tables()
        return self.check()

    def check(self) -> int:
        """Look whether the file is a ledger of a version that is understood, and return which.

        Raises:
            LedgerMissing: there is no file, or nothing in it.
            LedgerError: it cannot be read, the file is something else, or newer than this portalops.
        """
        require_sqlite()
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise store_errors.missing(self.path) from error
        except OSError as error:  # a folder that lets this account not in: nobody can say whether there is one
            raise store_errors.unreadable(self.path, cause_of(error)) from error
        with self._reading() as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if tables == 0:
            raise store_errors.missing(self.path)
        if application != APPLICATION_ID:
            raise store_errors.not_a_ledger(self.path)
        if version not in READABLE:
            raise store_errors.other_version(self.path, version)
        return int(version)

    def upgrade(self, draft: Callable[[int, Digest], Draft], clock: Clock) -> None:
        """Make the tables of this version out of those of version 1, and record that; all or nothing.

        Args:
            draft: given how many records there were and the digest of the newest line, returns what is recorded.
            clock: gives that record its time.

        Raises:
            IntegrityError: a line is not what stood beside it; nothing is changed.
            LedgerError: as for `append`; nothing is changed.
        """
        self._write_with().upgrade(draft, clock)

    def append(self, drafts: Sequence[Draft], clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]:
        """Append in one durable transaction: when this returns, the records survive a power cut.

        Raises:
            ClockWentBack: the clock is earlier than the newest record.
            RunAlreadyRecorded: one of the runs has a started or finished record already.
            IntegrityError: the newest record is not the one that the tail names.
            LedgerFull: the disk is full or not writable; nothing of this call is recorded.
            Locked: other processes kept appending for `WAIT_SECONDS`.
        """
        return self._write_with().append(drafts, clock, latest)

    def append_decided(self, decide: Decide, clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]:
        """Append what `decide` returns: nobody else appends between what it reads and what it decides.

        It may read the ledger and keep blobs; what it raises is raised, and nothing is appended. Raises as `append` does.
        """
        return self._write_with().append_decided(decide, clock, latest)

    def append_behind_damage(self, decide: Decide, clock: Clock) -> tuple[Record, ...]:
        """Append although the newest line is no record, or is not the one that was added last; raises as `append_decided` does.

        The chain goes on over the bytes of that line. What is appended may be before the time of the newest record.
        """
        self._set_aside = None
        return self._write_with().append_behind_damage(decide, clock)

    def begin(self, draft: Draft, clock: Clock) -> None:
        """Append the first record, unless another process has just done so; raises as `append` does."""
        self._write_with().append((draft,), clock, NO_TIME, only_first=True)

    @contextmanager
    def view(self) -> Iterator[None]:
        """Let all reads see the ledger as it is at this moment, over one connection; nothing may be appended meanwhile.

        Judging makes some forty reads, and to open the file for each takes longer than to read. A view within a view is the same.
        """
        if self._view is not None:
            yield
            return
        with self._opened() as connection:
            connection.execute("BEGIN")
            self._view = connection
            try:
                yield
            finally:
                self._view = None
                self._firsts.clear()

    @contextmanager
    def snapshot(self) -> Iterator[StoredChain]:
        """Open the chain as it is at this moment; what is appended meanwhile is not seen."""
        with self._opened() as connection:
            connection.execute("BEGIN")
            yield StoredChain(connection, self.path, open_snapshot)

    def records(self, selection: Selection) -> Iterator[Record]:
        """Yield records, read from their lines.

        Raises:
            IntegrityError: a line is not a record.
        """
        with self._reading() as connection:
            span = self._seqs_between(connection, selection.since, selection.until, selection.order)
            yielded, skipped = 0, False
            for seq, line in connection.execute(*_select(selection, span)):
                record = self._parsed(seq, line)
                if record is None:
                    skipped = True
                    continue
                yielded += 1
                yield record
            if selection.limit is not None and skipped:  # the statement counted lines that are no records
                rest = (
                    self._parsed(*row) for row in connection.execute(*_select(replace(selection, limit=None), span))
                )
                yield from islice((each for each in rest if each is not None), yielded, selection.limit)

    def kinds_under(self, kind: str) -> tuple[str, ...]:
        """Return the recorded kinds with this name or below it (name and a dot), each found by the index."""
        found: list[str] = []
        with self._reading() as connection:
            for first, high in ((kind, f"{kind}\0"), (f"{kind}.", f"{kind}/")):  # a slash is what follows a dot
                statement = "SELECT min(kind) FROM record WHERE kind >= ? AND kind < ?"
                low = first
                while (least := connection.execute(statement, (low, high)).fetchone()[0]) is not None:
                    found.append(str(least))
                    low = f"{least}\0"
        return tuple(found)

    def record(self, seq: int) -> Record | None:
        """Return one record, or None if there is none of that number."""
        with self._reading() as connection:
            row = connection.execute("SELECT seq, line FROM record WHERE seq = ?", (seq,)).fetchone()
        return self._parsed(*row) if row else None

    def frames(
        self, kinds: Collection[str] | None, since: datetime | None, until: datetime | None, order: TimeOrder = IN_ORDER
    ) -> Iterator[Record]:
        """Yield the started records of a span, each followed by its finished record, whenever that came.

        Args:
            kinds: kinds of runs without their ending, or None for all.
            since: started at or after.
            until: started before.
            order: how these moments are looked for.
        """
        where = [f"substr(s.kind, -{len(STARTED)}) = '{STARTED}'", "s.seq >= ?", "s.seq < ?"]
        started_kinds = [] if kinds is None else [f"{kind}{STARTED}" for kind in kinds]
        if kinds is not None:
            where.append(f"s.kind IN ({_marks(kinds)})")
        statement = (
            f"SELECT s.seq, s.line, f.seq, f.line FROM record s LEFT JOIN record f ON f.run = s.run AND f.run <> '' "  # noqa: S608
            f"AND f.kind = substr(s.kind, 1, length(s.kind) - {len(STARTED)}) || '{FINISHED}' "
            f"WHERE {' AND '.join(where)} ORDER BY s.seq"
        )
        with self._reading() as connection:
            parameters = [*self._seqs_between(connection, since, until, order), *started_kinds]
            for started_seq, started, finished_seq, finished in connection.execute(statement, parameters):
                if (record := self._parsed(started_seq, started)) is None:
                    continue
                yield record
                if finished is not None and (record := self._parsed(finished_seq, finished)) is not None:
                    yield record

    def frame_records(self) -> Iterator[Record]:
        """Yield all started and finished records, in order."""
        with self._reading() as connection:
            for seq, line in connection.execute("SELECT seq, line FROM record ORDER BY seq"):
                # Looking for an ending here is quicker than having the kind computed for every row.
                if any(ending in bytes_of(line) for ending in _FRAME_ENDINGS):
                    record = self._parsed(seq, line)
                    if record is not None:
                        yield record

    def bodies(self) -> Iterator[tuple[int, Digest]]:
        """Yield each blob that a record names, with the first record that names it."""
        with self._reading() as connection:
            for seq, body in connection.execute("SELECT min(seq), body FROM record GROUP BY body ORDER BY min(seq)"):
                yield seq, Digest(body)

    def count(self) -> int:
        """Return how many records there are."""
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM record").fetchone()[0])

    def has(self, run: str, kind: str) -> bool:
        """Say whether a run left a record of a kind."""
        with self._reading() as connection:
            statement = "SELECT 1 FROM record WHERE run = ? AND run <> '' AND kind = ? LIMIT 1"
            return connection.execute(statement, (run, kind)).fetchone() is not None

    def missing(self) -> LedgerMissing:
        """Return the error for a missing ledger."""
        return store_errors.missing(self.path)

    def run_ids(self, first: str) -> Iterator[str]:
        """Yield the runs whose ids are the given one, or continue it with a full stop."""
        # The solidus is the character after the full stop.
        statement = (
            "SELECT DISTINCT run FROM record WHERE run <> '' AND (run = ?1 OR run >= ?1 || '.' AND run < ?1 || '/')"
        )
        with self._reading() as connection:
            for (run,) in connection.execute(statement, (first,)):
                yield run

    def close(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_with(self, *, create: bool = False) -> LedgerWriter:
        if self._writer is not None:
            return self._writer
        if not self._writable:
            raise LedgerError(
                msg("the ledger {path} was opened for reading only", path=str(self.path)),
                msg("Run the command as the user that portalops runs as."),
            )
        try:
            if create:
                make_private_folder(self.path.parent)
                make_private_file(self.path)  # its log and its shared memory get its mode
            connection = _connect(self.path, "rwc" if create else "rw")
            try:
                self._writer = LedgerWriter(self.path, connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise store_errors.translated(self.path, error) from error
        except OSError as error:
            raise store_errors.not_writable(self.path, cause_of(error)) from error
        weakref.finalize(self, connection.close)  # Python 3.13 warns of a connection that is merely forgotten
        return self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._view is None:
            with self._opened() as connection:
                yield connection
            return
        try:
            yield self._view
        except sqlite3.Error as error:
            raise store_errors.translated(self.path, error) from error

    def _parsed(self, seq: int, line: bytes) -> Record | None:
        """Read a stored line; None if it is no record and was set aside."""
        try:
            return parse_line(seq, line)
        except IntegrityError:
            if self._is_set_aside(seq):
                return None
            raise

    def _is_set_aside(self, seq: int) -> bool:
        if self._set_aside is None:
            with self.snapshot() as snapshot:
                self._set_aside = frozenset(self.find_set_aside(snapshot))
        return seq in self._set_aside

    def _seqs_between(
        self,
        connection: sqlite3.Connection,
        since: datetime | None,
        until: datetime | None,
        order: TimeOrder = IN_ORDER,
    ) -> tuple[int, int]:
        """Return the first seq of a span of time, and the first after it; either end may be open."""
        first = _MIN_SEQ if since is None else self._first_from(connection, format_at(since), order)
        return first, _MAX_SEQ if until is None else self._first_from(connection, format_at(until), order)

    def _first_from(self, connection: sqlite3.Connection, at: str, order: TimeOrder) -> int:
        if connection is not self._view:
            return _first_from(connection, at, order)
        if at not in self._firsts:
            self._firsts[at] = _first_from(connection, at, order)
        return self._firsts[at]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._open_for_reading()) as connection:
                yield connection
        except sqlite3.Error as error:
            raise store_errors.translated(self.path, error) from error
        except OSError as error:
            raise store_errors.unreadable(self.path, cause_of(error)) from error

    def _open_for_reading(self) -> sqlite3.Connection:
        """Open read-only, also where the folder cannot be written.

        SQLite needs a shared-memory file beside a WAL database. Where it is not there and may not be
        made, nobody has the file open for writing, so it can be read as it stands (`immutable`).
        """
        if not self.path.exists():
            raise store_errors.missing(self.path)
        connection = _connect(self.path, "ro")
        try:
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            wal = self.path.with_name(f"{self.path.name}-wal")
            if wal.exists() and wal.stat().st_size > 0:
                raise
            return _connect(self.path, "ro&immutable=1")
        except BaseException:
            connection.close()
            raise
        return connection


def open_snapshot(path: Path) -> AbstractContextManager[StoredChain]:
    """Open the chain in a file as it is at this moment."""
    return SqliteStore(path, writable=False).snapshot()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # A forgotten connection is closed by whichever thread the garbage collector happens to run in.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_SECONDS, check_same_thread=False)
    connection.text_factory = _text  # text that somebody else put there may be none
    return connection


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _select(selection: Selection, span: tuple[int, int]) -> tuple[str, list[str | int]]:
    where = ["seq >= ?", "seq < ?"]
    parameters: list[str | int] = [*span]
    if selection.kinds is not None:
        where.append(f"kind IN ({_marks(selection.kinds)})")
        parameters += selection.kinds
    if selection.run is not None:
        where.append("run = ? AND run <> ''")
        parameters.append(selection.run)
    order = "DESC" if selection.newest_first else "ASC"
    statement = f"SELECT seq, line FROM record WHERE {' AND '.join(where)} ORDER BY seq {order}"  # noqa: S608
    if selection.limit is not None:
        statement += " LIMIT ?"
        parameters.append(selection.limit)
    return statement, parameters


def _first_from(connection: sqlite3.Connection, at: str, order: TimeOrder) -> int:
    """Return the first seq recorded at or after a time, so that halving finds it without an index.

    Times go back at mended clocks: all before one counts as recorded no later than that, so that they never do. By what
    is before its time elsewhere nothing is found.
    """
    newest = connection.execute("SELECT max(seq) FROM record").fetchone()[0]
    if not isinstance(newest, int):
        return 1  # an empty table, or one that was made anew with something else for numbers
    low, high = 1, newest + 1
    while low < high:
        middle = (low + high) // 2
        found = _readable_from(connection, middle, order.passed)
        if found is not None and min((found[1], *(mend for seq, mend in order.mended if seq > found[0]))) < at:
            low = found[0] + 1
        else:
            high = middle
    return low


def _readable_from(connection: sqlite3.Connection, seq: int, passed: Collection[int]) -> tuple[int, str] | None:
    """Return number and time of the first line from a number on that has a time to go by: a record, and none of those passed over."""
    statement = "SELECT seq, at, line FROM record WHERE seq >= ? ORDER BY seq LIMIT 1"
    while True:
        while seq in passed:  # many may stand in a row
            seq += 1
        row = connection.execute(statement, (seq,)).fetchone()
        if row is None:
            return None
        seq, at, line = row
        if seq not in passed:
            with suppress(NotARecord):
                split(bytes_of(line))
                return seq, str(at)
        seq += 1


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
