"""Real PostgreSQL servers for the tests: on a socket in a short folder of their own, as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.formats import Restored
from backups.postgresql import PostgresqlVersion, installations
from backups.restore import restore_set
from backups.set_file import parse_set_file
from portalops.model.backups import BackupResult, Stream
from portalops.ports import Completed, Source
from portalops.system.programs import LocalRunner
from tests.backups.kit import alone, keys, source
from tests.backups.memory import MemoryMedium
from tests.programs import need

PORT = 5432
"""Of no network: it is part of the socket's name."""
SETTINGS = f"""
port = {PORT}
listen_addresses = ''
fsync = off
max_connections = 30
shared_buffers = 32MB
autovacuum = off
lc_messages = 'C'
"""
ACCESS = """
local all postgres trust
local replication postgres trust
local all all scram-sha-256
"""


class Unprivileged:
    """A `ports.Runner` whose programs belong to another user where the tests belong to root."""

    def __init__(self) -> None:
        self._runner = LocalRunner()

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        return self._runner.run(
            (*prefix(), *argv), stdin=stdin, timeout_seconds=timeout_seconds, limit_bytes=limit_bytes
        )


def user() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam("postgres")


def prefix() -> tuple[str, ...]:
    return ("runuser", "-u", user().pw_name, "--") if os.geteuid() == 0 else ()


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder of that user, short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    os.chown(folder, user().pw_uid, user().pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def versions() -> tuple[PostgresqlVersion, ...]:
    need("pg_ctlcluster")
    return installations("initdb", LocalRunner())


class Server:
    """One server, from its data folder."""

    def __init__(self, folder: Path, tools: PostgresqlVersion) -> None:
        self.folder = folder
        self.tools = tools

    @classmethod
    @contextmanager
    def new(cls, tools: PostgresqlVersion) -> Iterator[Server]:
        with short_folder() as folder:
            server = cls(folder, tools)
            server.program("initdb", "-D", server.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
            with server.running(ACCESS):
                yield server

    @contextmanager
    def replica(self) -> Iterator[Server]:
        with short_folder() as folder:
            replica = Server(folder, self.tools)
            copy = ("-D", replica.data, "-R", "-C", "-S", "replica", "-X", "stream", "-c", "fast", "--no-sync")
            spaces = f"--tablespace-mapping={self.folder / 'nhanh'}={folder / 'nhanh'}"
            self.program("pg_basebackup", *self.at, *copy, spaces)
            with replica.running(ACCESS):
                yield replica

    @contextmanager
    def running(self, access: str) -> Iterator[None]:
        self.configure(f"{SETTINGS}\nunix_socket_directories = '{self.folder}'\n", access)
        self.program("pg_ctl", "start", "-D", self.data, "-w", "-s", "-l", self.folder / "log")
        try:
            yield
        finally:
            self.program("pg_ctl", "stop", "-D", self.data, "-m", "immediate", "-w", "-s")

    def configure(self, settings: str, access: str) -> None:
        (self.data / "postgresql.conf").write_text(settings)
        (self.data / "pg_hba.conf").write_text(access)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def at(self) -> tuple[str, ...]:
        return ("-h", str(self.folder), "-p", str(PORT), "-U", "postgres")

    @property
    def environment(self) -> dict[str, str]:
        return {"PGHOST": str(self.folder), "PGPORT": str(PORT), "PGUSER": "postgres"}

    def program(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's user; a server that it starts says things in its log."""
        done = subprocess.run(
            [*prefix(), self.tools.program(name), *map(str, arguments)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def sql(self, script: str, database: str = "postgres") -> str:
        done = subprocess.run(
            [self.tools.program("psql"), *self.at, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def source(self, folder: Path, **values: object) -> Source:
        """A source of this server; a value of None leaves a key out."""
        own = {"host": str(self.folder), "port": PORT, "user": "postgres", "programs": str(self.tools.folder)}
        settings = {name: value for name, value in {**own, **values}.items() if value is not None}
        return source("postgresql", settings, folder, id="portal-db")


PORTAL = Path(__file__).with_name("portal.sql")
ODD = 'Cổng "TT" o\'nhỏ=1\\'
ROWS = {
    '"Kênh.A"."bảng ""lạ"" \'một\'\\nhai"': 3,
    "pg_catalog.pg_largeobject_metadata": 3,
    "public.article": 500,
    "public.empty": 0,
    "public.letters": 1,
    "public.sessions": 4,
    "public.visits_2026": 2,
}


def fill(server: Server) -> None:
    tablespace = server.folder / "nhanh"
    tablespace.mkdir()
    os.chown(tablespace, user().pw_uid, user().pw_gid)
    server.sql(PORTAL.read_text(encoding="utf-8").replace("{tablespace}", str(tablespace)))
    # Bytes that are no UTF-8, as a database without an encoding may hold.
    server.sql("CREATE TABLE raw (b text); INSERT INTO raw VALUES (E'\\xff\\xfe');", f"dbname='{ODD_QUOTED}'")


ODD_QUOTED = ODD.replace("\\", "\\\\").replace("'", "\\'")


class Dumped:
    """A set of one source, restored."""

    def __init__(self, result: BackupResult, medium: MemoryMedium, target: Path) -> None:
        assert result.set is not None, result.failed_sources
        self.set = result.set
        self.files = medium.stored[result.set.id]
        self.target = target
        content = parse_set_file(self.files["set.json"])
        self.copies = alone(medium.open_set(result.set.id), content)
        report = restore_set(self.copies, [keys().identity], target)
        assert not report.damaged

    def stream(self, name: str) -> Stream:
        (found,) = [stream for stream in self.set.streams if stream.name == name]
        return found

    def restored(self, name: str, scratch: Path) -> Restored:
        from backups.formats import format_of

        stream = self.stream(name)
        return Restored(
            stream, self.target / format_of(stream).place(stream), scratch, lambda: iter(()), Unprivileged()
        )
