"""The lines of a ledger in a database as verification reads them: one consistent view, whatever is appended meanwhile."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from portalops.ledger.chain import ChainMark, ChainPart, Chunk, Tail
from portalops.ledger.postgresql_tables import AT, GENERATED, SCHEMA
from portalops.ledger.record import NotARecord, line_digest, split
from portalops.model.record import Digest

_OF_TABLE = f"{SCHEMA}.record"


INDEXES = ("record_pkey", "record_kind", "record_run", "record_at")

_BY_INDEX = "SET LOCAL enable_seqscan = off"
_FOUND = 2_000
"""Records that are looked up by one statement."""
_HIDDEN = (
    "SELECT 1 FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS wanted(kind, run, seq) WHERE"
    # Compared as a row, and by a sum: by its number alone a record would be found by the numbers' own index.
    f" NOT EXISTS (SELECT 1 FROM {_OF_TABLE} r WHERE (r.kind, r.seq) > (wanted.kind, wanted.seq - 1)"
    " AND (r.kind, r.seq) <= (wanted.kind, wanted.seq))"
    f" OR wanted.run <> '' AND NOT EXISTS (SELECT 1 FROM {_OF_TABLE} r WHERE r.run = wanted.run AND r.run <> ''"
    " AND r.kind = wanted.kind AND r.seq + 0 = wanted.seq) LIMIT 1"
)
"""Finds a record that a query by its kind, or by its run, would not find."""
_TUPLE = re.compile(r"heap tuple (\(\d+,\d+\))")


class PostgresqlChain:
    """All rows and the tail, in one transaction that reads."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        generated = connection.execute(
            "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_attrdef d"
            " ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = %s::regclass AND a.attgenerated = 's'",
            (_OF_TABLE,),
        ).fetchall()
        self.stores_columns = dict(generated) != GENERATED

    def tail(self) -> Tail | None:
        found = self._connection.execute(f"SELECT size, head FROM {SCHEMA}.tail").fetchone()
        return Tail(found[0], Digest(found[1])) if found and found[0] else None

    def chunks(self, size: int) -> Iterator[Chunk]:
        yield from self.read_between(None, None, size)

    @contextmanager
    def parts(self, wanted: Collection[int]) -> Iterator[Iterator[ChainPart]]:  # noqa: ARG002  # it is looked at as a whole
        yield iter((_Whole(self),))

    def read_mark_before(self, seq: int) -> ChainMark | None:
        row = self._connection.execute(f"SELECT line FROM {_OF_TABLE} WHERE seq = %s", (seq,)).fetchone()
        if row is None:
            return None
        line = row[0].encode()
        try:
            return ChainMark(seq, line_digest(line), split(line).at)
        except NotARecord:
            return None

    def read_between(self, after: int | None, last: int | None, size: int) -> Iterator[Chunk]:
        # No bound but those asked for: a row before the first record is read by queries too.
        bounds = [("seq > %s", after), ("seq <= %s", last)]
        span = [(said, bound) for said, bound in bounds if bound is not None]
        where = f"WHERE {' AND '.join(said for said, _bound in span)}" if span else ""
        with self._connection.cursor(name="lines") as cursor:
            cursor.execute(f"SELECT seq, line FROM {_OF_TABLE} {where} ORDER BY seq", [bound for _said, bound in span])
            while rows := cursor.fetchmany(size):
                places, lines = [row[0] for row in rows], [row[1].encode() for row in rows]
                yield Chunk(lines, places)

    def lines_of(self, kinds: Collection[str]) -> Iterator[tuple[object, object]]:
        statement = f"SELECT seq, line FROM {_OF_TABLE} WHERE kind = ANY(%s) ORDER BY seq"
        for seq, line in self._connection.execute(statement, (list(kinds),)):
            yield seq, line.encode()

    def latest_first(self, after: int, last: int | None) -> Iterator[int]:
        self._connection.execute(
            "SET LOCAL enable_sort = off"
        )  # the index is in this order, and mostly the first one is enough
        statement = f"SELECT seq FROM {_OF_TABLE} WHERE seq > %s AND seq <= %s ORDER BY {AT} DESC"
        with self._connection.cursor(name="latest") as cursor:
            cursor.itersize = 100
            cursor.execute(statement, (after, 2**63 - 1 if last is None else last))
            for (seq,) in cursor:
                yield seq

    def misleading_indexes(self) -> Iterator[tuple[int, str]]:
        """Yield where an index would lead a query past a record: its place, or 0, and what PostgreSQL says of it.

        Its own check goes through each index and looks up every row in it (PostgreSQL, F.2, amcheck).
        """
        for name in INDEXES:
            if self._connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.{name}",)).fetchone() == (None,):
                continue  # tables of version 1 have fewer, and one that is not there leads nobody
            try:
                with self._connection.transaction():  # a savepoint: what is refused ends no more than this check
                    self._connection.execute("SELECT bt_index_check(%s::regclass, true)", (f"{SCHEMA}.{name}",))
            except psycopg.OperationalError:
                raise  # the server is gone
            except psycopg.Error as error:
                said = str(error).splitlines()[0]
                place = _TUPLE.search(said)
                yield self._seq_at(place.group(1)) if place else 0, said

    def _seq_at(self, place: str) -> int:
        row = self._connection.execute(f"SELECT seq FROM {_OF_TABLE} WHERE ctid = %s::tid", (place,)).fetchone()
        return row[0] if row else 0

    def are_indexed(self, after: int) -> bool:
        """Say whether queries by kind and by run find every record behind one, in a time that grows with those alone."""
        self._connection.execute(_BY_INDEX)
        statement = f"SELECT seq, line FROM {_OF_TABLE} WHERE seq > %s ORDER BY seq"
        with self._connection.cursor(name="looked_up") as cursor:
            cursor.execute(statement, (after,))
            while rows := cursor.fetchmany(_FOUND):
                if not self._are_found(rows):
                    return False
        return True

    def _are_found(self, rows: Sequence[tuple[int, str]]) -> bool:
        try:
            fields = [split(line.encode()) for _seq, line in rows]
        except NotARecord:
            return False
        asked = ([each.kind for each in fields], [each.run for each in fields], [seq for seq, _line in rows])
        return self._connection.execute(_HIDDEN, asked).fetchone() is None


class _Whole:
    read_partial_pass = None

    def __init__(self, chain: PostgresqlChain) -> None:
        self.chain = chain

    def chunks(self, size: int) -> Iterator[Chunk]:
        return self.chain.chunks(size)
