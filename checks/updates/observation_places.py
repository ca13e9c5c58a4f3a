"""Where a store of observations lies: how it is opened, what its own errors mean. A file here; `observation_database` has the other one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Engine, create_engine, event, func, select

from checks.updates.observation_rows import APPEND_ONLY, METADATA, POLL, VERSION
from portalops.errors import UpdatesError
from portalops.model.message import msg
from portalops.private_folder import make_private_file, make_private_folder


class NothingCollected(UpdatesError):
    """There is no store yet, or nothing in it."""


class ObservationPlace(Protocol):
    """Where a store lies. It can be handed to another process."""

    @property
    def name(self) -> str:
        """What it is called for people; no account and no secret."""
        ...

    @property
    def order(self) -> str:
        """The column of `observation` that grows as they come in."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""
        ...

    def writing(self) -> Engine:
        """Open it for collecting, in tables of this version.

        Raises:
            UpdatesError: there are none, and they cannot be made here.
        """
        ...

    def reading(self) -> Engine:
        """Open it for reading alone.

        Raises:
            NothingCollected: nothing was put in yet.
            UpdatesError: its tables are of another version.
        """
        ...

    def as_file(self, scratch: Path) -> Path:
        """Return a file of SQLite that has what judging reads: its own, or a copy in a folder."""
        ...

    def unusable(self, error: Exception) -> UpdatesError:
        """Say what an error of the driver means."""
        ...


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file of SQLite."""

    file: Path

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.file.name

    @property
    def order(self) -> str:
        """SQLite's own number of each row."""
        return "rowid"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Those of SQLite."""
        return (sqlite3.Error,)

    def writing(self) -> Engine:
        """Open it, and make it if there is none; one of another version is set aside."""
        file = self.file
        make_private_folder(file.parent)
        if (version := _version(file, mode="rw")) not in {None, VERSION}:  # which also takes back what a kill cut off
            file.replace(file.with_name(f"{file.name}.v{version}"))
        make_private_file(file)
        engine = create_engine(URL.create("sqlite", database=str(file)))
        event.listen(engine, "connect", _configure)
        _make_tables(engine)
        return engine

    def reading(self) -> Engine:
        """Open it for reading alone."""
        file = self.file
        if not file.is_file():
            raise NothingCollected(
                msg("nothing was collected yet: {file} does not exist", file=file.name),
                msg("Run 'portalops updates collect'."),
            )
        if _version(file) != VERSION:
            raise UpdatesError(
                msg("{file} is of another version of portalops", file=file.name),
                msg("Run 'portalops updates collect': it builds the store again from the kept answers."),
            )
        engine = _engine(file, mode="ro")
        with engine.connect() as connection:
            connection.execute(select(func.max(POLL.c.seq)))
        return engine

    def as_file(self, scratch: Path) -> Path:  # noqa: ARG002  # it needs no copy
        """Return it."""
        return self.file

    def unusable(self, error: Exception) -> UpdatesError:
        """Say what an error of SQLite means."""
        if getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
            return UpdatesError(
                msg("a run was cut off while it wrote {file}", file=self.name),
                msg("Run 'portalops updates collect': it undoes what was half written, and goes on."),
            )
        cause = str(getattr(error, "orig", None) or error)[:200]
        return UpdatesError(
            msg("the store of observations {file} cannot be used: {cause}", file=self.name, cause=cause),
            msg(
                "Check who owns the file and whether the disk is full; it can be rebuilt from the evidence in "
                "the ledger."
            ),
        )


def _make_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        METADATA.create_all(connection)
        for table in APPEND_ONLY:
            for action in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER IF NOT EXISTS {table.name}_no_{action.lower()} BEFORE {action} ON {table.name} "
                    "BEGIN SELECT RAISE(ABORT, 'observations are append-only'); END"
                )
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _version(file: Path, *, mode: str = "ro") -> int | None:
    """Return the version of a store's tables; None where there is none yet."""
    if not file.exists() or not file.stat().st_size:
        return None
    engine = _engine(file, mode=mode)
    try:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar() or 0)
    finally:
        engine.dispose()


def _engine(file: Path, *, mode: str) -> Engine:
    query = {"mode": mode, "uri": "true", "timeout": "30"}
    return create_engine(URL.create("sqlite", database=file.absolute().as_uri(), query=query))


def _configure(connection: object, _record: object) -> None:
    """Set up a connection that writes; no write-ahead log, so that whoever may read the file alone can read it."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the DBAPI connection that SQLAlchemy hands over
    for pragma in ("journal_mode=DELETE", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
