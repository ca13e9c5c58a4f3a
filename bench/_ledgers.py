"""Ledgers to measure on, and what the measuring of them shares."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench._runs import ROOT, measured

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


def peak_kib() -> int:
    """Return the most memory that this process had at once; `ru_maxrss` would count what it was forked from."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not say how much memory this process had")
