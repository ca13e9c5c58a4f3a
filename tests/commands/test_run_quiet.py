"""`portalops --quiet run`: what cron's users keep of it, who throw standard output away."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from portalops.system.locks import locked
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
    assert failed.startswith("daily-anchor: share: the anchor share did not accept the head")
    assert well == ""


def test_a_job_that_another_process_is_at_is_told_to_whoever_asked_for_it_and_not_to_cron(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys, extra=JOB)
    options = ["--config", str(home.folder / "portalops.toml"), "--lang", "en", "--quiet"]

    with locked(home.folder / "state/locks/anchors.lock", holder="process 1 since 2026-11-26T08:00:00+00:00"):
        by_cron = run([*options, "run", "--due"], {})
        told_to_cron = capsys.readouterr().err
        by_hand = run([*options, "run", "daily-anchor"], {})
        told_by_hand = capsys.readouterr().err

    assert (by_cron, by_hand) == (ExitCode.LOCKED, ExitCode.LOCKED)
    assert told_to_cron == ""
    assert "the lock anchors is held by process 1" in told_by_hand
