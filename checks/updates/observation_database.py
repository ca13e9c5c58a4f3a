"""A store of observations in the database of the ledger: a schema of its own, which the owner of the database makes once.

As in a file, nothing that was seen can be changed or taken away: triggers refuse it, and whoever collects has no right to. What
changes by nature may be updated, and nothing can be deleted. The rows and the questions are those of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as file_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from checks.updates.observation_places import NothingCollected
from checks.updates.observation_rows import (
    APPEND_ONLY,
    FILE_INDEXES,
    LAST_SEEN,
    METADATA,
    OBSERVATION,
    PAGE,
    SHARED_TEXT,
    SOURCE,
    TEXT_RUN,
    VERSION,
)
from checks.updates.proving import TABLES
from portalops.errors import UpdatesError
from portalops.ledger.postgresql_tables import PRUNER, READER, WRITER
from portalops.model.message import msg
from portalops.model.text import show_text

if TYPE_CHECKING:
    import psycopg

SCHEMA = "portalops_observations"

CHANGING = (LAST_SEEN, PAGE, SHARED_TEXT, SOURCE, TEXT_RUN)
"""What changes by nature; nothing judged rests on what stood there before."""

_LOCK = 0x504F4F42
""""POOB": the advisory lock of who makes the tables (PostgreSQL, 13.3.5)."""

_POOL_SECONDS = 600
"""After so long a connection is made anew, since what lies between may forget it."""


def statements() -> tuple[str, ...]:
    """Return the SQL that makes the tables, as the owner of the database, in one transaction; the ledger's roles are there."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    made: list[str] = []
    for table in METADATA.sorted_tables:
        made.append(" ".join(str(CreateTable(table).compile(dialect=dialect)).split()))
        made += [
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda each: str(each.name))
            if index.name not in FILE_INDEXES
        ]
    triggers = [
        f"CREATE TRIGGER {table.name}_no_{name} BEFORE {actions} ON {table.name} FOR EACH {each} EXECUTE FUNCTION never()"
        for table in APPEND_ONLY
        for name, actions, each in (("change", "UPDATE OR DELETE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT"))
    ]
    return (
        f"CREATE SCHEMA {SCHEMA}",
        f"SET LOCAL search_path = {SCHEMA}",
        "CREATE TABLE about (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL)",
        *made,
        # The order in which they came in, which SQLite knows by itself.
        f"ALTER TABLE {OBSERVATION.name} ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE",
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'observations are append-only'; END$$",
        *triggers,
        f"INSERT INTO about VALUES (1, {VERSION})",  # noqa: S608  # a number of ours
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
        *(f'GRANT INSERT ON "{table.name}" TO {WRITER}' for table in METADATA.sorted_tables),
        *(f'GRANT UPDATE ON "{table.name}" TO {WRITER}' for table in CHANGING),
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {WRITER}",
    )


def script() -> str:
    """Return the statements as one script for psql, which makes all or nothing."""
    return "\n".join(("BEGIN;", *(f"{statement};" for statement in statements()), "COMMIT;"))


def prepare(connection: psycopg.Connection) -> bool:
    """Make the tables, as the owner of the database; say whether there were none of this version.

    Those of another version are set aside in a schema of their own. The next collection builds the store again.

    Raises:
        psycopg.Error: the database does not take it.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        found = _version(connection)
        if found == VERSION:
            return False
        if connection.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone() != (None,):
            connection.execute(f"ALTER SCHEMA {SCHEMA} RENAME TO {_free_name(connection, found)}".encode())
        for statement in statements():
            connection.execute(statement.encode())
    return True


def _free_name(connection: psycopg.Connection, version: int | None) -> str:
    name = f"{SCHEMA}_v{version or 0}"
    more = ("", *(f"_{n}" for n in range(2, 1000)))
    return next(
        f"{name}{each}"
        for each in more
        if connection.execute("SELECT to_regnamespace(%s)", (f"{name}{each}",)).fetchone() == (None,)
    )


def _version(connection: psycopg.Connection) -> int | None:
    """Return the version of the tables; None where there are none, or none that say it."""
    if connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.about",)).fetchone() == (None,):
        return None
    row = connection.execute(f"SELECT version FROM {SCHEMA}.about".encode()).fetchone()  # noqa: S608  # a name of ours
    return None if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """A schema of a database."""

    database: str
    """What the database is called for people."""
    parameters: Mapping[str, Any] = field(repr=False)
    """What the driver's `connect` takes, with the password."""

    @property
    def name(self) -> str:
        """The database, and the schema in it."""
        return f"{self.database}#{SCHEMA}"

    @property
    def order(self) -> str:
        """A column that the database fills."""
        return "seq"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Those of the driver."""
        import psycopg  # noqa: PLC0415  # the driver is an extra

        return (psycopg.Error,)

    def writing(self) -> Engine:
        """Open it for collecting; its tables are made by whoever owns the database."""
        self._require_version()
        return self._engine(read_only=False)

    def reading(self) -> Engine:
        """Open it for reading alone."""
        self._require_version(for_reading=True)
        return self._engine(read_only=True)

    def as_file(self, scratch: Path) -> Path:
        """Copy what judging reads, as it is at one moment, into a file of a folder, and return that."""
        copy = scratch / "stored.sqlite"
        try:
            with self._connect(read_only=True) as source, closing(sqlite3.connect(copy)) as target, target:
                source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                for table in TABLES:
                    target.execute(str(CreateTable(table).compile(dialect=file_dialect.dialect())))
                    names = ", ".join(f'"{column.name}"' for column in table.columns)
                    places = ", ".join("?" for _column in table.columns)
                    with source.cursor(name="copied") as cursor:
                        cursor.execute(f"SELECT {names} FROM {table.name}".encode())  # noqa: S608  # names of our own tables
                        target.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", cursor)  # noqa: S608  # as above
        except self.errors as error:
            raise self.unusable(error) from error
        return copy

    def unusable(self, error: Exception) -> UpdatesError:
        """Say what an error of the driver means."""
        from psycopg import errors as pg  # noqa: PLC0415  # the driver is an extra

        real = getattr(error, "orig", None) or error
        cause = show_text(" ".join(str(real).split()), 200)
        hint = msg("Check that the database server is running and can be reached: pg_isready.")
        if isinstance(real, pg.InsufficientPrivilege):
            hint = msg("Make the account a member of {role}, or use an account that is a member.", role=WRITER)
        elif isinstance(real, (pg.UndefinedTable, pg.UndefinedColumn, pg.InvalidSchemaName, pg.DataCorrupted)):
            hint = msg(
                "Its tables were changed or are damaged. Let the owner of the database drop the schema {schema} and run 'portalops ledger"
                " prepare': the next 'portalops updates collect' builds it again from the kept answers.",
                schema=SCHEMA,
            )
        return UpdatesError(
            msg("the store of observations {file} cannot be used: {cause}", file=self.name, cause=cause), hint
        )

    def _require_version(self, *, for_reading: bool = False) -> None:
        try:
            with self._connect(read_only=True) as connection:
                found = _version(connection)
                is_empty = (
                    found == VERSION
                    and for_reading
                    and connection.execute(f"SELECT FROM {SCHEMA}.poll LIMIT 1".encode()).fetchone() is None
                )
        except self.errors as error:
            raise self.unusable(error) from error
        if found is None:
            raise UpdatesError(
                msg("{place} has no store of observations", place=self.database),
                msg("Run 'portalops ledger prepare' as the owner of the database, then 'portalops updates collect'."),
            )
        if found != VERSION:
            raise UpdatesError(
                msg("{file} is of another version of portalops", file=self.name),
                msg(
                    "Run 'portalops ledger prepare' as the owner of the database: it sets the store aside, and the next 'portalops updates"
                    " collect' builds it again from the kept answers."
                ),
            )
        if is_empty:
            raise NothingCollected(
                msg("nothing was collected yet: {place} is empty", place=self.name),
                msg("Run 'portalops updates collect'."),
            )

    def _engine(self, *, read_only: bool) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._connect(read_only=read_only),
            pool_pre_ping=True,
            pool_recycle=_POOL_SECONDS,
            use_native_hstore=False,
        )

    def _connect(self, *, read_only: bool) -> psycopg.Connection:
        import psycopg  # noqa: PLC0415  # the driver is an extra

        options = f"{self.parameters.get('options', '')} -c search_path={SCHEMA}"
        if read_only:
            options += " -c default_transaction_read_only=on"
        return psycopg.connect(**{**self.parameters, "autocommit": False, "options": options})
