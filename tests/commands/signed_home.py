"""A portal's folder with a configuration, a signing key and a ledger, for tests of the commands that sign."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.config.keys import ensure_signing_key
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import Digest, RunId
from portalops.model.runs import Plan
from tests.doubles import FixedClock
from tests.shapes import validate

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"
"""
SIGNING = """
[signing]
key = "keys/signing"
"""


class Home:
    """A folder to call portalops in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], *, key: bool = True, extra: str = "") -> None:
        self.folder = folder
        self.key = folder / "keys" / "signing"
        self.capsys = capsys
        self.configure(CONFIGURATION + (SIGNING if key else "") + extra)
        clock = FixedClock(datetime(2024, 1, 1, tzinfo=UTC))
        self.ledger = Ledger.open(folder / "state", clock, create=True)
        for number in range(3):
            run_id = RunId(f"12.4-testing:daily-check:2024-01-0{number + 1}")
            for kind in ("check.started", "check.finished"):
                body = bodies.write({"number": number, "kind": kind})
                self.ledger.append(kind, run=run_id, subject="daily-check", duty="12.4-testing", body=body)
        self.ledger.append("plan", run=NO_RUN, body=bodies.write({"plan": Plan((), "kh@1", Digest("a" * 64))}))
        self.ledger.append("note", run=NO_RUN, body=bodies.write({"note": "nothing to expect"}))
        if key:
            ensure_signing_key(self.key, comment="portalops@demo")

    def configure(self, text: str) -> None:
        (self.folder / "portalops.toml").write_text(text, encoding="utf-8")

    def call(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        """Call a verb of the ledger; return the data, or the error."""
        code = run(["--config", str(self.folder / "portalops.toml"), "--json", "ledger", *arguments], {})
        said = json.loads(self.capsys.readouterr().out)
        assert code == expected, said
        if said.get("error") is None:
            validate(f"ledger {arguments[0]}", said["data"])
        return said["data"] if said.get("error") is None else said["error"]

    def read(self, *arguments: str, language: str = "en", expected: ExitCode = ExitCode.OK) -> str:
        """Call a verb as a person; return what is shown, errors included."""
        code = run(["--config", str(self.folder / "portalops.toml"), "--lang", language, "ledger", *arguments], {})
        said = self.capsys.readouterr()
        assert code == expected, said
        return said.out + said.err
