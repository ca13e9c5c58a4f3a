"""A SQLite database, copied by SQLite's own backup while it is in use.

    [[backup.source]]
    id = "portal-database"
    kind = "sqlite"
    class = "content"
    database = "/srv/portal/portal.sqlite"

The copy is one moment of the database, made into a private temporary file, whatever others write meanwhile. It must pass
`PRAGMA integrity_check`, and the rows of each table are counted in it, so that a restored copy can be compared.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from pydantic import Field, StrictInt

from backups.sources import SourceKind
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    Lack,
    SourceContext,
    SourceSettings,
    cause_of,
    require_floor,
    unavailable,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.model.backups import TableRows
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter
from portalops.system.scratch import scratch_folder

BUSY_SECONDS = 60.0
"""How long a database may stay locked by others."""


class Settings(SourceSettings):
    """`kind = "sqlite"`."""

    database: LocalPath = Field(description="The database's file.")
    scratch: LocalPath | None = Field(
        default=None, description="Folder for the temporary copy; without it, the system's own."
    )
    busy_seconds: StrictInt = Field(
        default=int(BUSY_SECONDS), ge=1, description="How long to wait for a database that others have locked."
    )


def build(table: KindTable, context: SourceContext) -> SqliteSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return SqliteSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


def writes(settings: Settings) -> tuple[Path, ...]:
    """Return the folder of the temporary copy, where one is named: a scheduled service may write nowhere else."""
    return (settings.scratch,) if settings.scratch is not None else ()


class SqliteSource(ConfiguredSource):
    """One database file."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return (self._settings.database,)

    def write(self, opener: StreamOpener) -> None:
        settings = self._settings
        with consistent_copy(
            self.id, settings.database, scratch=settings.scratch, busy_seconds=settings.busy_seconds
        ) as copy:
            rows = counted_rows(self.id, copy)
            size = copy.stat().st_size
            require_floor(self.id, size, settings.minimum_bytes)
            with opener.stream("database", format="sqlite") as out:
                for table in rows:
                    out.add_rows(table)
                descriptor = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
                copy.unlink()  # nothing stays behind, however this ends
                try:
                    read_into(out, descriptor)
                except OSError as error:
                    raise unavailable(
                        self.id, msg("its copy cannot be read: {cause}", cause=cause_of(error))
                    ) from error
                finally:
                    os.close(descriptor)


@contextmanager
def consistent_copy(
    source_id: str, database: Path, *, scratch: Path | None, busy_seconds: float = BUSY_SECONDS
) -> Iterator[Path]:
    """Give a copy of a database as it was at one moment, sound by SQLite's own check; it is gone after the block.

    Raises:
        SourceUnavailable: the database is missing, is none, stays locked, or is damaged.
    """
    if not database.is_file():
        raise unavailable(source_id, _no_database(database))
    try:
        with scratch_folder(scratch) as folder:
            copy = Path(folder) / "database"
            _copy(source_id, database, copy, busy_seconds)
            yield copy
    except OSError as error:
        raise unavailable(
            source_id,
            msg("cannot make its temporary copy: {cause}", cause=cause_of(error)),
            msg("Set 'scratch' to a folder with enough space."),
        ) from error


def counted_rows(source_id: str, database: Path) -> tuple[TableRows, ...]:
    """Count the rows of each table of a copy.

    Raises:
        SourceUnavailable: a table cannot be read.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            names = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
                )
            ]
            counts = []
            for name in names:
                quoted = name.replace('"', '""')
                (count,) = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # a table's name
                counts.append(TableRows(show_text(name, 200), count))
            return tuple(counts)
    except sqlite3.Error as error:
        raise unavailable(source_id, msg("its rows cannot be counted: {cause}", cause=show_text(str(error)))) from error


def read_into(out: StreamWriter, descriptor: int) -> None:
    """Append everything that a file descriptor gives to a stream."""
    while got := os.readv(descriptor, [out.room()]):
        out.filled(got)


def _copy(source_id: str, database: Path, copy: Path, busy_seconds: float) -> None:
    deadline = time.monotonic() + busy_seconds

    def watch(_status: int, _remaining: int, _total: int) -> None:
        # Called after every step, failed ones included: SQLite itself would try again for ever.
        if time.monotonic() > deadline:
            raise unavailable(
                source_id,
                msg("the database stayed locked for {seconds} s", seconds=int(busy_seconds)),
                msg("Find the program that holds it: fuser -v {path}", path=str(database)),
            )

    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=1.0)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            copy.chmod(0o600)
            source.backup(target, progress=watch)  # all pages in one step: one moment, and no start from the beginning
            problems = [text for (text,) in target.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        raise unavailable(
            source_id,
            msg("{path} cannot be copied: {cause}", path=str(database), cause=show_text(str(error), 200)),
            msg("Check that it is a SQLite database and that this user may read it."),
        ) from error
    if problems != ["ok"]:
        raise unavailable(
            source_id,
            msg("SQLite's integrity_check reports: {cause}", cause=show_text("; ".join(problems), 300)),
            msg("Restore the database from an earlier set, or repair it: a damaged database is not backed up."),
        )


def lacking(settings: Settings) -> Lack | None:
    """Return that there is no such file, or why that cannot be seen, if so."""
    try:
        is_file = stat.S_ISREG(settings.database.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_file = False
    except OSError as error:
        return Lack(msg("{path}: {cause}", path=str(settings.database), cause=cause_of(error)))
    return None if is_file else Lack(_no_database(settings.database))


def _no_database(database: Path) -> Message:
    return msg("there is no database {path}", path=str(database))


SOURCE = SourceKind(lacking=lacking, settings=Settings, build=build, writes=writes)
