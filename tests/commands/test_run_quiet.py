"""`portalops --quiet run`: what cron's users keep of it, who throw standard output away."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.app import run
from portalops.errors import ExitCode
from tests.commands.signed_home import Home

JOB = """
[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"

[[ledger.anchor]]
id = "share"
kind = "folder"
folder = "share"
"""


def test_a_failed_job_is_told_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, capsys, extra=JOB)
    options = ["--config", str(home.folder / "portalops.toml"), "--lang", "en", "--quiet"]

    assert run([*options, "run"], {}) == ExitCode.FAILED
    failed = capsys.readouterr().err
    (tmp_path / "share").mkdir()
    run([*options, "run", "daily-anchor"], {})
    well = capsys.readouterr().err

    assert len(failed.splitlines()) == 1, failed
    assert failed.startswith("daily-anchor: share: the anchor share did not take the head")
    assert well == ""
