"""How soon the command line answers: `portalops --version`, and `portalops status` over a ledger of 1,000,000 records.

The promises are 150 ms of CPU and 1 s from call to answer, on the two cores that they were made on; beside them stands what
the bare interpreter needs, which tells a slow machine from a slow program.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench._ledgers import CONFIGURATION, make
from bench._runs import PORTALOPS, measured

ROUNDS = 7
RECORDS = 1_000_000
VERSION_CPU_SECONDS = 0.150
STATUS_SECONDS = 1.0
ANSWERS = frozenset({0, 1, 3})
"""Exit codes of a status that was found out."""


def main() -> int:
    """Print times and ratios; return 1 if a promise is not kept."""
    bare = _median(lambda: _cpu_seconds([sys.executable, "-c", ""]))
    version = _median(lambda: _cpu_seconds([PORTALOPS, "--version"]))
    print(
        f"portalops --version: {version * 1000:.0f} ms CPU, {version / bare:.1f} x the bare interpreter (promise {VERSION_CPU_SECONDS * 1000:.0f} ms)"
    )
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), RECORDS)
        environment = {"PORTALOPS_STATE_FOLDER": folder}
        command = [PORTALOPS, "--config", CONFIGURATION, "status"]
        status = _median(lambda: measured(command, environment=environment, answers=ANSWERS).seconds)
    print(
        f"portalops status, {RECORDS:,} records: {status * 1000:.0f} ms, {status / bare:.1f} x the bare interpreter"
        f" (promise {STATUS_SECONDS * 1000:.0f} ms)"
    )
    return int(version > VERSION_CPU_SECONDS or status > STATUS_SECONDS)


def _median(measure: Callable[[], float]) -> float:
    measure()  # caches warm, byte code written
    return statistics.median(measure() for _round in range(ROUNDS))


def _cpu_seconds(command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
