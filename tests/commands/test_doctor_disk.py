"""What the doctor says of disks: room for further sets, file systems that are full or read-only, and files that were changed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticState, diagnose
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.installations import Direction, Installation, InstalledVersion
from portalops.system.clock import SystemClock
from portalops.system.installation import find_installed
from tests.doubles import FixedClock

REPOSITORY = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def seen(folder: Path, subject: str, *, deep: bool = False) -> tuple[Diagnosis, ...]:
    session = Session(Invocation((), config=folder / "portalops.toml"), dict(os.environ), clock=SystemClock())
    return diagnose(session, only=[subject], deep=deep)


def said(found: tuple[Diagnosis, ...], state: DiagnosticState) -> str:
    return "\n".join(str(each.seen) for each in found if each.state is state)


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A portal that has made one backup of a small folder."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "content").mkdir()
    (tmp_path / "content/page.html").write_text("Cổng thông tin", encoding="utf-8")
    arguments = ["init", "--no-input", "--portal-id", "kh", "--name-vi", "C", "--medium", str(tmp_path / "disk")]
    assert run([*arguments, "--folder", str(tmp_path)], os.environ) == ExitCode.OK
    config = tmp_path / "portalops.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('"/etc"', '"content"'), encoding="utf-8")
    run(["--config", str(config), "backup", "run"], os.environ)
    capsys.readouterr()
    return tmp_path


def test_how_many_further_sets_fit_is_told_by_the_newest_one(portal: Path) -> None:
    found = seen(portal, "space")

    fits = next(each for each in found if each.about == "disk-a")
    assert fits.state is DiagnosticState.GOOD and "more full sets fit, as large as the newest one" in str(fits.seen)
    assert "the ledger and its evidence take" in said(found, DiagnosticState.GOOD)


def test_without_retention_every_medium_fills_up(portal: Path) -> None:
    before = said(seen(portal, "space"), DiagnosticState.NOTE)
    config = portal / "portalops.toml"
    text = config.read_text(encoding="utf-8")
    kept = "[backup.retention]" in text
    if not kept:
        config.write_text(f"{text}\n[backup.retention]\nkeep_last = 3\n", encoding="utf-8")
    after = said(seen(portal, "space"), DiagnosticState.NOTE)

    assert kept or "no retention is configured" in before
    assert "no retention is configured" not in after


# --- File systems ---------------------------------------------------------------------------------------

MOUNTED = """
import json, os, pathlib, sys
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import diagnose
session = Session(Invocation((), config=pathlib.Path(sys.argv[1])), {})
found = diagnose(session, only=["state-folder", "space"])
print(json.dumps([[each.subject, each.state.name, str(each.seen)] for each in found]))
"""


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(
        '[portal]\nid = "kh"\nname = { vi = "C" }\n[state]\nfolder = "disk/state"\n', encoding="utf-8"
    )
    (tmp_path / "disk").mkdir()
    return tmp_path


def looked(folder: Path, options: str, fill: str = "true") -> list[list[str]]:
    """Look from a mount namespace in which `disk` is a file system of its own, which nobody else sees."""
    disk, ask = folder / "disk", [sys.executable, "-c", MOUNTED, str(folder / "portalops.toml")]
    script = f'mount -t tmpfs -o size=1m none "$0" && mkdir -m 700 "$0/state" && {fill} && mount -o remount,{options} "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(disk), *ask],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root can mount")


@needs_root
def test_a_state_folder_that_is_mounted_read_only_is_bad(mounted: Path) -> None:
    found = looked(mounted, "ro")

    assert ["state-folder", "BAD"] in [each[:2] for each in found]
    assert "is mounted read-only" in str(found)


@needs_root
def test_a_state_folder_with_little_room_is_a_warning(mounted: Path) -> None:
    found = looked(mounted, "rw", 'head -c 1000000 /dev/zero > "$0/filler"')

    assert [each[1] for each in found if each[0] == "state-folder"] == ["WARNING"]
    assert "has little room" in str(found)


@needs_root
def test_a_full_state_folder_is_bad_since_nothing_can_be_recorded(mounted: Path) -> None:
    found = looked(mounted, "rw", 'head -c 1040000 /dev/zero > "$0/filler"')

    assert [each[1] for each in found if each[0] == "state-folder"] == ["BAD"]
    assert "lies on a file system that is full" in str(found)


@needs_root
def test_a_file_system_without_inodes_is_bad_and_not_called_writable_though_it_has_room(mounted: Path) -> None:
    fill = 'for n in 1 2 3 4 5 6 7 8; do touch "$0/$n"; done'

    found = looked(mounted, "rw,nr_inodes=10", fill)

    assert "has little room for further files: 0 of 10 inodes are free" in str(found)
    assert [each[1] for each in found if each[0] == "state-folder"] == ["BAD"]


# --- What is installed ------------------------------------------------------------------------------------


def test_a_file_of_a_package_that_was_changed_is_only_seen_by_the_deep_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "portalops.toml").write_text('[portal]\nid = "kh"\nname = { vi = "C" }\n', encoding="utf-8")
    package, told = tmp_path / "site/odd_one.py", tmp_path / "site/odd_one-1.0.dist-info"
    told.mkdir(parents=True)
    package.write_text("x = 1\n", encoding="utf-8")
    digest = base64.urlsafe_b64encode(hashlib.sha256(package.read_bytes()).digest()).rstrip(b"=").decode()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-one\nVersion: 1.0\n", encoding="utf-8")
    (told / "RECORD").write_text(f"odd_one.py,sha256={digest},6\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), str(REPOSITORY)])
    whole = said(seen(tmp_path, "libraries", deep=True), DiagnosticState.GOOD)
    package.write_text("x = 2\n", encoding="utf-8")

    quick = seen(tmp_path, "libraries")
    deep = seen(tmp_path, "libraries", deep=True)

    assert "all 1 files of 1 packages are as they were installed" in whole
    assert "odd_one.py" not in str(quick)
    assert "odd_one.py is not as it was installed" in said(deep, DiagnosticState.BAD)


def test_another_portalops_than_the_one_that_wrote_the_ledger_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "portalops.toml").write_text(
        '[portal]\nid = "kh"\nname = { vi = "C" }\n[state]\nfolder = "state"\n', encoding="utf-8"
    )
    told = tmp_path / "site/portalops-0.1.0.dist-info"
    told.mkdir(parents=True)
    (told / "RECORD").write_text(f"portalops/__init__.py,sha256={'A' * 43},100\n", encoding="utf-8")
    ledger = Ledger.open(tmp_path / "state", FixedClock(NOW), create=True)

    def line(installed: InstalledVersion) -> Diagnosis:
        first = Installation(Direction.FIRST, installed, None)
        ledger.append("installation", run=NO_RUN, body=bodies.write({"installation": first}))
        return next(each for each in seen(tmp_path, "versions") if each.about == "installation")

    assert "installation" not in {each.about for each in seen(tmp_path, "versions")}
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    same, other = line(find_installed()), line(InstalledVersion("0.0.9", None, None, "3.13.5"))
    (told / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}', encoding="utf-8")
    checkout = line(find_installed())

    assert (same.state, other.state, checkout.state) == (
        DiagnosticState.GOOD,
        DiagnosticState.NOTE,
        DiagnosticState.NOTE,
    )
    assert "was last written by portalops 0.0.9, made of other files than this one" in str(other.seen)
    assert "is a checkout" in str(checkout.seen)
