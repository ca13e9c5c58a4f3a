"""The installer of a wheelhouse: nothing is installed that is not what was signed, and nothing is half-installed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.packaging.houses import SIGNER, STRANGER, allowed, command, house, install, seal

pytestmark = pytest.mark.needs("ssh-keygen")


def version_in_use(machine: Path) -> str:
    program = machine / "usr/local/bin/portalops"
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()


def left(machine: Path) -> list[str]:
    """Every file and link on the machine."""
    return sorted(
        str(path.relative_to(machine)) for path in machine.rglob("*") if not path.is_dir() or path.is_symlink()
    )


def fake(folder: Path, name: str, text: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin:/usr/sbin"}


@pytest.mark.heavy
def test_install_upgrade_roll_back_and_removal(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    page = "man/man1/portalops.1"
    old = house(tmp_path / "old", "1.0.0", share={page: "1.0.0", "man/man1/portalops-gone.1": "gone"})
    new = house(tmp_path / "new", "1.1.0", share={page: "1.1.0"})

    done = install(old, machine, "--allowed-signers", str(allowed(tmp_path)))

    assert done.returncode == 0, done.stderr
    assert f"portalops: signed by {SIGNER}\n" in done.stderr
    assert version_in_use(machine) == "portalops 1.0.0"
    assert (machine / "usr/local/share" / page).read_text() == "1.0.0"

    done = install(new, machine, "--allowed-signers", str(allowed(tmp_path)))

    assert done.returncode == 0, done.stderr
    assert version_in_use(machine) == "portalops 1.1.0"
    assert (machine / "usr/local/share" / page).read_text() == "1.1.0"
    assert not (machine / "usr/local/share/man/man1/portalops-gone.1").is_symlink()

    kept = machine / "opt/portalops/current/house"
    done = install(kept, machine, "--rollback")

    assert done.returncode == 0, done.stderr
    assert "in use again" in done.stderr
    assert version_in_use(machine) == "portalops 1.0.0"
    assert (machine / "usr/local/share/man/man1/portalops-gone.1").read_text() == "gone"

    again = install(new, machine)

    assert again.returncode == 0, again.stderr
    assert "is installed already" in again.stderr
    assert version_in_use(machine) == "portalops 1.1.0"

    (machine / "usr/local/bin/other").write_text("of the administrator")
    done = install(new, machine, "--uninstall")

    assert done.returncode == 0, done.stderr
    assert left(machine) == ["usr/local/bin/other"]
    assert sorted(path.name for path in machine.rglob("*") if path.is_dir()) == ["bin", "local", "opt", "usr"]


def test_a_version_that_nothing_was_before_is_not_rolled_back(tmp_path: Path) -> None:
    first = house(tmp_path / "house")

    nothing = install(first, tmp_path / "machine", "--rollback")

    assert nothing.returncode == 4
    assert nothing.stderr.startswith("error: nothing is installed in ")


def flip_a_byte(folder: Path) -> None:
    path = next((folder / "wheels").glob("tiny_dependency-*.whl"))
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)


def add_a_file(folder: Path) -> None:
    (folder / "wheels/more-1.0-py3-none-any.whl").write_bytes(b"")


def take_a_file(folder: Path) -> None:
    next((folder / "wheels").glob("tiny_dependency-*.whl")).unlink()


def make_a_link(folder: Path) -> None:
    (folder / "wheels/more").symlink_to("/etc/passwd")


def list_it_anew(folder: Path) -> None:
    signature = (folder / "SHA256SUMS.sig").read_bytes()
    flip_a_byte(folder)
    seal(folder, None)
    (folder / "SHA256SUMS.sig").write_bytes(signature)


def sign_as_a_stranger(folder: Path) -> None:
    seal(folder, STRANGER)


def take_the_signature(folder: Path) -> None:
    seal(folder, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (flip_a_byte, "a file is not what it was: ./wheels/tiny_dependency-2.0-py3-none-any.whl"),
        (add_a_file, "the files are not those that SHA256SUMS lists"),
        (take_a_file, "the files are not those that SHA256SUMS lists"),
        (make_a_link, "./wheels/more is no plain file"),
        (list_it_anew, "the signature does not hold"),
        (sign_as_a_stranger, "the signature is by a key that "),
        (take_the_signature, "this wheelhouse is not signed"),
    ],
)
def test_what_is_not_what_was_signed_is_refused(tmp_path: Path, change: object, said: str) -> None:
    made = house(tmp_path / "house")
    assert callable(change)
    change(made)

    done = install(made, tmp_path / "machine", "--allowed-signers", str(allowed(tmp_path)))

    assert done.returncode == 5
    assert said.replace("./wheels", "wheels") in done.stderr.replace("./wheels", "wheels")
    assert "hint: " in done.stderr
    assert left(tmp_path / "machine") == []


def test_without_a_file_of_signers_it_says_that_nobody_was_asked(tmp_path: Path) -> None:
    signed, unsigned = house(tmp_path / "a", kib=10**15), house(tmp_path / "b", kib=10**15, key=None)

    told = [install(each, tmp_path / "machine").stderr.splitlines()[0] for each in (signed, unsigned)]

    assert told == [
        "portalops: who made this is NOT checked: name a file by --allowed-signers",
        "portalops: who made this is NOT known: it is not signed",
    ]


@pytest.mark.parametrize(
    ("program", "text", "said"),
    [
        (
            "uname",
            "case $1 in -m) echo aarch64 ;; *) echo Linux ;; esac",
            "is for Linux on x86_64; this is Linux on aarch64",
        ),
        ("getconf", "exit 1", "this system has no GNU C library"),
        ("getconf", "echo glibc 2.9", "the C library is 2.9; 2.17 or newer is needed"),
        ("df", "printf 'h\\n/dev/vda 1 1 0 100%% /\\n'", "has 0 KiB free; 1 KiB are needed"),
    ],
)
def test_a_machine_that_it_is_not_for_is_told_so(tmp_path: Path, program: str, text: str, said: str) -> None:
    done = install(house(tmp_path / "house"), tmp_path / "machine", environment=fake(tmp_path / "bin", program, text))

    assert done.returncode == 4
    assert said in done.stderr
    assert left(tmp_path / "machine") == []


def test_another_python_than_those_that_it_is_for_is_told(tmp_path: Path) -> None:
    fake(tmp_path, "python", "echo 3.9")

    done = install(house(tmp_path / "house"), tmp_path / "machine", "--python", str(tmp_path / "python"))

    assert done.returncode == 4
    assert f"{tmp_path / 'python'} is 3.9;" in done.stderr


@pytest.mark.heavy
def test_a_failed_installation_leaves_what_was_in_use(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    assert install(house(tmp_path / "old", "1.0.0"), machine).returncode == 0
    before = left(machine)

    done = install(house(tmp_path / "new", "1.1.0", wrong_digest=True), machine)

    assert done.returncode == 4
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert "nothing was installed; what was in use is in use" in done.stderr
    assert left(machine) == before
    assert version_in_use(machine) == "portalops 1.0.0"


@pytest.mark.heavy
def test_a_killed_installation_leaves_what_was_in_use_and_the_next_one_clears_up(tmp_path: Path) -> None:
    machine, new = tmp_path / "machine", house(tmp_path / "new", "1.1.0")
    assert install(house(tmp_path / "old", "1.0.0"), machine).returncode == 0

    killed = subprocess.Popen(command(new, machine), start_new_session=True, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(machine.glob("opt/portalops/1.1.0-*/bin/python")):
        assert killed.poll() is None and time.monotonic() < until
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    assert version_in_use(machine) == "portalops 1.0.0"
    done = install(new, machine)
    assert done.returncode == 0, done.stderr
    assert "removing what an installation left that did not end" in done.stderr
    assert version_in_use(machine) == "portalops 1.1.0"


def test_a_program_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    (machine / "usr/local/bin").mkdir(parents=True)
    (machine / "usr/local/bin/portalops").write_text("#!/bin/sh\n")

    done = install(house(tmp_path / "house"), machine)

    assert done.returncode == 4
    assert "is there, and not of this installer" in done.stderr
    assert left(machine) == ["usr/local/bin/portalops"]


@pytest.mark.parametrize(
    "arguments",
    [("--allowed-signers",), ("--prefix", "opt"), ("--links", "/a b"), ("--sideways",), ("--rollback", "--uninstall")],
)
def test_wrong_usage_is_told_before_anything_is_done(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = install(house(tmp_path / "house"), tmp_path / "machine", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "install.sh --rollback" in done.stderr
