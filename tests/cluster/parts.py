"""A portal whose ledger is in a real PostgreSQL database, whose hosts are real sshd processes, and whose workers are real processes.

What stands behind each sshd answers at once, with a capture of a real system, so that what is tried is the way there and back.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench._hosts import Served, portal_of
from commands.cli.entry import run
from portalops.cluster.queue import script as queue_script
from portalops.ledger.postgresql_tables import READER, ROLES, WRITER
from portalops.ledger.postgresql_tables import script as ledger_script
from tests.backups.postgresql.parts import Server

ROOT = Path(__file__).parents[2]
CALLED = ("-c", "import sys; from commands.app import main; sys.exit(main())")
OPERATOR, AUDITOR = "portalops_operator", "portalops_auditor"
SECRETS = {OPERATOR.upper(): "o", AUDITOR.upper(): "a"}
CAPTURE = ROOT / "tests" / "samples" / "patching.os-eol" / "pass.txt"
_SECTION = re.compile(r"^<<<([a-z.]+)>>>\n(.*?)^<<<\1 rc=0>>>\n", re.MULTILINE | re.DOTALL)

__all__ = ["ledger_script", "queue_script"]


class ClusterServer(Server):
    """A server for several workers, which can be started anew under them."""

    def configure(self, settings: str, access: str) -> None:
        super().configure(f"{settings}max_connections = 100\n", access)

    def restart(self) -> None:
        self.program("pg_ctl", "restart", "-D", self.data, "-m", "fast", "-w", "-s", "-l", self.folder / "log")


@dataclass(frozen=True)
class Portal:
    """One portal: its configuration, and its database."""

    configuration: Path
    server: ClusterServer
    database: str

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, *CALLED, "--config", str(self.configuration), "--lang", "en", *arguments]

    def run(self, *arguments: str) -> int:
        """Carry out a command in this process, and return its exit code."""
        return run(["--config", str(self.configuration), "--lang", "en", *arguments], SECRETS)

    def process(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        environment = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with log.open("a") if log else nullcontext(subprocess.PIPE) as output:
            return subprocess.Popen(
                self.command(*arguments), env=environment, text=True, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
            )

    def sql(self, statement: str) -> str:
        return self.server.sql(statement, self.database)

    def runs(self, kind: str) -> list[str]:
        return self.sql(f"SELECT run FROM portalops.record WHERE kind = '{kind}' ORDER BY seq").splitlines()

    def reconfigured(self, change: tuple[str, str], name: str = "other.toml") -> Portal:
        """The same portal by a configuration in which one text is another one."""
        text = self.configuration.read_text(encoding="utf-8")
        assert change[0] in text
        path = self.configuration.with_name(name)
        path.write_text(text.replace(*change), encoding="utf-8")
        return Portal(path, self.server, self.database)

    @contextmanager
    def worker(self, name: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Let a worker run until the block ends."""
        process = self.process("worker", "run", "--name", name, *options, log=folder / f"{name}.log")
        try:
            self.wait_for_worker(name)
            yield process
        finally:
            process.kill()
            process.wait()

    def wait_for_worker(self, name: str) -> None:
        self.wait_until(
            f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portalops worker {name}'", 1, 180
        )

    def wait_until(self, statement: str, least: int, seconds: float = 60) -> None:
        """Wait until a statement's number is at least so large."""
        until = time.monotonic() + seconds
        while int(self.sql(statement)) < least:
            assert time.monotonic() < until, statement
            time.sleep(0.1)


def make_accounts(server: Server) -> None:
    """Make an operator and an auditor, once a server, beside the roles that they are members of."""
    server.sql(";\n".join(ROLES))
    server.sql(f"CREATE ROLE {OPERATOR} LOGIN PASSWORD 'o' IN ROLE {WRITER}")
    server.sql(f"CREATE ROLE {AUDITOR} LOGIN PASSWORD 'a' IN ROLE {READER}")


def new_database(server: Server) -> str:
    name = f"c{uuid.uuid4().hex[:12]}"
    server.sql(f"CREATE DATABASE {name}")
    return name


def store_of(server: Server, database: str, user: str = OPERATOR) -> str:
    return (
        f'[ledger.store]\nkind = "postgresql"\nhost = "{server.folder}"\ndatabase = "{database}"\nuser = "{user}"\n'
        + ("" if user == "postgres" else f'password = {{ env = "{user.upper()}" }}\n')
    )


def answer_at_once(folder: Path, *, delay: float = 0) -> None:
    """Let the hosts of `bench._hosts.served` answer with a capture, whatever they are asked."""
    sections = "".join(
        f"<<<NONCE {name}>>>\n{said}\n<<<NONCE {name} stderr>>>\n\n<<<NONCE {name} rc=0 s=0>>>\n"
        for name, said in _SECTION.findall(CAPTURE.read_text(encoding="utf-8"))
    )
    (folder / "answer").write_text(f"{sections}<<<NONCE done>>>\n", encoding="utf-8")
    pause = f"sleep {delay}\n" if delay else ""
    (folder / "answer.sh").write_text(
        f"set -- $SSH_ORIGINAL_COMMAND\ncat >/dev/null\n{pause}exec sed s/NONCE/$3/ {folder / 'answer'}\n",
        encoding="utf-8",
    )
    key = (folder / "client.pub").read_text(encoding="utf-8").strip()
    (folder / "authorized_keys").write_text(f'restrict,command="sh {folder / "answer.sh"}" {key}\n', encoding="utf-8")


def new_portal(
    server: ClusterServer,
    folder: Path,
    hosts: Sequence[Served],
    identity: Path,
    *,
    extra: str = "",
    cluster: str = "slots = 8",
) -> Portal:
    """Make a portal with these hosts, whose ledger was moved into a database of its own."""
    database = new_database(server)
    text = f"{store_of(server, database)}\n[cluster]\n{cluster}\n{extra}"
    portal = Portal(portal_of(folder, hosts, identity, extra=f"\n{text}"), server, database)
    server.sql(f"{ledger_script()}\n{queue_script()}", database)
    assert portal.run("-q", "ledger", "move", "--to", "store") == 0
    return portal
