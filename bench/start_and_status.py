"""How soon the command line answers: `portalops --version`, and `portalops status` over a ledger of 100,000 records.

The promises are 150 ms of CPU and 300 ms from call to answer, on the two cores that they were made on; beside them stands what
the bare interpreter needs, which tells a slow machine from a slow program.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.fabricate_ledger import fabricate

ROOT = Path(__file__).resolve().parent.parent
PORTALOPS = str(Path(sys.executable).with_name("portalops"))
ROUNDS = 7
RECORDS = 100_000
VERSION_CPU_SECONDS = 0.150
STATUS_SECONDS = 0.300
ANSWERS = frozenset({0, 1, 3})
"""Exit codes of a status that was found out."""


def main() -> int:
    """Print times and ratios; return 1 if a promise is not kept."""
    bare = _median(lambda: _cpu_seconds([sys.executable, "-c", ""]))
    version = _median(lambda: _cpu_seconds([PORTALOPS, "--version"]))
    print(
        f"portalops --version: {version * 1000:.0f} ms CPU, {version / bare:.1f} x the bare interpreter (promise 150 ms)"
    )
    with tempfile.TemporaryDirectory() as folder:
        fabricate(Path(folder), RECORDS, until=datetime.now(UTC))
        environment = {**os.environ, "PORTALOPS_STATE_FOLDER": folder}
        command = [PORTALOPS, "--config", str(ROOT / "portalops.toml"), "status"]
        status = _median(lambda: _wall_seconds(command, environment))
    print(
        f"portalops status, {RECORDS:,} records: {status * 1000:.0f} ms, {status / bare:.1f} x the bare interpreter (promise 300 ms)"
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


def _wall_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    if done.returncode not in ANSWERS:
        raise RuntimeError(done.stderr.decode())
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
