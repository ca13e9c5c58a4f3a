"""Ledgers to measure on, and what the measuring of them shares."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORTALOPS = str(Path(sys.executable).with_name("portalops"))
CONFIGURATION = str(ROOT / "portalops.toml")


def make(folder: Path, records: int) -> None:
    """Make a ledger of so many records in a state folder, apart: what it took would stay in this process's peak of memory."""
    measured([sys.executable, "-m", "bench.fabricate_ledger", str(folder), str(records)])


def hash_lines(path: Path) -> None:
    """Feed a file to SHA-256 line by line, without the line feeds: the least that whoever checks a chain has to do."""
    with path.open("rb") as file:
        for line in file:
            hashlib.sha256(line[:-1]).hexdigest()


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how long some work took, by the wall clock unless another one is given."""
    begun = clock()
    work()
    return clock() - begun


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took."""

    seconds: float
    """From call to answer."""
    peak_kib: int
    """The most memory that its process had at once; its own children are not in it."""


def measured(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, answers: frozenset[int] = frozenset({0})
) -> Measured:
    """Run a command from the project's folder, its output thrown away.

    Args:
        command: its name and arguments.
        environment: variables beside those of this process.
        answers: exit codes with which it has done its work.

    Raises:
        RuntimeError: it ended with another one.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in answers:
        raise RuntimeError(f"exit status {process.returncode}: {' '.join(command)}")
    return Measured(took, usage.ru_maxrss)


def peak_kib() -> int:
    """Return the most memory that this process had at once; `ru_maxrss` would count what it was forked from."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not say how much memory this process had")
