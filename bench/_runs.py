"""Whole processes measured in turns, and what came of it as ratios.

Every process of a round meets about the same machine, so the median of the rounds' ratios is what is judged; seconds are
shown beside it. What the caches hold is the same for all: each is run in turns over files that were just written or read.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PORTALOPS = str(Path(sys.executable).with_name("portalops"))


@dataclass(frozen=True, slots=True)
class Measured:
    """One process with its children, start to end."""

    seconds: float
    cpu_seconds: float
    """Of its children too."""
    peak_mib: float
    """The most memory that one of these processes had at once."""


Runs = Mapping[str, Sequence[Measured]]


def measured(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    answers: frozenset[int] = frozenset({0}),
    folder: Path = ROOT,
) -> Measured:
    """Run a command, its output thrown away.

    Args:
        command: its name and arguments.
        environment: variables beside those of this process.
        answers: exit codes with which it has done its work.
        folder: where it is run.

    Raises:
        RuntimeError: it ended with another one.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **(environment or {})},
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in answers:
        raise RuntimeError(f"exit status {process.returncode}: {shlex.join(command)}")
    return Measured(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def piped(command: str) -> Measured:
    """Run a pipeline of bash, which fails if any part of it does."""
    return measured(["bash", "-c", f"set -o pipefail; {command}"])


def in_turns(rounds: int, works: Mapping[str, Callable[[], Measured]]) -> dict[str, list[Measured]]:
    """Return what each work took in each round; a work prepares what it needs before it measures."""
    runs: dict[str, list[Measured]] = {name: [] for name in works}
    for _round in range(rounds):
        for name, work in works.items():
            runs[name].append(work())
    return runs


def show(runs: Runs, size: int = 0) -> None:
    """Print medians, and rates where a size in bytes is given."""
    for name, each in runs.items():
        seconds = statistics.median(one.seconds for one in each)
        cpu = statistics.median(one.cpu_seconds for one in each)
        peak = max(one.peak_mib for one in each)
        rate = f"{size / 1e6 / seconds:6.0f} MB/s" if size else ""
        print(f"{name:34} {seconds:6.2f} s {rate} {cpu:6.2f} CPU-s  peak {peak:4.0f} MiB")


def ratio(runs: Runs, mine: str, peer: str, of: Callable[[Measured], float] = lambda each: each.seconds) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(of(one) / of(other) for one, other in zip(runs[mine], runs[peer], strict=True))


def judged(what: str, value: float, *, goal: float, never_above: float) -> bool:
    """Print a number beside its goal and say whether it is at most what it must never be above."""
    word = "kept" if value <= goal else "MISSED"
    print(f"{what}: {value:.2f} (goal {goal:g}: {word}; never above {never_above:g})", flush=True)
    return value <= never_above


@contextmanager
def scratch(bytes_needed: int) -> Iterator[Path]:
    """Make a folder for the time of a measurement, in memory where there is room for it, so that no disk is measured."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and shutil.disk_usage(memory).free > bytes_needed else None
    with TemporaryDirectory(prefix="portalops-bench-", dir=base) as name:
        yield Path(name)


def lacking(*programs: str) -> bool:
    """Say, in print too, whether a program that is to be measured against is not there."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        print(f"not measured: {', '.join(missing)} not installed")
    return bool(missing)


def versions(*commands: str) -> str:
    """Return the first line that each command prints."""
    return "; ".join(
        subprocess.run(shlex.split(each), check=True, capture_output=True, text=True).stdout.partition("\n")[0].strip()
        for each in commands
    )
