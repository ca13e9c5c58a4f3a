"""A portal's host with a real sshd, and a witness with a configuration of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from commands._catalog import call
from commands._invocation import Invocation
from commands._result import Result
from commands._session import Session
from portalops.errors import ExitCode
from portalops.ledger import bodies
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from portalops.ports import Clock
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.anchors.parts import free_port

PROGRAM = f"{shlex.quote(sys.executable)} -c 'from commands.app import main; main()'"
"""The real command line, whichever way portalops is installed."""


def new_key(path: Path) -> str:
    """Make an Ed25519 key as stock OpenSSH does and return the public half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


class Portal:
    """The watched side: a configuration, a key, a ledger that works."""

    def __init__(self, folder: Path, *, witness_key: str = "", clock: Clock | None = None) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.key = new_key(folder / "signing")
        self.clock = clock or SystemClock()
        self.config = folder / "portalops.toml"
        anchor = f'[[ledger.anchor]]\nid = "so-tttt"\nkind = "witness"\nkey = "{witness_key}"\n' if witness_key else ""
        self.config.write_text(
            '[portal]\nid = "kh"\nname = { vi = "Cổng" }\n[state]\nfolder = "state"\n'
            f'[signing]\nkey = "signing"\n{anchor}'
        )

    @property
    def ledger(self) -> Ledger:
        """The ledger for reading; opened anew each time, and beginning one where there is none."""
        Ledger.open(self.state, self.clock, create=True).close()
        return Ledger.open(self.state, self.clock, create=False)

    def work(self, runs: int = 1) -> None:
        ledger = Ledger.open(self.state, self.clock, create=True)
        for _number in range(runs):
            number = ledger.count()
            for kind in ("check.started", "check.finished"):
                body = bodies.write({"number": number, "kind": kind})
                ledger.append(kind, run=RunId(f"12.4:daily:{number}"), subject="daily", duty="12.4", body=body)
        ledger.close()

    def extend_to(self, path: Path, *, after: int = 0) -> None:
        """Write an extension as a file."""
        done(self.config, "ledger", "extend", "--after", str(after), "--output", str(path), clock=self.clock)

    @contextlib.contextmanager
    def as_it_is_now(self) -> Iterator[None]:
        """Put everything back afterwards, as from a copy that was made before the block."""
        copy = self.folder / "copy"
        shutil.copytree(self.state, copy)
        yield
        shutil.rmtree(self.state)
        copy.rename(self.state)

    @property
    def forced(self) -> str:
        return f"{PROGRAM} ledger extend --ssh --json --config {shlex.quote(str(self.config))}"


@dataclass
class SshHost:
    """A running sshd; its forced command can be changed at any time."""

    port: int
    host_key: str
    folder: Path
    client_key: str

    def answer_with(self, command: str) -> None:
        """Let the witness's key run this and nothing else."""
        escaped = command.replace('"', '\\"')
        (self.folder / "authorized_keys").write_text(f'restrict,command="{escaped}" {self.client_key}\n')


@contextlib.contextmanager
def sshd(folder: Path, *, port: int = 0, host_key: Path | None = None) -> Iterator[SshHost]:
    """Run an sshd of this user's own on a free port."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd as root insists on locking itself in
    key = host_key or folder / "host"
    public = new_key(key) if not key.exists() else key.with_suffix(".pub").read_text().strip()
    client = folder / "client"
    client_key = client.with_suffix(".pub").read_text().strip() if client.exists() else new_key(client)
    host = SshHost(port or free_port(), public, folder, client_key)
    arguments = [
        shutil.which("sshd") or "/usr/sbin/sshd",
        *("-D", "-f", "/dev/null", "-p", str(host.port), "-h", str(key), "-E", str(folder / "log")),
        *("-o", "UsePAM=no", "-o", "StrictModes=no", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none"),
        *("-o", f"AuthorizedKeysFile={folder / 'authorized_keys'}"),
    ]
    process = subprocess.Popen(arguments)
    try:
        _wait_for(host.port)
        yield host
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("sshd does not listen")


class Witness:
    """The watching side."""

    def __init__(self, folder: Path, *, clock: Clock | None = None, signs: bool = True) -> None:
        self.folder = folder
        self.clock = clock
        self.key = new_key(folder / "witness_key")
        self.config = folder / "portalops.toml"
        self._signs = signs

    def watch(self, kind: str, values: Mapping[str, object], *, mail_port: int | None = None) -> None:
        """Write the configuration."""
        lines = ['[portal]\nid = "so-tttt"\nname = { vi = "Sở" }\n[state]\nfolder = "state"\n']
        lines += ['[signing]\nkey = "witness_key"\n'] if self._signs else []
        lines += [f'[[witness.ledger]]\nid = "kh"\nkind = "{kind}"\n']
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
        if mail_port is not None:
            lines.append(
                f'alarm = {{ host = "127.0.0.1", port = {mail_port}, security = "none", timeout_seconds = 5,'
                ' sender = "witness@so-tttt.example", recipients = ["on-duty@so-tttt.example"] }\n'
            )
        self.config.write_text("".join(lines))

    def ssh(self, host: SshHost, **more: object) -> dict[str, object]:
        """Return the settings for a host."""
        return {
            "host": "127.0.0.1",
            "port": host.port,
            "user": _user(),
            "identity_file": str(host.folder / "client"),
            "host_key": host.host_key,
            **more,
        }

    @property
    def kept(self) -> Path:
        return self.folder / "state" / "witness" / "kh"

    def look(self, *arguments: str) -> tuple[ExitCode, Any, Result]:
        """Look once; return the exit code, what is said of the ledger, and the result."""
        result = done(self.config, "watch-remote", *arguments, clock=self.clock)
        assert isinstance(result.data, list)
        return result.exit_code, result.data[0], result

    def pin(self) -> SigningKey:
        return SigningKey.load(self.folder / "witness_key")


def done(config: Path, *arguments: str, clock: Clock | None = None) -> Result:
    """Carry out one call of the command line; errors come as they are raised."""
    session = Session(Invocation(arguments, json=True, config=config), {"LANG": "C.UTF-8"}, clock=clock)
    try:
        return call(session)
    finally:
        if "writable_ledger" in session.__dict__:
            session.writable_ledger.close()


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


HOUR = timedelta(hours=1)
