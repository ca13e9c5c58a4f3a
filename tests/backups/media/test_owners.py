"""Whose unfinished set it is: the marks of runs, and whether those are alive."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backups.media._owners import is_alive, run_mark

ROOT = Path(__file__).parents[3]
SAY = "import sys; from backups.media._owners import run_mark; print(run_mark(), flush=True); sys.stdin.read()"


def test_this_run_is_alive() -> None:
    assert is_alive(run_mark()) is True


def test_a_run_is_alive_until_it_is_killed_and_dead_before_it_is_waited_for() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None and process.stdin is not None
    mark = process.stdout.readline().strip()
    assert is_alive(mark) is True

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and its number not free yet
    assert is_alive(mark) is False
    process.wait()
    process.stdin.close()
    process.stdout.close()

    assert is_alive(mark) is False


def test_another_process_with_the_same_number_is_another_run() -> None:
    space, pid, started = run_mark().rsplit("-", 2)

    assert is_alive(f"{space}-{pid}-{int(started) + 1}") is False


@pytest.mark.parametrize("mark", ["", "x", "0123456789ab-1-2-3", "0123456789ab-1-2", "../0123456789ab-1-2-3"])
def test_what_another_machine_wrote_cannot_be_told_from_here(mark: str) -> None:
    assert is_alive(mark) is None


def test_a_process_that_only_its_owner_sees_may_be_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_permitted(_pid: int, _signal: int) -> None:
        raise PermissionError

    space, _pid, started = run_mark().rsplit("-", 2)
    hidden = f"{space}-{2**22 + 1}-{started}"
    assert is_alive(hidden) is False
    monkeypatch.setattr("os.kill", not_permitted)

    assert is_alive(hidden) is None
