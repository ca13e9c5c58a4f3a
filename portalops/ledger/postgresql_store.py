"""The records' table in a PostgreSQL database: for a team, whose members and workers append from several machines.

The methods are those of `SqliteStore`; nothing above the store knows which one it is. Appends are one transaction that
holds the row of `tail`, durable when they return if the server is (`synchronous_commit`). An append whose connection broke while it was
committed is looked for afterwards by its line, so it is never done twice and never said to have failed if it did not.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus

from portalops.errors import LedgerError, LedgerMissing
from portalops.ledger import postgresql_errors as said
from portalops.ledger import store_errors
from portalops.ledger.postgresql_chain import PostgresqlChain
from portalops.ledger.postgresql_rules import SKEW
from portalops.ledger.postgresql_server import ServerState, read_server
from portalops.ledger.postgresql_tables import AT, IS_OLDER, MAKE, READABLE, SCHEMA, SCHEMA_VERSION, UPGRADE
from portalops.ledger.record import GENESIS, Draft, NotARecord, line_digest, parse
from portalops.ledger.selection import IN_ORDER, Selection, TimeOrder
from portalops.ledger.stores import NO_TIME, Decide, Latest, StoredLines, Take
from portalops.ledger.writer import encoded, parse_line
from portalops.model.record import FINISHED, STARTED, Digest, Record
from portalops.model.text import format_at
from portalops.ports import Clock
from portalops.registers.writers import BY_TWO

MOST_IDLE = 8
"""Idle connections kept for the next caller."""

MOST = 16
"""Connections that the threads of a process have at once; the next one waits, since a server takes only so many (`max_connections`)."""

SERVER_BACK_SECONDS = 60
"""How long a server that was there before is waited for, such as while it is started anew."""

_RETRY_SECONDS = 0.5

_TIMES = 3
"""How often what may be done twice is tried: a connection may be about to break that does not look so yet."""

_FETCHED = 2_000
"""Rows that a reading cursor fetches at once."""

DoneT = TypeVar("DoneT")

_OF_TABLE = f"{SCHEMA}.record"

_NEWEST = (
    f"SELECT r.seq, r.line, t.size, t.head, (SELECT max({AT}) FROM {_OF_TABLE}) FROM {SCHEMA}.tail t FULL JOIN"
    f" (SELECT seq, line FROM {_OF_TABLE} ORDER BY seq DESC LIMIT 1) r ON true"
)
"""Also the latest time of all lines, by its index."""


_HOLD_TAIL = f"SELECT {SCHEMA}.hold_tail()"
"""Waits until nobody else appends, and keeps others from it until the transaction ends."""

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its errors come as exceptions, not as lines


class PostgresqlStore:
    """One ledger in one database."""

    skew = SKEW

    def __init__(self, connect: Callable[[], psycopg.Connection], place: str, *, writable: bool) -> None:
        """Take how to connect, as the person's own account, and what the database is called for people, without a secret."""
        self.place = place
        self.connections = Connections(connect, place)
        self._writable = writable
        self.find_set_aside: Callable[[StoredLines], Iterable[int]] = lambda _lines: ()
        """Not asked: the database refuses lines that are no records."""
        weakref.finalize(self, self.connections.close)

    def create(self) -> int:
        """Look whether the tables are there; who appends may not make them."""
        return self.check()

    def prepare(self) -> bool:
        """Make the tables, or upgrade those that are older, in one transaction and as their owner; say whether anything was done."""
        try:
            return self._prepare()
        except (pg.UniqueViolation, LedgerError) as error:
            if not isinstance(error.__cause__ or error, (pg.UniqueViolation, pg.DuplicateTable, pg.DuplicateSchema)):
                raise
            return self._prepare()  # another process made them meanwhile

    def _prepare(self) -> bool:
        with self.connections.used() as connection, connection.transaction():
            if connection.execute("SELECT to_regclass(%s)", (_OF_TABLE,)).fetchone() == (None,):
                statements = MAKE
            else:
                connection.execute(f"LOCK TABLE {SCHEMA}.about IN EXCLUSIVE MODE")  # another may be upgrading
                found = connection.execute(f"SELECT {IS_OLDER} FROM {SCHEMA}.about").fetchone()
                statements = UPGRADE if found == (True,) else ()
            for statement in statements:
                connection.execute(statement)
            return bool(statements)

    def check(self) -> int:
        """Look whether the tables are of a version that is understood, and return which."""
        with self.connections.used() as connection:
            try:
                found = connection.execute(f"SELECT format FROM {SCHEMA}.about").fetchone()
            except (pg.UndefinedTable, pg.InvalidSchemaName) as error:
                raise said.unprepared(self.place) from error
        if found is None or found[0] not in READABLE:
            raise said.other_version(self.place, found[0] if found else None)
        if found[0] != SCHEMA_VERSION and self._writable:
            raise said.older_version(self.place, found[0])
        return int(found[0])

    def server(self) -> ServerState:
        """Ask what the server and this account are like."""
        with self.connections.used() as connection:
            return read_server(connection)

    def append(self, drafts: Sequence[Draft], clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]:
        """As `SqliteStore.append`."""
        return self._append(lambda: drafts, clock, latest)

    def append_decided(self, decide: Decide, clock: Clock, latest: Latest = NO_TIME) -> tuple[Record, ...]:
        """As `SqliteStore.append_decided`."""
        return self._append(decide, clock, latest)

    @contextmanager
    def taking(self) -> Iterator[Take]:
        """As `SqliteStore.taking`."""
        with self.connections.used() as connection, connection.transaction():

            def take(first: int, lines: Sequence[bytes]) -> None:
                texts = [_require_record(first + at, line).decode() for at, line in enumerate(lines)]
                try:
                    connection.execute(f"SELECT {SCHEMA}.bring(%s, %s)", (first, texts))
                except pg.UniqueViolation as error:
                    raise said.not_written(first, error) from error
                except psycopg.Error as error:
                    raise said.not_taken(self.place, error) from error

            yield take

    def append_behind_damage(self, decide: Decide, clock: Clock) -> tuple[Record, ...]:
        """Append: the database refuses lines that are no records, so there is no such damage."""
        return self._append(decide, clock, NO_TIME)

    def begin(self, draft: Draft, clock: Clock) -> None:
        """As `SqliteStore.begin`."""
        self._append(lambda: (draft,), clock, NO_TIME, only_first=True)

    def upgrade(self, draft: Callable[[int, Digest], Draft], clock: Clock) -> None:
        """Do nothing: the owner upgrades the tables, by `prepare`."""

    def _append(self, decide: Decide, clock: Clock, latest: Latest, *, only_first: bool = False) -> tuple[Record, ...]:
        if not self._writable:
            raise said.reading_only(self.place)
        records: tuple[Record, ...] = ()
        committing = False
        try:
            with self.connections.used() as connection:
                with connection.pipeline():  # one trip to the server
                    connection.execute("BEGIN")
                    connection.execute(_HOLD_TAIL)
                    row = connection.execute(_NEWEST).fetchone()
                newest = self._newest(row)
                if only_first and newest is not None:
                    connection.execute("ROLLBACK")
                    return ()
                is_early = newest is not None and row is not None and str(row[4]) > format_at(newest.at)
                found = latest() if newest is not None and (newest.kind in BY_TWO or is_early) else None
                # The database takes nothing earlier than the newest record, whatever that is.
                floor = max((each for each in (found, newest and newest.at) if each), default=None)
                records = _placed(decide(), clock, newest, floor)
                committing = bool(records)
                with connection.pipeline():
                    if records:
                        lines = [record.line.decode() for record in records]
                        connection.execute(f"SELECT {SCHEMA}.append(%s, %s)", (records[0].seq, lines))
                    connection.execute("COMMIT")
        except pg.UniqueViolation as error:
            raise said.already_recorded(records, error) from error
        except LedgerError as error:
            if committing and isinstance(error.__cause__, psycopg.OperationalError) and self._are_there(records):
                return records
            raise
        return records

    @staticmethod
    def _newest(row: tuple[int | None, str | None, int | None, str | None, str | None] | None) -> Record | None:
        """Return the newest record, once it is seen to be the one that the tail names."""
        if row is None:
            return None
        seq, line, size, head, _latest = row
        if line is None and size == 0:
            return None
        newest = parse_line(seq or 0, line.encode()) if line is not None else None
        if newest is None or (size, head) != (newest.seq, line_digest(newest.line)):
            raise store_errors.not_the_newest(seq or 0)
        return newest

    def _are_there(self, records: Sequence[Record]) -> bool:
        """Say whether records were committed by a connection that broke before it said so.

        The server may still be at that commit. Its transaction holds the tail, so the next holder knows how it ended.
        """
        with self.connections.used() as connection, connection.transaction():
            connection.execute(_HOLD_TAIL)
            seqs = [record.seq for record in records]
            rows = connection.execute(f"SELECT seq, line FROM {_OF_TABLE} WHERE seq = ANY(%s)", (seqs,)).fetchall()
        return dict(rows) == {record.seq: record.line.decode() for record in records}

    def view(self) -> AbstractContextManager[None]:
        """Do nothing: connections are kept from one read to the next anyway, and each read sees what was there when it began."""
        return nullcontext()

    @contextmanager
    def snapshot(self) -> Iterator[PostgresqlChain]:
        """As `SqliteStore.snapshot`."""
        with self.connections.used() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield PostgresqlChain(connection)
            finally:
                if connection.info.transaction_status is not TransactionStatus.UNKNOWN:
                    connection.execute("ROLLBACK")

    def records(self, selection: Selection) -> Iterator[Record]:
        """As `SqliteStore.records`."""
        first, end = self._seqs_between(selection.since, selection.until, selection.order)
        where, parameters = ["seq >= %s", "seq < %s"], [first, end]
        values: list[object] = [*parameters]
        if selection.kinds is not None:
            where.append("kind = ANY(%s)")
            values.append(list(selection.kinds))
        if selection.run is not None:
            where.append("run = %s AND run <> ''")
            values.append(selection.run)
        order = "DESC" if selection.newest_first else "ASC"
        statement = f"SELECT seq, line FROM {_OF_TABLE} WHERE {' AND '.join(where)} ORDER BY seq {order}"
        if selection.limit is not None:
            statement += " LIMIT %s"
            values.append(selection.limit)
        for seq, line in self._rows(statement, values):
            yield parse_line(seq, line.encode())

    def kinds_under(self, kind: str) -> tuple[str, ...]:
        """As `SqliteStore.kinds_under`."""
        statement = (
            f"WITH RECURSIVE step(kind) AS ((SELECT min(kind) FROM {_OF_TABLE} WHERE kind >= %(low)s)"
            f" UNION ALL SELECT (SELECT min(r.kind) FROM {_OF_TABLE} r WHERE r.kind > step.kind) FROM step"
            " WHERE step.kind < %(high)s) SELECT kind FROM step WHERE kind = %(low)s OR kind LIKE %(under)s"
        )
        rows = self._rows(statement, {"low": kind, "high": f"{kind}/", "under": f"{kind}.%"})
        return tuple(found for (found,) in rows)

    def record(self, seq: int) -> Record | None:
        """As `SqliteStore.record`."""
        rows = self._few(f"SELECT seq, line FROM {_OF_TABLE} WHERE seq = %s", (seq,))
        return parse_line(rows[0][0], rows[0][1].encode()) if rows else None

    def frames(
        self, kinds: Collection[str] | None, since: datetime | None, until: datetime | None, order: TimeOrder = IN_ORDER
    ) -> Iterator[Record]:
        """As `SqliteStore.frames`."""
        first, end = self._seqs_between(since, until, order)
        where, values = ["s.kind LIKE %s", "s.seq >= %s", "s.seq < %s"], [f"%{STARTED}", first, end]
        parameters: list[object] = [*values]
        if kinds is not None:
            where.append("s.kind = ANY(%s)")
            parameters.append([f"{kind}{STARTED}" for kind in kinds])
        statement = (
            f"SELECT s.seq, s.line, f.seq, f.line FROM {_OF_TABLE} s LEFT JOIN {_OF_TABLE} f ON f.run = s.run AND f.run <> ''"
            f" AND f.kind = left(s.kind, -{len(STARTED)}) || '{FINISHED}' WHERE {' AND '.join(where)} ORDER BY s.seq"
        )
        for started_seq, started, finished_seq, finished in self._rows(statement, parameters):
            yield parse_line(started_seq, started.encode())
            if finished is not None:
                yield parse_line(finished_seq, finished.encode())

    def frame_records(self) -> Iterator[Record]:
        """As `SqliteStore.frame_records`."""
        statement = f"SELECT seq, line FROM {_OF_TABLE} WHERE kind LIKE %s OR kind LIKE %s ORDER BY seq"
        for seq, line in self._rows(statement, (f"%{STARTED}", f"%{FINISHED}")):
            yield parse_line(seq, line.encode())

    def bodies(self) -> Iterator[tuple[int, Digest]]:
        """As `SqliteStore.bodies`."""
        for seq, body in self._rows(f"SELECT min(seq), body FROM {_OF_TABLE} GROUP BY body ORDER BY min(seq)", ()):
            yield seq, Digest(body)

    def count(self) -> int:
        """As `SqliteStore.count`: the tail tells it, since counting rows takes PostgreSQL as long as reading them."""
        rows = self._few(f"SELECT size FROM {SCHEMA}.tail", ())
        return int(rows[0][0]) if rows else 0

    def has(self, run: str, kind: str) -> bool:
        """As `SqliteStore.has`."""
        statement = f"SELECT 1 FROM {_OF_TABLE} WHERE run = %s AND run <> '' AND kind = %s LIMIT 1"
        return bool(self._few(statement, (run, kind)))

    def run_ids(self, first: str) -> Iterator[str]:
        """As `SqliteStore.run_ids`."""
        statement = f"SELECT DISTINCT run FROM {_OF_TABLE} WHERE run <> '' AND (run = %(first)s OR run >= %(first)s || '.' AND run < %(first)s || '/')"
        return (run for (run,) in self._few(statement, {"first": first}))

    def missing(self) -> LedgerMissing:
        """Return the error for a missing ledger."""
        return said.missing(self.place)

    def close(self) -> None:
        """Let go of the connections."""
        self.connections.close()

    def _few(self, statement: str, values: Sequence[object] | Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return rows of which there are few, by one trip to the server."""
        return self.connections.again(lambda connection: connection.execute(statement, values).fetchall())

    def _rows(self, statement: str, values: Sequence[object] | Mapping[str, object]) -> Iterator[tuple[Any, ...]]:
        """Yield rows as they come; the connection is nobody else's until the last row, or until the reader stops."""
        with self.connections.used() as connection:
            connection.execute("BEGIN READ ONLY")
            try:
                with connection.cursor(name="rows") as cursor:
                    cursor.itersize = _FETCHED
                    cursor.execute(statement, values)
                    yield from cursor
            finally:
                if connection.info.transaction_status is not TransactionStatus.UNKNOWN:
                    connection.execute("ROLLBACK")

    def _seqs_between(self, since: datetime | None, until: datetime | None, order: TimeOrder) -> tuple[int, int]:
        first = 1 if since is None else self._first_from(format_at(since), order)
        return first, 2**63 - 1 if until is None else self._first_from(format_at(until), order)

    def _first_from(self, at: str, order: TimeOrder) -> int:
        """As `store._first_from`."""
        statement = (
            "WITH RECURSIVE half(low, high) AS (SELECT 1::bigint, coalesce((SELECT size FROM portalops.tail), 0) + 1 UNION ALL"
            " SELECT CASE WHEN found.at < %(at)s THEN found.seq + 1 ELSE low END, CASE WHEN found.at < %(at)s THEN high ELSE middle END"
            " FROM half, LATERAL (SELECT (low + high) / 2 AS middle) m LEFT JOIN LATERAL"
            f' (SELECT seq, least(substr(line, 8, 24), (SELECT min(each.at COLLATE "C") FROM unnest(%(mended)s::bigint[], %(ats)s::text[])'
            f" AS each(seq, at) WHERE each.seq > record.seq)) AS at FROM {_OF_TABLE} WHERE seq >= middle AND seq <> ALL(%(passed)s::bigint[])"
            " ORDER BY seq LIMIT 1) found ON true WHERE low < high) SELECT max(low) FROM half"
        )
        values = {
            "at": at,
            "mended": [seq for seq, _at in order.mended],
            "ats": [each for _seq, each in order.mended],
            "passed": list(order.passed),
        }
        with self.connections.used() as connection:
            row = connection.execute(statement, values).fetchone()
        return int(row[0]) if row else 1


class Connections:
    """Open connections that are idle, for the next caller: opening one takes a server's process.

    There are never more than `MOST` threads that have one; a thread that has one gets a further one without waiting, so that none waits
    for itself.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], place: str) -> None:
        self._connect, self.place = connect, place
        self._idle: list[psycopg.Connection] = []
        self._lock = threading.Condition()
        self._lent: dict[int, int] = {}
        """By thread: how many it has."""
        self._was_there = False

    @contextmanager
    def used(self) -> Iterator[psycopg.Connection]:
        """Lend a connection; what the driver raises is raised as one of our errors, and such a connection is not lent again."""
        thread = self._admitted()
        connection: psycopg.Connection | None = None
        try:
            connection = self._idle_one() or self._opened()
            yield connection
        except pg.UniqueViolation:
            raise
        except psycopg.Error as error:
            raise said.translated(self.place, error) from error
        finally:
            self._back(connection)
            self._left(thread)

    def again(self, do: Callable[[psycopg.Connection], DoneT]) -> DoneT:
        """Do what may be done twice, and do it anew where the connection broke meanwhile, as when the server is started anew."""
        for _time in range(_TIMES - 1):
            try:
                with self.used() as connection:
                    return do(connection)
            except LedgerError as error:
                if type(error) is not LedgerError or not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                if not self._was_there:
                    raise
        with self.used() as connection:
            return do(connection)

    def _admitted(self) -> int:
        thread = threading.get_ident()
        with self._lock:
            self._lock.wait_for(lambda: thread in self._lent or len(self._lent) < MOST)
            self._lent[thread] = self._lent.get(thread, 0) + 1
        return thread

    def _left(self, thread: int) -> None:
        with self._lock:  # another thread may let go of what this one was lent, as where it reads on
            self._lent[thread] -= 1
            if not self._lent[thread]:
                del self._lent[thread]
                self._lock.notify()

    def _idle_one(self) -> psycopg.Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            connection.close()

    def _opened(self) -> psycopg.Connection:
        """Open one; a server that was there before is given time to come back."""
        until = time.monotonic() + (SERVER_BACK_SECONDS if self._was_there else 0)
        while True:
            try:
                connection = self._connect()
            except psycopg.OperationalError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                self._was_there = True
                return connection

    def _back(self, connection: psycopg.Connection | None) -> None:
        if connection is None or connection.closed:
            return
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                connection.close()
                return
        with self._lock:
            is_spare = len(self._idle) >= MOST_IDLE
            if not is_spare:
                self._idle.append(connection)
        if is_spare:
            connection.close()

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _require_record(seq: int, line: bytes) -> bytes:
    """Return a line that the database can hold; raise the error for one that it cannot."""
    try:
        parse(line)
    except NotARecord as error:
        raise said.unfit(seq) from error
    return line


def _is_alive(connection: psycopg.Connection) -> bool:
    """Say whether the server has not ended a connection meanwhile, without a trip to it."""
    try:
        for _read in range(2):  # its last words, and then the end
            connection.pgconn.consume_input()
    except psycopg.Error:
        return False
    return not connection.closed


def _placed(
    drafts: Sequence[Draft], clock: Clock, newest: Record | None, latest: datetime | None
) -> tuple[Record, ...]:
    """Give drafts their places behind the newest record, and their times: none before the latest, but for kinds that may be.

    Raises:
        ClockWentBack: the clock is further behind than those of machines that keep time may be.
    """
    records: list[Record] = []
    for draft in drafts:
        now = clock.now()
        if latest is not None and now < latest and draft.kind not in BY_TWO:
            if latest - now > SKEW:
                raise store_errors.clock_went_back(now, latest)
            now = latest
        prev = line_digest(newest.line) if newest else GENESIS
        newest = encoded(draft, (newest.seq if newest else 0) + 1, now, prev)
        latest = newest.at
        records.append(newest)
    return tuple(records)
