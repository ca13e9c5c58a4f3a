"""The scripts behind the Makefile: what they say where a machine lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
    )


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def path_with(folder: Path, *names: str) -> Mapping[str, str]:
    """Return an environment in which only these real programs and those of the folder are found."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return {"PATH": str(folder), "LC_ALL": "C"}


def test_a_machine_with_an_older_python_alone_is_told_so(tmp_path: Path) -> None:
    program(tmp_path, "python3", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')

    done = run([str(SCRIPTS / "find_python")], path_with(tmp_path, "sh"))

    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs Python 3.11 or newer; python3 here is Python 3.9.2" in done.stderr
    assert "hint: " in done.stderr


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    done = run([str(SCRIPTS / "find_python")], path_with(tmp_path, "sh"))

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr


def test_a_newer_python_of_another_name_is_found(tmp_path: Path) -> None:
    program(tmp_path, "python3", "exit 1")
    program(tmp_path, "python3.13", "exit 0")

    done = run([str(SCRIPTS / "find_python")], path_with(tmp_path, "sh"))

    assert done.stdout.strip() == str(tmp_path / "python3.13")


def test_the_named_python_is_taken_first(tmp_path: Path) -> None:
    program(tmp_path, "python3", "exit 0")
    program(tmp_path, "mine", "exit 0")

    done = run([str(SCRIPTS / "find_python"), str(tmp_path / "mine")], path_with(tmp_path, "sh"))

    assert done.stdout.strip() == str(tmp_path / "mine")


def test_set_up_without_a_purpose_it_knows_says_how_it_is_called() -> None:
    done = run([sys.executable, str(SCRIPTS / "set_up.py"), "everything"])

    assert done.returncode == 2
    assert done.stderr == "usage: python3 scripts/set_up.py run|dev\n"


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    file = tmp_path / "packages.txt"
    file.write_text("# a comment\nsome-package  no-such-program-here  # something is tried\nbash  sh  # always there\n")
    return file


def test_present_programs_are_not_installed(tmp_path: Path) -> None:
    file = tmp_path / "packages.txt"
    file.write_text("bash  sh  # always there\n", encoding="utf-8")

    done = run([str(SCRIPTS / "system_packages"), str(file)])

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_root_it_is_said_what_cannot_be_tried_and_why(tmp_path: Path, wanted: Path) -> None:
    program(tmp_path / "bin", "apt-get", "exit 99")
    program(tmp_path / "bin", "id", "echo 1000")

    done = run([str(SCRIPTS / "system_packages"), str(wanted)], path_with(tmp_path / "bin", "sh"))

    assert done.returncode == 0
    assert "no-such-program-here is missing (package some-package): something is tried" in done.stderr
    assert "those parts can't be tried: installing needs root; as root: apt-get install some-package" in done.stderr


def test_without_apt_it_is_said_what_cannot_be_tried(tmp_path: Path, wanted: Path) -> None:
    done = run([str(SCRIPTS / "system_packages"), str(wanted)], path_with(tmp_path / "bin", "sh"))

    assert done.returncode == 0
    assert "this machine has no apt" in done.stderr


def test_as_root_what_is_missing_is_installed(tmp_path: Path, wanted: Path) -> None:
    program(tmp_path / "bin", "apt-get", 'echo "apt-get $*" >&2')
    program(tmp_path / "bin", "id", "echo 0")

    done = run([str(SCRIPTS / "system_packages"), str(wanted)], path_with(tmp_path / "bin", "sh"))

    assert done.returncode == 0
    assert "apt-get -qq update" in done.stderr
    assert "install some-package" in done.stderr


def test_a_failed_installation_is_no_success(tmp_path: Path, wanted: Path) -> None:
    program(tmp_path / "bin", "apt-get", "exit 100")
    program(tmp_path / "bin", "id", "echo 0")

    assert run([str(SCRIPTS / "system_packages"), str(wanted)], path_with(tmp_path / "bin", "sh")).returncode == 100


def test_scripts_that_are_called_by_name_are_executable() -> None:
    for name in ("find_python", "system_packages", "../.ci/run"):
        assert os.access(SCRIPTS / name, os.X_OK), name
