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


INSTALLER = (sys.executable, str(SCRIPTS / "system_packages.py"))


@pytest.fixture
def wanted(tmp_path: Path) -> str:
    file = tmp_path / "packages.txt"
    file.write_text("# a comment\nsome-package  no-such-program-here  # something is tried\nbash  sh  # always there\n")
    return str(file)


def test_present_programs_are_not_installed(tmp_path: Path) -> None:
    file = tmp_path / "packages.txt"
    file.write_text("bash  sh  # always there\n", encoding="utf-8")

    done = run([*INSTALLER, "--install", str(file), "echo", "tested"])

    assert (done.returncode, done.stdout, done.stderr) == (0, "tested\n", "")


def test_nothing_is_installed_unasked_and_what_is_missing_is_named(tmp_path: Path, wanted: str) -> None:
    program(tmp_path / "bin", "apt-get", "exit 99")

    done = run([*INSTALLER, wanted, "sh", "-c", "exit 5"], path_with(tmp_path / "bin", "sh"))

    assert done.returncode == 5
    assert "1 package is missing; what needs it is not tried: some-package" in done.stderr
    assert "make test SYSTEM=1" in done.stderr


def test_without_root_nothing_is_installed_and_nothing_is_run(tmp_path: Path, wanted: str) -> None:
    program(tmp_path / "bin", "apt-get", "exit 99")

    done = run(
        ["unshare", "--user", *INSTALLER, "--install", wanted, "sh", "-c", "echo tested"],
        path_with(tmp_path / "bin", "sh", "unshare"),
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "hint: Run as root: apt-get install some-package" in done.stderr


def test_without_apt_nothing_is_installed(tmp_path: Path, wanted: str) -> None:
    done = run([*INSTALLER, "--install", wanted], path_with(tmp_path / "bin", "sh"))

    assert done.returncode == 1
    assert "error: this machine has no apt-get" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("policy", ["", "exit 104"])
def test_packages_are_listed_first_and_none_starts_a_service(tmp_path: Path, wanted: str, policy: str) -> None:
    """In a mount namespace: /usr/sbin is an empty folder there, but for a policy that was there before."""
    folder = tmp_path / "bin"
    listing = 'echo "Inst lib-of-it (1)"; echo "Inst some-package (2)"'
    installing = f'/usr/sbin/policy-rc.d; echo "policy $?" >&2; cp /bin/true {folder}/no-such-program-here'
    program(folder, "apt-get", f'case "$*" in *--simulate*) {listing} ;; *install*) {installing} ;; esac')
    before = (
        f'printf "#!/bin/sh\n{policy}\n" >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d;' if policy else ""
    )
    apart = f'mount -t tmpfs tmpfs /usr/sbin; {before} "$@"; ls /usr/sbin; /usr/sbin/policy-rc.d; echo $?'
    path = path_with(folder, "sh", "mount", "unshare", "chmod", "cp", "ls")

    done = run(
        ["unshare", "--mount", "sh", "-c", apart, "sh", *INSTALLER, "--install", wanted, "sh", "-c", "echo tested"],
        path,
    )

    told = done.stderr
    assert told.index("2 packages are installed") < told.index("  lib-of-it some-package\n") < told.index("policy 101")
    assert done.stdout.split() == (["tested", "policy-rc.d", "104"] if policy else ["tested", "127"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_service_that_is_left_running_is_named(tmp_path: Path, wanted: str) -> None:
    """In a process namespace: what is left is a child of its first process."""
    program(tmp_path / "bin", "no-such-program-here", "")
    ready = tmp_path / "ready"
    background = (
        f'setsid sh -c "touch {ready}; exec sleep 99" </dev/null >/dev/null 2>&1 & until [ -e {ready} ]; do :; done'
    )
    leaving = f"TESTS_PATIENCE_SECONDS=1 {INSTALLER[0]} {INSTALLER[1]} --install {wanted} sh -c '{background}'; echo $?"

    done = run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", leaving],
        path_with(tmp_path / "bin", "sh", "unshare", "setsid", "sleep", "touch"),
    )

    assert (done.stdout, done.stderr) == ("1\n", "error: sleep: 1 more running than before\n")


def test_a_failed_installation_is_no_success(tmp_path: Path, wanted: str) -> None:
    program(tmp_path / "bin", "apt-get", "exit 100")

    done = run([*INSTALLER, "--install", wanted, "sh", "-c", "echo tested"], path_with(tmp_path / "bin", "sh"))

    assert (done.returncode, done.stdout) == (1, "")


def test_scripts_that_are_called_by_name_are_executable() -> None:
    for name in ("find_python", "system_packages.py", "../.ci/run"):
        assert os.access(SCRIPTS / name, os.X_OK), name
