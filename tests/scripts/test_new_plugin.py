"""A plug-in of each kind is begun by one command, with all that its guards ask for; what only its author knows is marked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import new_plugin
from tests.test_house import tracked_files
from tests.test_plugins import BROKEN

ROOT = Path(__file__).parents[2]
KINDS = sorted(path.stem for path in new_plugin.SKELETONS.glob("*.txt"))
IDS = {"check": "trial.good-state", "record-check": "trial.good-records"}
GUARDS = (
    "tests/test_plugins.py",
    "tests/test_docs.py",
    "tests/test_house.py::test_every_folder_with_code_is_a_package",
    "tests/locale",
    "tests/checks/servers/test_catalogue.py",
    "tests/checks/servers/test_matrix.py",
    "tests/checks/servers/test_seeded.py",
    "tests/checks/servers/test_own.py",
    "tests/rulebooks/test_data.py",
    "tests/reports/test_hints.py",
    "tests/reports/test_formats.py",
    "tests/official/test_formats.py",
    "tests/commands/test_config.py",
    "tests/commands/test_doctor_here.py::test_every_subject_is_told_in_the_documentation",
    "tests/checks/updates/test_products.py",
    "tests/checks/imports",
    "tests/notify/test_channels.py",
    "tests/notify/test_trial_one_channel.py",
    "tests/backups/sources/test_trial_one.py",
    "tests/backups/test_trial_one_format.py",
    "tests/backups/test_archive.py::test_every_kind_is_tried_here",
    "tests/backups/adopters/test_samples.py::test_every_kind_is_tried_here",
    "tests/backups/media/test_throttled.py::test_every_kind_can_be_limited",
    "tests/reports/test_trial_one_report.py",
    "tests/commands/test_doctor_trial_one.py",
    "tests/contract/test_media.py::test_every_kind_has_its_settings_here",
    "tests/contract/test_anchors.py::test_every_kind_has_its_place_here",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the repository."""
    for path in tracked_files():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return tmp_path


def begin(tree: Path, kind: str, name: str = "trial-one") -> tuple[Path, ...]:
    return new_plugin.write(tree, kind, new_plugin.names_of(kind, name, IDS.get(kind, "")))


def run(tree: Path, *call: str) -> str:
    """Run a module in the copy; return what it prints, empty if all is well."""
    done = subprocess.run([sys.executable, "-m", *call], cwd=tree, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_there_is_a_skeleton_for_each_kind_that_has_a_door() -> None:
    assert {each.kind for each in BROKEN} == set(KINDS)


@pytest.mark.heavy
def test_every_skeleton_is_code_that_marks_what_is_to_be_filled_in_and_begins_nothing_twice(tree: Path) -> None:
    for kind in KINDS:
        files = begin(tree, kind)

        for path in files:
            if path.suffix == ".py":
                compile(path.read_bytes(), path, "exec")
        assert list(new_plugin.left_over(tree, files)), kind
        with pytest.raises(new_plugin.Refused, match="is there already"):
            begin(tree, kind)


@pytest.mark.parametrize(
    ("kind", "name", "check"),
    [
        ("medium", "Big Disk", ""),
        ("medium", "2fa", ""),
        ("medium", "class", ""),
        ("medium", "a" * 300, ""),
        ("check", "good", "nothing"),
        ("check", "lambda", "ssh.lambda"),
        ("check", "good", f"ssh.{'a' * 300}"),
    ],
)
def test_a_name_or_an_id_that_is_none_is_refused(kind: str, name: str, check: str) -> None:
    with pytest.raises(new_plugin.Refused):
        new_plugin.names_of(kind, name, check)


def test_a_kind_that_there_is_not_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert new_plugin.main(["medum", "dvd"]) == 2

    assert capsys.readouterr().err == "error: there is no kind of plug-in 'medum'; did you mean medium?\n"


def test_every_file_that_it_changes_and_a_new_family_are_told(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet", tree], check=True)
    subprocess.run(["git", "add", "."], cwd=tree, check=True)

    assert new_plugin.main(["check", "good", "--id", "trial.good", "--into", str(tree)]) == 0

    told = capsys.readouterr().out
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=tree, check=True, capture_output=True, text=True
    ).stdout
    files = {line.split()[-1] for line in changed.splitlines() if line[1] in "M?"}
    assert {line.removeprefix("wrote ") for line in told.splitlines() if line.startswith("wrote ")} == files
    assert "trial is a new family of checks; those of before: acct, " in told


@pytest.mark.heavy
def test_fresh_skeletons_of_all_kinds_pass_every_guard_but_where_they_are_to_be_filled_in(tree: Path) -> None:
    files = tuple(dict.fromkeys(path for kind in KINDS for path in begin(tree, kind)))
    new_plugin.settle(tree, files)

    assert run(tree, "ruff", "check", ".") == ""
    assert run(tree, "ruff", "format", "--check", ".") == ""
    assert run(tree, "portalops.locale.build", "--check") == ""
    assert run(tree, "mypy") == ""
    told = run(tree, "pytest", "-q", "-m", "not heavy", "-p", "no:cacheprovider", *GUARDS)
    of_themselves = re.compile(r"\[.*trial-one.*\]")
    failed = re.findall(r"(?m)^(?:FAILED|ERROR) (.*)$", told)
    assert [line for line in failed if not of_themselves.search(line)] == [], told[-5000:]
    assert not failed or " passed" in told
