"""Kills a process at each of its system calls in turn, until it survives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

MARK = "the ledger's own work begins"

PRELUDE = f"""
import os, sys
from pathlib import Path
from portalops.ledger.ledger import Ledger
from portalops import bodies
from portalops.model.record import RunId
from portalops.ledger.record import line_digest
from portalops.system.clock import SystemClock
import portalops.ledger.writer
os.access({MARK!r}, os.F_OK)
folder = Path(sys.argv[1])
def acknowledge(text):
    os.write(1, text.encode() + b"\\n")
"""
"""Everything is imported before the mark; `acknowledge` is one write."""


def survivors(
    program: str, call: str, make: Callable[[Path], None], folder: Path, *, step: int = 1
) -> Iterator[tuple[Path, list[str], bool]]:
    """Run a program on folders made for it, killing it when it enters a system call for the first, second, ... time.

    Args:
        step: 1 for every time, 2 for every other.

    Yields:
        The folder, the lines that the program wrote, and whether it came to its end; the last one does.
    """
    skipped = _calls_before_mark(program, call, make, folder / "counted")
    for number in range(1, 400, step):
        place = folder / f"{call}-{number}"
        make(place)
        inject = f"inject={call}:signal=KILL:when={skipped + number}"
        done = _traced(program, place, "-e", f"trace={call}", "-e", inject)
        assert done.returncode in {0, -signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr
        yield place, done.stdout.splitlines(), done.returncode == 0
        if done.returncode == 0:
            assert number > 1, f"never called: {call}"
            return
        shutil.rmtree(place)
    raise AssertionError(f"never survived: {call}")


def _calls_before_mark(program: str, call: str, make: Callable[[Path], None], place: Path) -> int:
    make(place)
    log = place.with_suffix(".log")
    done = _traced(program, place, "-e", f"trace={call},access,faccessat,faccessat2", "-o", str(log))
    assert done.returncode == 0, done.stderr
    before, mark, _after = log.read_text(encoding="utf-8", errors="replace").partition(MARK)
    assert mark, "the mark was not seen"
    shutil.rmtree(place)
    return sum(f"{call}(" in line for line in before.splitlines())


def _traced(program: str, place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # The interpreter itself, not through the link of the virtual environment's shell: its first process is what is killed.
    return subprocess.run(
        ["strace", "-f", "-s", "200", *options, "--", sys.executable, "-c", PRELUDE + program, place],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
