"""The state folder is its owner's alone, whatever the umask and whatever was there before."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.private_folder import close_to_others, make_private_folder, open_to_others

TOML = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
[state]
folder = "deep/state"
[signing]
key = "keys/signing"
[report]
folder = "reports"
languages = ["vi"]
[[job]]
id = "check"
kind = "check"
every = "day"
duty = "3.1"
[[job]]
id = "report"
kind = "report"
every = "month"
duty = "14"
"""


@pytest.fixture(params=[0o002, 0o022, 0o000], ids=["umask 0002", "umask 0022", "umask 0000"])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    before = os.umask(request.param)
    (tmp_path / "portalops.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "portalops.toml").chmod(0o644)
    yield tmp_path
    os.umask(before)


def call(portal: Path, *arguments: str) -> int:
    return run(["--config", str(portal / "portalops.toml"), "--quiet", "--no-input", *arguments], {})


def modes(folder: Path) -> dict[str, str]:
    """Return the modes that let others in, by path."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        for path in found
        if path.lstat().st_mode & 0o077
    }


def test_what_commands_make_in_the_state_folder_is_closed_to_others(portal: Path) -> None:
    call(portal, "init", "--keys")
    for arguments in (("run",), ("ledger", "head"), ("ledger", "verify"), ("status",), ("updates", "collect")):
        call(portal, *arguments)

    state = portal / "deep" / "state"
    assert (state / "ledger.sqlite").exists() and (state / "blobs").is_dir()
    assert modes(state) == {}
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700


def test_the_log_and_the_shared_memory_of_an_open_ledger_are_closed_too(portal: Path) -> None:
    call(portal, "run")
    state = portal / "deep" / "state"
    connection = sqlite3.connect(state / "ledger.sqlite")
    connection.execute("BEGIN IMMEDIATE")
    beside = sorted(path.name for path in state.glob("ledger.sqlite*"))
    assert beside == ["ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal"] and modes(state) == {}
    connection.close()


def test_reports_stay_readable_where_the_operator_put_them(portal: Path) -> None:
    call(portal, "run")
    written = list((portal / "reports").rglob("*.html"))
    assert written and all(path.stat().st_mode & 0o044 == 0o044 for path in written)


def test_doctor_names_what_is_open_and_closes_it_on_demand(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(portal, "run")
    state = portal / "deep" / "state"
    state.chmod(0o755)
    (state / "ledger.sqlite").chmod(0o664)
    capsys.readouterr()

    call(portal, "--lang", "en", "doctor", "--only", "state-folder")
    said = " ".join(capsys.readouterr().out.split())
    call(portal, "--lang", "en", "doctor", "--only", "state-folder", "--fix")

    assert "open to other accounts" in said and "doctor --fix" in said
    assert "open to other accounts" not in " ".join(capsys.readouterr().out.split())
    assert modes(state) == {}


def test_a_run_closes_what_an_earlier_version_left_open(portal: Path) -> None:
    call(portal, "run")
    state = portal / "deep" / "state"
    for path in (state, *state.rglob("*")):
        path.chmod(path.stat().st_mode | 0o055)

    call(portal, "run")

    assert list(open_to_others(state)) == []


def test_links_and_what_belongs_to_others_are_left(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    make_private_folder(tmp_path / "state")
    (tmp_path / "state" / "link").symlink_to(outside)

    assert close_to_others(tmp_path / "state") == ()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
