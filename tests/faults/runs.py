"""Runs of portalops that are harmed at their n-th change: killed there, or told an error of the disk.

`preload.c` stands before the C library of one process, which has everything imported (`worker.py`). Each run is a child of
it, so that a run costs what it does and not what Python's start does; hundreds of places are tried in minutes. The count
goes over all threads, and what is counted is every call that changes anything: see the end of `preload.c`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from tests.programs import need

ROOT = Path(__file__).parents[2]
NOWHERE = 1 << 40
"""A number that no run reaches."""


_ANSWER = re.compile(r"^\{", re.MULTILINE)


class Act(IntEnum):
    """What happens at the chosen call, as `preload.c` numbers it."""

    COUNT = 1
    KILL = 2
    """The process is killed instead of the call."""
    FAIL_ONCE = 3
    """The call says an error, and those after it work."""
    FAIL_FROM = 4
    """This call and all after it say an error, as on a disk that is full or gone."""
    HALVE = 5
    """Every write takes half of what it is given, as write(2) may."""


@dataclass(frozen=True, slots=True)
class Harm:
    """What is done to a run, and where."""

    act: Act
    number: int = NOWHERE
    """Of the call, from 1."""
    error: int = errno.EIO
    place: str = ""
    """The beginning of the paths that it is done to; empty for everything, sockets too."""


UNHARMED = Harm(Act.COUNT)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a run."""

    signal: int
    """What killed it, or 0."""
    codes: tuple[int, ...]
    """The exit code of each command; none for a run that was killed."""
    output: bytes
    calls: str
    """A letter for each counted call (preload.c); empty for a run that was killed."""

    @property
    def was_killed(self) -> bool:
        return self.signal == signal.SIGKILL

    def answers(self) -> list[Any]:
        """Return what each command answered, where all of them were asked for JSON; lines of the log between are left out."""
        decoder, text, found = json.JSONDecoder(), self.output.decode("utf-8", "replace"), []
        while begin := _ANSWER.search(text):
            value, end = decoder.raw_decode(text, begin.start())
            found.append(value)
            text = text[end:]
        return found


class Runs:
    """Starts runs, one at a time."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "LD_PRELOAD": str(library), "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
        )
        assert self._answer() == "ready"

    def run(
        self, commands: Sequence[Sequence[str]], temporary: Path, harm: Harm = UNHARMED, *, days_later: int = 0
    ) -> Ended:
        """Carry out command lines in one new process, with its temporary files in a folder, some days later than it is."""
        output, end = self._folder / "output", self._folder / "output.end"
        end.unlink(missing_ok=True)
        request = {
            "commands": [list(each) for each in commands],
            "action": harm.act.value,
            "number": harm.number,
            "error": harm.error,
            "place": harm.place,
            "output": str(output),
            "temporary": str(temporary),
            "days_later": days_later,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._answer())["status"]
        said = output.read_bytes()
        ended: dict[str, Any] = json.loads(end.read_text("ascii")) if end.exists() else {"codes": [], "calls": ""}
        died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        assert died in {0, signal.SIGKILL} and (died or status == 0), said.decode()[-3000:]
        return Ended(died, tuple(ended["codes"]), said, ended["calls"])

    def stop(self) -> None:
        """End the process that the runs begin in."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the process that is harmed has ended"
        return line


@contextlib.contextmanager
def open_runs(folder: Path) -> Iterator[Runs]:
    """Build the library and start the process that runs begin in."""
    need("gcc")
    library = folder / "preload.so"
    source = Path(__file__).with_name("preload.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-nostdlib", "-o", library, source], check=True)
    runs = Runs(library, folder)
    try:
        yield runs
    finally:
        runs.stop()
