"""A portal's host with a real sshd, and a witness with a configuration of its own."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from commands.cli.calling import call
from commands.cli.invocation import Invocation
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import as_json
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from portalops.ports import Clock
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.servers import SshHost, new_key, user_name
from tests.shapes import validate

PROGRAM = f"{shlex.quote(sys.executable)} -c 'from commands.app import main; main()'"
"""The real command line, whichever way portalops is installed."""


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
            "user": user_name(),
            "identity_file": str(host.folder / "client"),
            "host_key": host.host_key,
            **more,
        }

    @property
    def kept(self) -> Path:
        return self.folder / "state" / "witness" / "kh"

    def look(self, *arguments: str) -> tuple[ExitCode, Any, Result[object]]:
        """Look once; return the exit code, what is said of the ledger, and the result."""
        result = done(self.config, "watch-remote", *arguments, clock=self.clock)
        data: Any = as_json(result.data)
        validate("watch-remote", data)
        return result.exit_code, data[0], result

    def pin(self) -> SigningKey:
        return SigningKey.load(self.folder / "witness_key")


def done(config: Path, *arguments: str, clock: Clock | None = None) -> Result[object]:
    """Carry out one call of the command line; errors come as they are raised."""
    session = Session(Invocation(arguments, json=True, config=config), {"LANG": "C.UTF-8"}, clock=clock)
    try:
        return call(session)
    finally:
        if "writable_ledger" in session.__dict__:
            session.writable_ledger.close()


HOUR = timedelta(hours=1)
