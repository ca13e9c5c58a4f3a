"""The ledger from the command line: two verdicts, the exit codes, and records with their details."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import Ledger
from portalops.model.record import Digest, RunId
from portalops.model.runs import Every, Job, JobId, JobKind, Plan
from tests.doubles import FixedClock
from tests.ledger.ledgers import filled_ledger, tamper
from tests.shapes import data_in

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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration and no ledger."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str, language: str = "en") -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", language, "ledger", *arguments], {})


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)


def test_an_untouched_ledger_holds(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = filled_ledger(home / "state")

    assert portalops(home, "verify", "--json") == ExitCode.PARTIAL, "no plan says what was expected"

    found = data_of(capsys, "ledger verify")
    assert found["ledger"] == ledger.id
    assert found["integrity"]["holds"] is True and found["integrity"]["records"] == 9
    assert found["integrity"]["blobs_read"] is True
    assert found["completeness"]["holds"] is False
    assert "no plan is recorded" in found["completeness"]["problem"]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_changed_record_is_named_and_the_exit_code_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    tamper(
        filled_ledger(home / "state"),
        "UPDATE record SET line = CAST(replace(line, 'daily-check', 'other') AS BLOB) WHERE seq = 4",
    )

    assert portalops(home, "verify", language=language) == ExitCode.INTEGRITY

    shown = capsys.readouterr().out
    expected = "cannot be trusted is 4" if language == "en" else "không còn tin cậy được là 4"
    assert expected in shown


def test_quick_sees_a_missing_blob_and_not_a_changed_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = filled_ledger(home / "state")
    record = ledger.record(5)
    assert record is not None
    path = BlobFolder(ledger.folder / "blobs").path(record.body)
    path.unlink()

    assert portalops(home, "verify", "--quick", "--json") == ExitCode.INTEGRITY
    assert data_of(capsys, "ledger verify")["integrity"]["first_bad"] == 5
    path.write_bytes(b"other")
    assert portalops(home, "verify", "--quick") == ExitCode.PARTIAL
    assert portalops(home, "verify") == ExitCode.INTEGRITY


def test_a_planned_run_that_is_missing_is_told_apart_from_a_change(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(home / "state", FixedClock(datetime(2024, 1, 1, tzinfo=UTC)), create=True)
    plan = Plan((Job(JobId("yearly"), JobKind.CHECK, Every.MONTH),), "kh@1", Digest("0" * 64))
    ledger.append("plan", run=RunId(""), body=bodies.write({"plan": plan}))
    ledger.append("check.started", run=RunId("check:yearly:2024-01"), subject="yearly", body=b"{}")

    assert portalops(home, "verify", "--json") == ExitCode.UNMET

    found = data_of(capsys, "ledger verify")
    assert found["integrity"]["holds"] is True
    assert {"job": "yearly", "slot": "2024-02"} in found["completeness"]["missing"]
    assert [each["id"] for each in found["completeness"]["crashed"]] == ["check:yearly:2024-01"]
    assert portalops(home, "verify") == ExitCode.UNMET
    assert "2024-02" in capsys.readouterr().out


def test_a_plan_that_cannot_be_read_leaves_completeness_unknown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = filled_ledger(home / "state")
    ledger.append("plan", run=RunId(""), body=b'{"plan":{}}')

    assert portalops(home, "verify") == ExitCode.PARTIAL
    assert "could not be found out" in capsys.readouterr().out


def test_a_missing_ledger_is_an_error_with_a_hint(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "verify") == ExitCode.FAILED

    error = capsys.readouterr().err
    assert error.startswith("error[PO1102]: there is no ledger at ")
    assert "hint: Run 'portalops run'" in error


def test_the_newest_records_are_listed_oldest_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled_ledger(home / "state")

    assert portalops(home, "show", "--last", "3", "--json") == ExitCode.OK

    found = data_of(capsys, "ledger show")
    assert [record["id"] for record in found] == [7, 8, 9]
    assert found[0]["at"] == "2026-11-25T01:10:00.000Z"


def test_records_are_listed_by_kind_and_by_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled_ledger(home / "state")

    portalops(home, "show", "--kind", "check.finished", "--json")
    assert [record["id"] for record in data_of(capsys, "ledger show")] == [3, 5, 7, 9]
    portalops(home, "show", "--kind", "check", "--last", "2", "--json")
    assert [record["id"] for record in data_of(capsys, "ledger show")] == [8, 9]
    portalops(home, "show", "--run", "12.4-testing:daily-check:2026-11-24", "--json")
    assert [record["id"] for record in data_of(capsys, "ledger show")] == [4, 5]
    assert portalops(home, "show", "--kind", "nonsense") == ExitCode.OK
    assert "no record of the kind nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("key", ["key.added"]),
        ("ledger", ["ledger.created"]),
        ("blob", ["blob.erased"]),
        ("blob.erased", ["blob.erased"]),
        ("check", ["check.started", "check.finished"] * 2),
    ],
)
def test_a_kind_means_all_that_begin_with_it_and_a_dot(
    home: Path, capsys: pytest.CaptureFixture[str], kind: str, found: list[str]
) -> None:
    ledger = filled_ledger(home / "state", runs=2)
    for other in ("key.added", "keys.other", "key-x", "blob.erased"):
        ledger.append(other, run=RunId(""), body=b"{}")

    assert portalops(home, "show", "--kind", kind, "--json") == ExitCode.OK
    assert [each["kind"] for each in data_of(capsys, "ledger show")] == found


@pytest.mark.parametrize("kind", ["ke", "check."])
def test_the_beginning_of_a_word_is_no_kind(home: Path, kind: str) -> None:
    filled_ledger(home / "state").append("key.added", run=RunId(""), body=b"{}")

    assert portalops(home, "show", "--kind", kind, "--json") == ExitCode.OK


def test_one_record_is_shown_with_its_details(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = filled_ledger(home / "state")
    record = ledger.record(3)
    assert record is not None

    assert portalops(home, "show", "3", "--json") == ExitCode.OK
    found = data_of(capsys, "ledger show")
    assert found["line"].encode() == record.line
    assert found["details"] == {"kind": "check.finished", "number": 0}
    assert portalops(home, "show", "3") == ExitCode.OK
    assert "check.finished" in capsys.readouterr().out


def test_details_that_are_not_json_or_are_long_are_shown_within_bounds(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = filled_ledger(home / "state")
    ledger.append("note", run=RunId(""), body=b"\xff\x1b[2J")
    ledger.append("note", run=RunId(""), body=bodies.write({"many": list(range(500)), "no": None, "yes": True}))

    assert portalops(home, "show", "10") == ExitCode.OK
    assert "\x1b[2J" not in capsys.readouterr().out
    assert portalops(home, "show", "11") == ExitCode.OK
    assert "302 more lines" in capsys.readouterr().out


def test_a_record_that_is_not_there_is_wrong_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled_ledger(home / "state")

    assert portalops(home, "show", "99") == ExitCode.USAGE
    assert "The ledger holds 9 records" in capsys.readouterr().err


def test_a_record_whose_details_were_changed_is_not_shown_as_if_nothing_was(home: Path) -> None:
    ledger = filled_ledger(home / "state")
    record = ledger.record(3)
    assert record is not None
    BlobFolder(ledger.folder / "blobs").path(record.body).unlink()

    assert portalops(home, "show", "3") == ExitCode.INTEGRITY
