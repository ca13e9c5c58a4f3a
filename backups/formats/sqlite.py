"""A database file of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, file_place, load, row_counts, write_file
from backups.formats._trials import counts, require_readable
from portalops.model.backups import Stream, TableRows, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text


def place(stream: Stream) -> str:
    return file_place(stream, "sqlite")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    yield msg("The file is the database. Check that it is intact:")
    yield load(
        f'FOUND="$(sqlite3 "$TO/{place}" \'PRAGMA integrity_check;\')"',
        f'[ "$FOUND" = ok ] || stop "{place}: $FOUND"',
        needs=("sqlite3",),
    )
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Check the file's structure, and count the rows of every table that was counted in the copy.

    Raises:
        BackupError: this user may not read it.
    """
    require_readable(restored.place)
    try:
        # Immutable: nothing of it is ever written, and no journal that lies beside it is believed.
        uri = f"file:{quote(str(restored.place))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            problems = [*_unsound(connection), *_differing(connection, restored.stream.rows)]
    except sqlite3.Error as error:
        return Trial(VerifyLevel.L4, (show_text(str(error), 200),))
    rows = sum(each.rows for each in restored.stream.rows)
    return Trial(VerifyLevel.L4, tuple(problems), f"{counts(len(restored.stream.rows), rows)}, integrity_check")


def _unsound(connection: sqlite3.Connection) -> Iterator[str]:
    for (said,) in connection.execute("PRAGMA integrity_check(10)"):
        if said != "ok":
            yield show_text(f"integrity_check: {said}", 200)


def _differing(connection: sqlite3.Connection, rows: tuple[TableRows, ...]) -> Iterator[str]:
    for each in rows:
        name = each.table.replace('"', '""')
        try:
            (count,) = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608  # an identifier, quoted
        except sqlite3.Error as error:
            yield show_text(f"table {each.table}: {error}", 200)
            continue
        if count != each.rows:
            yield show_text(f"table {each.table}: {count} rows instead of {each.rows}", 200)


FORMAT = Format(place=place, guide=guide, try_out=try_out)
