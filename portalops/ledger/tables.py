"""The tables of a ledger's file, by version.

In version 2 a row is a number and a line. What queries ask for is computed by SQLite out of the line, so that it can
never say anything else; indexes hold what is asked for often. In version 1 it was stored beside the line, and whoever
reads such a file compares both.
"""

from __future__ import annotations

import sqlite3

from portalops.errors import LedgerError
from portalops.model.message import msg
from portalops.model.record import FINISHED, STARTED

SCHEMA_VERSION = 2
"""`PRAGMA user_version` of the tables that are written."""

READABLE = (1, SCHEMA_VERSION)
"""The versions that are understood."""

APPLICATION_ID = 0x504F4C47
"""`PRAGMA application_id`: "POLG", so that `file` and we know the file for a ledger."""

LEAST_SQLITE = (3, 31, 0)
"""The first that computes columns."""

COLUMNS = ("seq", "at", "kind", "run", "subject", "duty", "body", "prev")
"""What a row holds besides its line, in every version."""

_TEXT = "CAST(line AS TEXT)"


def _from_json(key: str) -> str:
    # A line that is no JSON, which only somebody else can have put there, has no value: reading it fails nowhere.
    return f"{key} TEXT GENERATED ALWAYS AS (CASE WHEN json_valid({_TEXT}) THEN json_extract({_TEXT}, '$.{key}') END)"


RECORD = f"""CREATE TABLE record (
  seq INTEGER PRIMARY KEY,
  line BLOB NOT NULL,
  at TEXT GENERATED ALWAYS AS (substr({_TEXT}, 8, 24)),
  body TEXT GENERATED ALWAYS AS (substr({_TEXT}, 42, 64)),
  {_from_json("kind")},
  {_from_json("run")},
  {_from_json("subject")},
  {_from_json("duty")},
  {_from_json("prev")})"""
"""Columns are virtual: computed when asked for, not stored. `at` and `body` have fixed places in a line."""

_IS_FRAME = f"substr(kind, -{len(STARTED)}) = '{STARTED}' OR substr(kind, -{len(FINISHED)}) = '{FINISHED}'"
BY_TIME = "CREATE INDEX IF NOT EXISTS record_at ON record (at)"
"""Finds the latest time; a file that was made before there was this index gets it when it is opened for writing."""

_BESIDES_RECORD = (
    "CREATE INDEX record_kind ON record (kind)",
    "CREATE INDEX record_at ON record (at)",
    # A run starts once and finishes once; in between it may leave several records of one kind.
    "CREATE UNIQUE INDEX record_run ON record "
    f"(run, kind, (CASE WHEN {_IS_FRAME} THEN 0 ELSE seq END)) WHERE run <> ''",
    "CREATE TRIGGER record_not_changed BEFORE UPDATE ON record "
    "BEGIN SELECT RAISE(ABORT, 'a record is never changed'); END",
    "CREATE TRIGGER record_not_deleted BEFORE DELETE ON record "
    "BEGIN SELECT RAISE(ABORT, 'a record is never deleted'); END",
)
_TAIL = (
    "CREATE TABLE tail (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, head TEXT NOT NULL)",
    "CREATE TRIGGER tail_not_deleted BEFORE DELETE ON tail BEGIN SELECT RAISE(ABORT, 'the tail is never deleted'); END",
)
_VERSION = f"PRAGMA user_version = {SCHEMA_VERSION}"

MAKE = (RECORD, *_BESIDES_RECORD, *_TAIL, f"PRAGMA application_id = {APPLICATION_ID}", _VERSION)
"""Makes a new ledger's tables."""

UPGRADE = (
    "DROP TRIGGER record_not_changed",
    "DROP TRIGGER record_not_deleted",
    "DROP INDEX record_kind",
    "DROP INDEX record_run",
    "DROP INDEX record_frame",
    "ALTER TABLE record RENAME TO record_of_version_1",
    RECORD,
    "INSERT INTO record (seq, line) SELECT seq, line FROM record_of_version_1 ORDER BY seq",
    "DROP TABLE record_of_version_1",
    *_BESIDES_RECORD,
    _VERSION,
)
"""Makes version 2 of version 1, within one transaction: the lines' bytes are copied as they are."""


def require_sqlite() -> None:
    """Make sure that SQLite can compute columns.

    Raises:
        LedgerError: it is too old.
    """
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        raise LedgerError(
            msg(
                "SQLite {found} is too old for the ledger, which needs {least} or newer",
                found=sqlite3.sqlite_version,
                least=".".join(map(str, LEAST_SQLITE)),
            ),
            msg("Use a Python that is built with a newer SQLite; that of Debian 11 or Ubuntu 22.04 is new enough."),
        )
