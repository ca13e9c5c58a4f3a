"""What a person reads of the two verdicts: both in the first two lines, then what does not hold, then the details."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.signed_home import Home


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    home = Home(tmp_path, capsys)
    home.call("head")
    return home


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["Integrity:     holds: nothing was changed", "Completeness:  holds: nothing expected is missing"]),
        ("vi", ["Toàn vẹn:  đạt: không có gì bị thay đổi", "Đầy đủ:    đạt: không thiếu gì so với kế hoạch"]),
    ],
)
def test_both_verdicts_come_before_anything_else(home: Home, language: str, lines: list[str]) -> None:
    shown = home.read("verify", "--quiet", language=language)

    assert shown.splitlines()[:2] == lines


def test_what_does_not_hold_comes_right_behind_the_verdicts_with_what_to_do(home: Home) -> None:
    home.ledger.remove_blob(home.ledger.record(3).body)  # type: ignore[union-attr]

    shown = home.read("verify", "--quiet", expected=ExitCode.INTEGRITY)

    before_the_details = shown.partition("\nIntegrity\n---------\n")[0].splitlines()
    assert before_the_details[0] == "Integrity:     does not hold: something was changed"
    assert before_the_details[3] == "! The first record that cannot be trusted is 3."
    assert before_the_details[5].startswith("Change nothing, and keep everything as it is.")
    assert before_the_details[11].startswith("3         record 3: blob ")


def test_no_heading_says_that_nothing_was_changed_where_something_was(home: Home) -> None:
    home.ledger.remove_blob(home.ledger.record(3).body)  # type: ignore[union-attr]

    assert "nothing was changed" not in home.read("verify", "--quiet", expected=ExitCode.INTEGRITY)


def test_a_verdict_without_a_head_from_elsewhere_says_what_it_would_not_show(home: Home, tmp_path: Path) -> None:
    code = home.call("head")["code"]
    without = home.read("verify", "--quiet")
    with_one = home.read("verify", "--quiet", "--head-code", code)

    assert "! No head kept elsewhere was compared" in without
    assert "No head kept elsewhere" not in with_one


def test_the_six_lines_of_a_head_can_be_copied_as_they_are(home: Home) -> None:
    made = home.call("head")

    shown = home.read("head", "--quiet")

    assert shown.startswith(f"Head code:          {made['code']}\n")
    assert f"The six lines that are signed:\n\n{made['head']}\n" in shown


def test_a_bundle_is_handed_over_with_the_fingerprint_of_its_key(home: Home, tmp_path: Path) -> None:
    fingerprint = home.call("head")["fingerprint"]

    shown = home.read("export", "--quiet", "--period", "2024-01", "--output", str(tmp_path / "bundle"))

    assert shown.startswith("The bundle is written.\n")
    assert f"- the fingerprint of the ledger's key, {fingerprint}, in person or by telephone\n" in shown


def test_a_bundle_shows_its_verdicts_before_what_it_says_of_itself(home: Home, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    home.call("export", "--period", "2024-01", "--output", str(bundle))
    (bundle / "bundle.json").write_text(json.dumps(json.loads((bundle / "bundle.json").read_bytes())))

    shown = home.read("verify", "--quiet", str(bundle), expected=ExitCode.INTEGRITY)

    assert shown.startswith("Integrity:     does not hold: something was changed\n")


def test_faults_that_are_not_listed_are_counted(home: Home, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    home.call("export", "--period", "2024-01", "--output", str(bundle))
    for number in range(60):
        (bundle / "blobs" / f"{number:064x}").write_bytes(b"x")

    shown = home.read("verify", "--quiet", str(bundle), expected=ExitCode.INTEGRITY)

    count = int(re.findall(r"^([0-9]+) faults$", shown, re.MULTILINE)[0])
    assert f"\n{count - 50} more are not listed.\n" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--run", "nope"], "the ledger has no such record of the run nope"),
        (["5", "--kind", "plan"], "--kind chooses among records, and record 5 is named"),
    ],
)
def test_a_choice_of_records_that_names_none_is_refused(home: Home, options: list[str], message: str) -> None:
    assert home.call("show", *options, expected=ExitCode.USAGE)["message"] == message
