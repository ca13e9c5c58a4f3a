"""A real server of MariaDB, one a worker, on a socket alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from portalops.ports import Runner
from portalops.system.programs import LocalRunner, UnprivilegedRunner
from tests.programs import need

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
NOBODY = "nobody"
WAITING = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock'"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def unprivileged() -> Runner:
    """As a drill runs what it tries out."""
    return UnprivilegedRunner(NOBODY) if os.geteuid() == 0 else LocalRunner()


class Server:
    """The server that stands for the portal's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "socket"

    @property
    def client(self) -> tuple[str, ...]:
        return ("mariadb", "--no-defaults", f"--socket={self.socket}", "--default-character-set=utf8mb4")

    def run(self, sql: str, *, database: str = "") -> str:
        """Run statements as root and return what the client prints."""
        argv = (*self.client, "--batch", "--skip-column-names", *((f"--database={database}",) if database else ()))
        done = subprocess.run(argv, input=sql.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape")

    def wait_for(self, question: str) -> str:
        """Ask until there is an answer, and return its first line."""
        until = time.monotonic() + 60
        while not (answer := self.run(question)):
            assert time.monotonic() < until, question
            time.sleep(0.02)
        return answer.splitlines()[0]

    @contextmanager
    def held(self, table: str) -> Iterator[Callable[[], None]]:
        """Hold a table against everybody until the block ends, or what it gives is called."""
        argv = (*self.client, "--skip-column-names", "--unbuffered")
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as holder:
            assert holder.stdin is not None and holder.stdout is not None
            holder.stdin.write(f"LOCK TABLES {table} WRITE; SELECT 'held';\n".encode())
            assert holder.stdout.readline() == b"held\n"
            try:
                yield holder.stdin.close
            finally:
                holder.stdin.close()

    def rows(self, database: str) -> dict[str, list[str]]:
        """Every row of every table, in order of its text."""
        names = self.run(
            f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{database}' AND ENGINE IS NOT NULL"
        ).splitlines()
        found = {}
        for name in names:
            quoted = name.replace("`", "``")
            found[name] = sorted(self.run(f"SELECT * FROM `{database}`.`{quoted}`").split("\n")[:-1])
        return found

    def source(self, **values: object) -> Mapping[str, object]:
        return {"socket": str(self.socket), "user": "root" if os.geteuid() == 0 else "mysql", **values}


def servers() -> list[str]:
    """The command lines of all servers of MariaDB that run."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(b"mariadbd\0"):
                found.append(line.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    need("mariadbd")
    folder = Path(tempfile.mkdtemp(prefix="portalops-mariadb-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "mysql", "mysql")
            as_user = ["--user=mysql"]
        environment = {"PATH": PATH, "LC_ALL": "C"}
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *as_user, f"--datadir={folder}/data", "--skip-test-db"],
            check=True,
            capture_output=True,
            env=environment,
        )
        server = Server(folder)
        process = subprocess.Popen(
            [
                "mariadbd",
                "--no-defaults",
                *as_user,
                f"--datadir={folder}/data",
                f"--socket={server.socket}",
                f"--log-error={folder}/log",
                "--skip-networking",
                "--innodb-buffer-pool-size=64M",
                "--innodb-flush-log-at-trx-commit=0",
                "--max-allowed-packet=1G",
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _try in range(600):
            if subprocess.run([*server.client, "-e", "SELECT 1"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        yield server
    finally:
        if process is not None:
            process.terminate()
            process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that the unprivileged user can reach, as a drill makes one."""
    folder = Path(tempfile.mkdtemp(prefix="portalops-scratch-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
