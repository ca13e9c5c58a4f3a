"""A run that is stopped or killed leaves a ledger that verifies, shows what happened, and is done again by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.e2e.conftest import ROOT, Done, call

SLOW = """
[[backup.source]]
id = "slow"
kind = "command"
class = "related"
command = ["sh", "-c", "[ ! -e {flag} ] || {{ rm {flag}; echo $$ > {begun}; exec sleep 600; }}; echo done"]
"""


@pytest.fixture
def slow_portal(portal: Path) -> Path:
    """A portal of which the first backup takes long, and every later one no time."""
    flag, begun = portal / "slow", portal / "begun"
    flag.touch()
    os.mkfifo(begun)
    with (portal / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(SLOW.format(flag=flag, begun=begun))
    return portal


class AtWork(subprocess.Popen[str]):
    """A run in the middle of its backup."""

    child: int = 0
    """The program that its source is."""


@contextmanager
def run_at_work(portal: Path) -> Iterator[AtWork]:
    """Start a run, and go on when it is in the middle of its backup."""
    with AtWork(
        [sys.executable, "-c", "from commands.app import main; main()", "run", "weekly-backup", "--json"],
        cwd=portal,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PORTALOPS_LANG": "en"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            process.child = int((portal / "begun").read_text(encoding="utf-8"))
            yield process
        finally:
            process.kill()
            if process.child and state_of(process.child) not in {"", "Z", "X"}:
                os.kill(process.child, signal.SIGKILL)  # as systemd does with all that a unit started


def records(portal: Path) -> list[str]:
    """The records of the run, in their order; those of the plan and of the signing key are left out."""
    shown = call(portal, "ledger", "show", "--json").data
    return [record["kind"] for record in shown if record["kind"].startswith("backup.")]


def outcomes(done: Done) -> dict[str, str]:
    """Return what became of each job; anchors follow a backup by themselves."""
    return {job["id"]: job["outcome"] for job in done.data["jobs"]}


def state_of(process: int) -> str:
    """Return a process's state as proc(5) names it; empty if there is none. One that has ended may wait for its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def left_behind(portal: Path) -> list[Path]:
    """Return what lies on the media beside whole sets."""
    media = (portal / "var" / "media").glob("*/*")
    return [path for path in media if path.name.startswith(".") or not (path / "set.json").is_file()]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.heavy)]
)
def test_a_run_that_is_stopped_says_so_and_is_done_again_at_once(slow_portal: Path, number: signal.Signals) -> None:
    with run_at_work(slow_portal) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=120)

    assert process.returncode == ExitCode.INTERRUPTED, err
    assert '"code": "interrupted"' in out
    assert err == "interrupted\n"
    assert state_of(process.child) in {"", "Z", "X"}
    assert records(slow_portal) == ["backup.started", "backup.finished"]
    assert left_behind(slow_portal) == []
    assert call(slow_portal, "ledger", "verify").code == ExitCode.OK
    again = call(slow_portal, "run", "weekly-backup", "--due", "--json")
    assert outcomes(again) == {"weekly-backup": "complete", "daily-anchor": "complete"}


def test_a_run_that_is_killed_shows_as_unfinished_and_is_done_again(slow_portal: Path) -> None:
    with run_at_work(slow_portal) as process:
        process.kill()
        process.wait(timeout=120)

    assert records(slow_portal) == ["backup.started"]
    verified = call(slow_portal, "ledger", "verify")
    assert verified.code == ExitCode.OK
    assert "10.2:weekly-backup:" in verified.out.partition("Runs that began and did not finish, the newest last")[2]
    again = call(slow_portal, "run", "weekly-backup", "--due", "--json")
    assert outcomes(again) == {"weekly-backup": "complete", "daily-anchor": "complete"}
    assert left_behind(slow_portal) == []


@pytest.mark.heavy
def test_what_a_run_works_on_is_refused_to_others_by_name_and_nothing_else_is(slow_portal: Path) -> None:
    with run_at_work(slow_portal) as process:
        second = call(slow_portal, "run", "weekly-backup")
        by_hand = call(slow_portal, "backup", "verify", "--json")
        knocked = call(slow_portal, "run", "weekly-backup", "--due", "--json")
        other = call(slow_portal, "run", "daily-anchor", "--json")
        reading = call(slow_portal, "status")

        assert second.code == by_hand.code == ExitCode.LOCKED
        assert f"the lock media is held by job weekly-backup, process {process.pid}, since " in second.out
        assert f"ps -fp {process.pid}" in second.out
        assert knocked.data["jobs"] == []
        assert outcomes(other) == {"daily-anchor": "complete"}
        assert reading.code in {ExitCode.UNMET, ExitCode.PARTIAL}
        assert records(slow_portal) == ["backup.started"]


@pytest.mark.heavy
def test_who_waits_does_not_do_again_what_was_done_meanwhile(slow_portal: Path) -> None:
    with run_at_work(slow_portal) as process:
        waiting = call(slow_portal, "run", "weekly-verify", "--wait", "0.1", "--json")
        process.terminate()
        process.wait(timeout=120)
    done = call(slow_portal, "run", "weekly-backup", "--due", "--wait", "60", "--json")

    assert waiting.code == ExitCode.LOCKED
    assert outcomes(done) == {"weekly-backup": "complete", "daily-anchor": "complete"}
