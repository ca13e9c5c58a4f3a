"""Where duties stand, on the command line: nothing that could not be read is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.app import run
from portalops.errors import ExitCode
from portalops.ledger import bodies
from portalops.ledger.ledger import Ledger
from portalops.model.checks import CheckRound
from portalops.model.record import RunId
from portalops.model.runs import RunSummary
from portalops.model.verdicts import RunOutcome
from tests.commands.test_report import CONFIGURATION
from tests.doubles import FixedClock


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A portal whose ledger holds one round of checks, of a moment ago, whose details are gone."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    at = datetime.now(UTC) - timedelta(minutes=5)
    ledger = Ledger.open(tmp_path / "state", FixedClock(at), create=True)
    ledger.append("check.started", run=RunId("12.4:c:1"), body=bodies.write({}))
    summary = RunSummary(RunOutcome.COMPLETE, 0, at, at)
    finished = ledger.append(
        "check.finished", run=RunId("12.4:c:1"), body=bodies.write({"run": summary, "check": CheckRound(())})
    )
    ledger.close()
    (tmp_path / "state" / "blobs" / finished.body[:2] / finished.body[2:4] / f"{finished.body}.zst").unlink()
    return tmp_path


def status(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", "status", *arguments], {})


def test_a_record_that_cannot_be_read_is_named_on_the_screen(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = status(home)

    assert code == ExitCode.INTEGRITY
    assert "record 3 cannot be read" in capsys.readouterr().err


def test_a_record_that_cannot_be_read_is_named_in_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status(home, "--json")

    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "record 3 cannot be read" in warning


def test_a_period_to_come_is_not_all_met(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = status(home, "--period", "2099", "--json")

    verdicts = {duty["verdict"] for duty in json.loads(capsys.readouterr().out)["data"]}
    assert verdicts == {"pending"}
    assert code == ExitCode.PARTIAL


def test_a_lost_report_does_not_hide_what_a_run_did(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger.open(home / "state", FixedClock(datetime.now(UTC)), create=True)
    written = ledger.append("report.finished", run=RunId("r:1"), body=bodies.write({"report": {}}))
    ledger.close()

    code = run(["--config", str(home / "portalops.toml"), "--lang", "en", "--json", "run"], {})

    assert code == ExitCode.INTEGRITY
    shown = json.loads(capsys.readouterr().out)
    assert shown["data"]["reports"] == []
    assert any(f"record {written.seq} cannot be read" in warning for warning in shown["warnings"])
