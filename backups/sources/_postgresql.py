"""What a dump of PostgreSQL is made of: the commands, the session that holds its snapshot, and what errors mean."""

from __future__ import annotations

import hashlib
import os
import re
import selectors
import subprocess
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from backups.postgresql import COUNT_ROWS, LOCK_TABLES, SAFE_PATH, PostgresqlVersion, connection, counted
from backups.sources._program import STDERR_BYTES, Program, reached, start
from portalops.json_text import read_json
from portalops.model.backups import TableRows
from portalops.model.message import Message, msg
from portalops.ports import Completed

LOCK_SECONDS = 60
"""How long to wait for a table that others have locked."""
DUMP_END = "\0" * 5
"""A block of no bytes, as pg_dump ends each table's data and its list of contents with: a sign and four bytes of length."""
GLOBALS_END = "--\n-- PostgreSQL database cluster dump complete\n--"
GLOBALS_NAME = "globals"
_GRACE_SECONDS = 5.0


class Stopped(Exception):
    """The psql that holds a snapshot ended, or said nothing for too long."""

    def __init__(self, done: Completed) -> None:
        super().__init__()
        self.done = done


class SnapshotHolder:
    """A psql that holds a snapshot of one database open, its tables locked against change of form, and counts their rows.

    It counts while the dump runs, and ends with portalops, however that ends: its input is closed then.
    """

    def __init__(self, source_id: str, program: Program) -> None:
        """Start it.

        Raises:
            SourceUnavailable: it cannot be run, or its host is not to be had.
        """
        self._source_id = source_id
        self.left_out: list[str] = []
        """Tables that nobody can read on a replica."""
        self._idle_seconds = program.idle_seconds
        self._running = start(source_id, program)
        self._said = b""
        self._buffer = b""
        self._is_counted = False

    def begin(self) -> str:
        """Return the snapshot's id, once the tables are locked."""
        with suppress(BrokenPipeError):  # it has ended, and says below why
            self._running.stdin.write(HOLD.encode())
        snapshot = ""
        while (line := self._line()) != "locked":
            found = _object(line)
            snapshot = found.get("snapshot", snapshot)
            if "left_out" in found:
                self.left_out.append(found["left_out"])
        return snapshot

    def counts(self) -> Iterator[TableRows]:
        """Yield the rows of each table, in the snapshot."""
        while (line := self._line()) != "counted":
            rows = counted(line)
            if rows is not None:
                yield rows
        self._is_counted = True

    def require_alive(self) -> None:
        """Make sure that it still holds the snapshot.

        Raises:
            Stopped: it ended before its time.
        """
        if self._running.poll() is not None:
            self._said = self._said or self._running.stderr.read()
            raise Stopped(self._ended())

    def __enter__(self) -> SnapshotHolder:
        return self

    def __exit__(self, *_failure: object) -> None:
        """Let the snapshot go."""
        running = self._running
        with suppress(OSError):
            running.stdin.close()
        # An interrupt has psql cancel what the server is doing for it; it would go on otherwise, with its locks.
        for interrupts in (not self._is_counted, True):
            if interrupts:
                running.interrupt()
            with suppress(subprocess.TimeoutExpired):
                running.wait(_GRACE_SECONDS)
                break
        running.close()

    def _line(self) -> str:
        stdout, stderr = self._running.stdout.fileno(), self._running.stderr.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                ready = selector.select(self._idle_seconds)
                if not ready:
                    raise Stopped(Completed(124, b"", b""))
                for key, _events in ready:
                    got = os.read(key.fd, 1 << 16)
                    if key.fd == stdout:
                        self._buffer += got
                    else:
                        self._said = (self._said + got)[-STDERR_BYTES:]
                    if not got:
                        selector.unregister(key.fd)
                if not selector.get_map():
                    raise Stopped(self._ended())
        line, _newline, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "surrogateescape")

    def _ended(self) -> Completed:
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = self._running.wait(_GRACE_SECONDS)
        with reached(self._source_id):
            if (lost := self._running.lost()) is not None:
                raise lost
        return Completed(code or 1, b"", self._said)


def _object(line: str) -> Mapping[str, str]:
    try:
        found = read_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def psql_command(tools: PostgresqlVersion, database: str) -> tuple[str, ...]:
    """Return the psql that runs what comes on its input, and stops at the first error."""
    return (
        tools.program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--no-password",
        "--set=ON_ERROR_STOP=1",
        f"--dbname={connection(database)}",
    )


def dump_command(tools: PostgresqlVersion, database: str, snapshot: str, *, is_replica: bool) -> tuple[str, ...]:
    """Return the dump of one database: whole, in custom format, not compressed, as a snapshot sees it."""
    return (
        tools.program("pg_dump"),
        "--format=custom",
        "--compress=0",
        "--no-password",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_SECONDS}s",
        *(("--no-unlogged-table-data",) if is_replica else ()),
        f"--dbname={connection(database)}",
    )


def globals_command(tools: PostgresqlVersion, database: str, *, role_passwords: bool) -> tuple[str, ...]:
    """Return the dump of what all databases share."""
    return (
        tools.program("pg_dumpall"),
        "--globals-only",
        "--no-password",
        *(() if role_passwords else ("--no-role-passwords",)),
        f"--database={database}",
    )


def passfile_line(password: str) -> str:
    r"""Return a line of a .pgpass file that holds for every server.

    >>> print(passfile_line("a:b"), end="")
    *:*:*:*:a\:b
    """
    escaped = password.replace("\\", r"\\").replace(":", r"\:")
    return f"*:*:*:*:{escaped}\n"


def stream_names(databases: Sequence[str]) -> tuple[str, ...]:
    """Return a stream's name for each database: its own where that fits, else made of it with a digest.

    >>> stream_names(["portal", "portal_db", "Cổng"])
    ('portal', 'portal-db-3e22de', 'cong-6ea0c0')
    """
    return tuple(_stream_name(name) for name in databases)


def _stream_name(database: str) -> str:
    if database != GLOBALS_NAME and re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,53}[a-z0-9])?", database):
        return database
    plain = unicodedata.normalize("NFKD", database.lower().replace("đ", "d"))
    letters = re.sub(r"[^a-z0-9]+", "-", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    digest = hashlib.sha256(database.encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{letters.strip('-')[:40].strip('-') or 'database'}-{digest}"


def hint_for(text: str) -> Message | None:
    """Return what to do about something that PostgreSQL's programs say."""
    return next((hint for words, hint in _HINTS if words in text), None)


REPLICA_HINT = msg("Check whether the replica still follows its primary: SELECT * FROM pg_stat_wal_receiver.")
_RIGHTS_HINT = msg(
    "Let the role read everything: GRANT pg_read_all_data TO the role. Only a superuser can read passwords of "
    "roles; 'role_passwords = false' leaves them out."
)
_HINTS = (
    ("authentication failed", msg("Correct the user, and the password that the configuration refers to.")),
    ("no password supplied", msg("Set 'password' or 'passfile'.")),
    ("no pg_hba.conf entry", msg("Let the server's pg_hba.conf admit this machine, role and database.")),
    (
        "row-level security",
        msg("Give the role BYPASSRLS: otherwise row policies hide rows, and the dump would lack them."),
    ),
    (
        "for large object",
        msg(
            "pg_read_all_data is not for large objects: let the role read each (GRANT SELECT ON LARGE OBJECT), or all of"
            " them (ALTER ROLE ... SET lo_compat_privileges = on, which lets it change them as well)."
        ),
    ),
    ("permission denied", _RIGHTS_HINT),
    (
        "conflict with recovery",
        msg("Set hot_standby_feedback = on on the replica, or let it wait longer: max_standby_streaming_delay."),
    ),
    ("lock timeout", msg("Another session kept a table locked. Find it with: SELECT * FROM pg_locks WHERE granted.")),
    ("does not exist", msg("Correct the name of the role or database in the configuration.")),
    ("failed: ", msg("Check that the server is running and that host and port are right: pg_isready.")),
)
"""Words of libpq and the server, the most telling first."""
ASK_SERVER = f"""{SAFE_PATH}
SELECT pg_catalog.json_build_object(
  'version', pg_catalog.current_setting('server_version_num'),
  'replica', pg_catalog.pg_is_in_recovery(),
  'lag', CASE
    WHEN NOT pg_catalog.pg_is_in_recovery() THEN 0
    WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver)
         AND pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END,
  'databases', (SELECT pg_catalog.json_agg(datname ORDER BY datname) FROM pg_catalog.pg_database
                 WHERE datallowconn AND NOT datistemplate));
"""
"""A replica that has replayed all it got, and still gets more, is up to date even if its primary had nothing to say lately."""
HOLD = rf"""{SAFE_PATH}
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT count(pg_catalog.set_config(name, '0', false)) FROM pg_catalog.pg_settings WHERE name IN
 ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout') \g /dev/null
SET row_security = off;
SET lock_timeout = '{LOCK_SECONDS}s';
SELECT pg_catalog.json_build_object('snapshot', pg_catalog.pg_export_snapshot());
SELECT pg_catalog.json_build_object('left_out', c.oid::pg_catalog.regclass::text) FROM pg_catalog.pg_class c
 WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery();
{LOCK_TABLES}
\echo locked
{COUNT_ROWS}
\echo counted
"""
"""What psql gets: the snapshot, then the locks that the dump itself takes, so that both see tables of the same form (TRUNCATE
and some forms of ALTER TABLE heed no snapshot), then the rows."""
