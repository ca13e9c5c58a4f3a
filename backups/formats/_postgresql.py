"""A throw-away PostgreSQL server in a scratch folder, to try dumps out in.

A dump is code that somebody else wrote: anybody who could change the database, or was its superuser, can have it do what a
superuser of the scratch server may, programs included. So the server belongs to the runner's unprivileged user, listens on no
network, only on a socket in its own folder that no other user can enter, and is stopped whatever happens. If portalops itself
is killed, the server ends by itself once its folder is removed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from backups.formats import Restored
from backups.postgresql import PostgresqlVersion, connection, counted, read_error
from portalops.errors import BackupError, FileUnwritable
from portalops.files import write_atomically
from portalops.model.backups import TableRows
from portalops.model.causes import cause_of
from portalops.model.message import Message, kept, msg
from portalops.model.text import show_text
from portalops.ports import Completed, Runner

START_SECONDS = 120.0
LEAST_SECONDS = 900.0
SLOWEST_BYTES = 1 << 20
"""A second: what a restore must at least do."""
SOCKET_BYTES = 107
"""The longest path of a Unix socket, unix(7)."""
OUTPUT_BYTES = 64 << 20
PORT = 5432
"""Of no network; it is part of the socket's name."""
SETTINGS = f"""\
port = {PORT}
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 10
max_wal_size = 4GB
maintenance_work_mem = 128MB
autovacuum = off
lc_messages = 'C'
"""
"""The server never has to outlive a crash, and says things in English."""


INSTALL = msg("Install PostgreSQL's server programs on this machine, of the dump's version or later, with all updates.")
_FOLDER_HINT = msg("Set backup.drill.folder to a folder with a short path that the test user can reach.")


class NotUsable(Exception):
    """What was restored cannot be used: one bounded, escaped English line."""


def cannot_try(cause: Message | str, hint: Message = INSTALL) -> BackupError:
    """Return the error of a trial that says nothing of the dump: something is missing or wrong on this machine."""
    return BackupError(msg("the restored dump cannot be tested here: {cause}", cause=kept(cause, 300)), hint)


@dataclass(frozen=True, slots=True)
class Scratch:
    """A server that is running."""

    runner: Runner
    tools: PostgresqlVersion
    folder: Path
    superuser: str
    deadline: float

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        """Return a client's command."""
        host = f"--host={self.folder}"
        return (self.tools.program(program), host, f"--port={PORT}", f"--username={self.superuser}", *arguments)

    def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Run a program as the runner's user, at most until the trial's end.

        Raises:
            BackupError: the trial's time is over.
        """
        seconds = self.deadline - time.monotonic()
        done = self.runner.run(argv, stdin=stdin, timeout_seconds=max(1.0, seconds), limit_bytes=OUTPUT_BYTES)
        if done.exit_code == 124:
            raise cannot_try(msg("{program} did not end in time", program=Path(argv[0]).name))
        return done

    def sql(self, database: str, script: str) -> str:
        """Return what psql prints for a script.

        Raises:
            NotUsable: a statement failed.
            BackupError: the trial's time is over.
        """
        argv = self.command(
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            f"--dbname={connection(database)}",
        )
        done = self.run(argv, stdin=f"\\encoding UTF8\n{script}".encode())
        if done.exit_code:
            raise NotUsable(read_error(done))
        return done.stdout.decode("utf-8", "surrogateescape")

    def count(self, database: str, script: str) -> dict[str, int]:
        """Return the rows of each table, counted by one of `backups.postgresql`'s scripts."""
        rows = (counted(line) for line in self.sql(database, script).splitlines())
        return {each.table: each.rows for each in rows if each is not None}


@contextmanager
def scratch_server(restored: Restored, tools: PostgresqlVersion, superuser: str) -> Iterator[Scratch]:
    """Make a server, run it for the block, and stop it.

    Raises:
        BackupError: it cannot be made or started.
    """
    folder = restored.scratch / "data"
    if len(os.fsencode(folder)) + len(f"/.s.PGSQL.{PORT}.lock") > SOCKET_BYTES:
        raise cannot_try(
            msg("the scratch folder's path is too long for a socket: {path}", path=str(restored.scratch)), _FOLDER_HINT
        )
    deadline = time.monotonic() + LEAST_SECONDS + restored.stream.plain_bytes / SLOWEST_BYTES
    scratch = Scratch(restored.runner, tools, folder, superuser, deadline)
    _make(scratch)
    try:
        _start(scratch)
        yield scratch
    finally:
        _stop(scratch)


def readable(restored: Restored) -> Path:
    """Return the restored file at a place where the runner's user can read it: the scratch folder's owner.

    Raises:
        BackupError: it cannot be put there.
    """
    owner = restored.scratch.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return restored.place
    path = restored.scratch / "dump"
    try:
        try:
            os.link(restored.place, path, follow_symlinks=False)  # takes no space
        except OSError:
            shutil.copyfile(restored.place, path)
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except OSError as error:
        raise cannot_try(
            msg("the dump cannot be put into the scratch folder: {cause}", cause=cause_of(error)), _FOLDER_HINT
        ) from error
    return path


def owned_file(restored: Restored, name: str, data: bytes) -> Path:
    """Write a file into the scratch folder that its owner alone can read.

    Raises:
        BackupError: it cannot be written.
    """
    path = restored.scratch / name
    try:
        owner = restored.scratch.stat()
        write_atomically(path, data, mode=0o600)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except (OSError, FileUnwritable) as error:
        cause = cause_of(error) if isinstance(error, OSError) else error.message
        raise cannot_try(msg("the scratch folder cannot be written: {cause}", cause=cause), _FOLDER_HINT) from error
    return path


def differing(expected: Sequence[TableRows], found: dict[str, int]) -> Iterator[str]:
    """Yield a line for each table whose rows are not as many as they were."""
    for each in expected:
        rows = found.get(each.table)
        if rows is None:
            yield show_text(f"table {each.table} is not there", 300)
        elif rows != each.rows:
            yield show_text(f"table {each.table}: {rows} rows instead of {each.rows}", 300)


def _make(scratch: Scratch) -> None:
    initdb = (
        scratch.tools.program("initdb"),
        f"--pgdata={scratch.folder}",
        f"--username={scratch.superuser}",
        "--auth=trust",  # only its own user can enter its folder
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    )
    done = scratch.runner.run(initdb, timeout_seconds=START_SECONDS)
    if done.exit_code:
        raise cannot_try(read_error(done), _FOLDER_HINT)
    try:
        settings = f"{SETTINGS}unix_socket_directories = '{str(scratch.folder).replace(chr(39), chr(39) * 2)}'\n"
        write_atomically(scratch.folder / "postgresql.conf", settings.encode())
    except FileUnwritable as error:
        raise cannot_try(str(error), _FOLDER_HINT) from error


def _start(scratch: Scratch) -> None:
    log = scratch.folder / "log"
    argv = (
        scratch.tools.program("pg_ctl"),
        "start",
        f"--pgdata={scratch.folder}",
        f"--log={log}",
        "--wait",
        f"--timeout={START_SECONDS:.0f}",
        "--silent",
    )
    done = scratch.runner.run(argv, timeout_seconds=START_SECONDS + 10)
    if done.exit_code:
        text = ""
        with suppress(OSError):
            text = log.read_text(encoding="utf-8", errors="replace")
        raise cannot_try(
            msg("its server does not start: {cause}", cause=read_error(Completed(1, b"", text.encode() or done.stderr)))
        )


def _stop(scratch: Scratch) -> None:
    argv = (
        scratch.tools.program("pg_ctl"),
        "stop",
        f"--pgdata={scratch.folder}",
        "--mode=immediate",
        "--wait",
        "--timeout=30",
        "--silent",
    )
    scratch.runner.run(argv, timeout_seconds=40.0)
