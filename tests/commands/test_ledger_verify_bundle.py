"""A bundle is verified from the command line without a configuration, with heads that an auditor brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.ledger.bundle.bundles import week
from tests.shapes import validate


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a week in which one planned round is missing."""
    monkeypatch.chdir(tmp_path)  # where no configuration is
    week(tmp_path / "state").export(tmp_path / "bundle")
    return tmp_path / "bundle"


def verify(capsys: pytest.CaptureFixture[str], *arguments: str, expected: ExitCode) -> Any:
    code = run(["--json", "ledger", "verify", *arguments], {})
    said = json.loads(capsys.readouterr().out)
    assert code == expected, said
    if said.get("error") is None:
        validate("ledger verify", said["data"])
    return said["data"] if said.get("error") is None else said["error"]


def test_a_bundle_is_judged_in_two_verdicts(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verify(capsys, str(bundle), expected=ExitCode.UNMET)
    assert found["integrity"]["holds"] is True and found["completeness"]["holds"] is False
    assert found["bundle"]["period"] == {"first": "2026-11-23", "last": "2026-11-29"}
    assert run(["--lang", "vi", "ledger", "verify", str(bundle)], {}) == ExitCode.UNMET
    assert "Cổng ví dụ" in capsys.readouterr().out


def test_a_changed_bundle_and_a_foreign_head_are_shown(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = min((bundle / "heads").glob("*.txt"))
    found = verify(capsys, str(bundle), "--head", str(head), expected=ExitCode.UNMET)
    assert [each["verdict"] for each in found["integrity"]["brought"]] == ["holds"]
    found = verify(capsys, str(bundle), "--head-code", "3-0000-0000-0000-0000-0000", expected=ExitCode.INTEGRITY)
    assert found["integrity"]["first_bad"] == 1
    lines = (bundle / "ledger.jsonl").read_bytes()
    (bundle / "ledger.jsonl").write_bytes(lines.replace(b'"subject":""', b'"subject":"x"', 1))
    assert verify(capsys, str(bundle), expected=ExitCode.INTEGRITY)["integrity"]["first_bad"] == 1


def test_what_is_no_bundle_is_wrong_usage(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(capsys, str(tmp_path), expected=ExitCode.USAGE)["code"] == "PO1108"
    assert verify(capsys, str(tmp_path / "none"), expected=ExitCode.USAGE)["code"]
    assert "--quick is for" in verify(capsys, str(bundle), "--quick", expected=ExitCode.USAGE)["message"]
