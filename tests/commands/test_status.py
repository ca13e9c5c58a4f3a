"""Where duties stand, on the command line: nothing that could not be read is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.newest import first_change
from portalops.model.checks import CheckScan
from portalops.model.record import RunId
from portalops.model.runs import RunSummary
from portalops.model.verdicts import RunOutcome
from tests.commands.test_backup import Portal
from tests.commands.test_report import CONFIGURATION
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A portal whose ledger holds one round of checks, of a moment ago, whose details are gone."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    at = datetime.now(UTC) - timedelta(minutes=5)
    ledger = Ledger.open(tmp_path / "state", FixedClock(at), create=True)
    ledger.append("check.started", run=RunId("12.4:c:1"), body=bodies.write({}))
    summary = RunSummary(RunOutcome.COMPLETE, 0, at, at)
    finished = ledger.append(
        "check.finished", run=RunId("12.4:c:1"), body=bodies.write({"run": summary, "check": CheckScan(())})
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


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    return Portal(tmp_path, capsys)


def rewritten(seq: int, old: str, new: str) -> str:
    return f"UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '{old}', '{new}') AS BLOB) WHERE seq = {seq}"


def verdicts(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str], list[str]]:
    capsys.readouterr()
    code = status(home, "--json")
    shown = json.loads(capsys.readouterr().out)
    return code, {duty["id"]: duty["verdict"] for duty in shown["data"]}, shown["warnings"]


def test_over_a_changed_ledger_no_duty_is_called_met(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    """One record is changed by SQL, with nothing else: what it says is readable, and no longer what was recorded."""
    portal.call("backup", "run")
    code, before, warnings = verdicts(portal.folder, capsys)
    assert "met" in before.values() and warnings == [] and code != ExitCode.INTEGRITY
    ledger = Ledger.open(portal.folder / "state", FixedClock(datetime.now(UTC)), create=False)
    tamper(ledger, rewritten(4, "weekly-backup", "weekly-backuq"))

    code, after, warnings = verdicts(portal.folder, capsys)

    assert code == ExitCode.INTEGRITY
    assert {duty for duty, verdict in before.items() if verdict == "met"} == {
        duty for duty, verdict in after.items() if verdict == "insufficient-evidence" and before[duty] == "met"
    }
    assert "met" not in after.values()
    (warning,) = warnings
    assert warning.startswith("the ledger was changed: record 4 is not the record that record 5 was chained to")
    assert "portalops ledger verify" in warning


def test_a_report_over_a_changed_ledger_calls_no_duty_met(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.call("backup", "run")
    building = ("report", "build", "compliance", "--language", "en", "--format", "json", "--output")
    before = reported(portal, *building, str(portal.folder / "before"))
    _code, duties, _warnings = verdicts(portal.folder, capsys)
    ledger = Ledger.open(portal.folder / "state", FixedClock(datetime.now(UTC)), create=False)
    tamper(ledger, rewritten(4, "weekly-backup", "weekly-backuq"))

    after = reported(portal, *building, str(portal.folder / "after"), code=ExitCode.INTEGRITY)

    met = sum(verdict == "met" for verdict in duties.values())
    assert met and before.count('"met"') - after.count('"met"') == met, "the rest is the legend"
    assert "the ledger was changed, so nothing in it proves this" in after


def test_a_report_over_details_that_were_cut_is_not_all_right(portal: Portal) -> None:
    portal.call("backup", "run")
    (record,) = Ledger.open(portal.folder / "state", FixedClock(datetime.now(UTC)), create=False).records(
        kinds=("backup.finished",)
    )
    (blob,) = (portal.folder / "state" / "blobs").rglob(f"{record.body}*")
    blob.write_bytes(blob.read_bytes()[:-20])

    building = ("report", "build", "compliance", "--language", "en", "--format", "json", "--output")
    said = reported(portal, *building, str(portal.folder / "out"), code=ExitCode.INTEGRITY)

    assert f"record {record.seq}" in said


def reported(portal: Portal, *arguments: str, code: int = ExitCode.OK) -> str:
    assert run(["--config", str(portal.folder / "portalops.toml"), *arguments], {}) == code
    (written,) = Path(arguments[-1]).iterdir()
    return written.read_text(encoding="utf-8")


def test_a_cut_tail_is_no_whole_ledger(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.call("backup", "run")
    ledger = Ledger.open(portal.folder / "state", FixedClock(datetime.now(UTC)), create=False)
    tamper(ledger, f"DELETE FROM record WHERE seq = {ledger.count()}")

    code, after, _warnings = verdicts(portal.folder, capsys)

    assert code == ExitCode.INTEGRITY and "met" not in after.values()


def test_what_was_changed_long_before_the_period_is_for_the_verification_to_tell(tmp_path: Path) -> None:
    """The newest part alone is gone over, so that the first screen stays quick."""
    old = datetime(2025, 1, 1, tzinfo=UTC)
    clock = FixedClock(old)
    ledger = Ledger.open(tmp_path, clock, create=True)
    for number in range(6):
        ledger.append("plan", run=RunId(f"p:{number}"), body=bodies.write({"n": number}))
    ledger.close()
    newer = Ledger.open(tmp_path, FixedClock(old + timedelta(days=300)), create=True)
    for number in range(6, 12):
        newer.append("plan", run=RunId(f"p:{number}"), body=bodies.write({"n": number}))
    since = old + timedelta(days=200)
    assert first_change(newer, since) is None

    tamper(newer, rewritten(3, "p:1", "p:x"))
    assert first_change(newer, since) is None
    found = first_change(newer, old)
    assert found is not None and found.seq == 3

    tamper(newer, rewritten(10, "p:8", "p:x"))
    found = first_change(newer, since)
    assert found is not None and found.seq == 3, "once something is wrong, all of it is gone over"


@pytest.mark.parametrize("kind", ["backup", "check", "copy", "verify"])
def test_erased_details_are_no_fault_and_are_called_erased(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    at = datetime.now(UTC) - timedelta(minutes=5)
    ledger = Ledger.open(tmp_path / "state", FixedClock(at), create=True)
    ledger.append(f"{kind}.started", run=RunId("12.4:c:1"), body=bodies.write({}))
    summary = RunSummary(RunOutcome.COMPLETE, 0, at, at)
    finished = ledger.append(f"{kind}.finished", run=RunId("12.4:c:1"), body=bodies.write({"run": summary}))
    ledger.close()
    calls = (["status"], ["run"], ["backup", "list"])
    call = ["--config", str(tmp_path / "portalops.toml"), "--lang", "en"]
    before = [run([*call, *each], {}) for each in calls]
    run([*call, "ledger", "erase", finished.body, "--reason", "names", "--approved-by", "An", "--yes"], {})
    capsys.readouterr()

    codes, said = [], []
    for each in calls:
        codes.append(run([*call, *each], {}))
        said.append(capsys.readouterr().err)

    assert codes == before
    shown = said if kind != "check" else said[:2]
    assert all("its details were erased for good, by record" in each for each in shown)
    assert not any("missing" in each for each in said)
