"""How soon the command line answers: pages, `portalops status` over a year's ledger, and over one of 1,000,000 records.

Times of a start are multiples of the CPU time of `python -c pass` (goals 4, 10, 10 and 20), which tells a slow machine from a slow
program: each call of a round is measured beside a bare interpreter of the same round. The large ledger has a goal of 1 s from call to
answer, on two cores.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench._ledgers import CONFIGURATION, make
from bench._runs import PORTALOPS, Measured, in_turns, judged, measured, ratio, scratch

ROUNDS = 15
YEAR = 18_600
"""Records of a year: updates each hour, checks each day, a backup and a verification each week."""
RECORDS = 1_000_000
STATUS_SECONDS, STATUS_SECONDS_LIMIT = 1.0, 1.5
GOALS: Mapping[str, tuple[float, float]] = {
    "--version": (4, 5),
    "--help": (10, 12),
    "backup --help": (10, 12),
    "status": (20, 30),
}
"""What is aimed at, and what a change must not make worse than, as multiples of the bare interpreter."""
ANSWERS = frozenset({0, 1, 3})
"""Exit codes of a status that was found out."""
BARE = "python -c pass"


def main() -> int:
    """Print times and multiples; 0 if nothing is worse than it may be."""
    with scratch(1 << 30) as folder:
        year, large = folder / "year", folder / "large"
        make(year, YEAR)
        kept = [*_multiples(year)]
        make(large, RECORDS)
        seconds = statistics.median(_call(("status",), state=large).seconds for _round in range(ROUNDS))
        kept.append(
            judged(
                f"status, {RECORDS:,} records, seconds", seconds, goal=STATUS_SECONDS, never_above=STATUS_SECONDS_LIMIT
            )
        )
    return 0 if all(kept) else 1


def _multiples(state: Path) -> Sequence[bool]:
    works: dict[str, Callable[[], Measured]] = {BARE: _bare}
    works |= {name: partial(_call, name.split(" "), state=state) for name in GOALS}
    in_turns(1, works)  # caches warm, byte code written
    runs = in_turns(ROUNDS, works)
    for name, each in runs.items():
        print(f"{name:34} {statistics.median(one.cpu_seconds for one in each) * 1000:6.1f} ms CPU", flush=True)
    return [
        judged(f"{name}, of {BARE}", ratio(runs, name, BARE, of=_cpu), goal=goal, never_above=limit)
        for name, (goal, limit) in GOALS.items()
    ]


def _bare() -> Measured:
    return measured([sys.executable, "-c", "pass"], environment=_environment())


def _call(arguments: Sequence[str], *, state: Path) -> Measured:
    command = [PORTALOPS, "--config", CONFIGURATION, *arguments]
    if arguments == ["--version"]:  # alone it is answered before anything is imported
        command = [PORTALOPS, "--version"]
    return measured(command, environment={**_environment(), "PORTALOPS_STATE_FOLDER": str(state)}, answers=ANSWERS)


def _environment() -> Mapping[str, str]:
    return {"PYTHONDONTWRITEBYTECODE": ""}  # byte code is kept, as of a program that is installed


def _cpu(run: Measured) -> float:
    return run.cpu_seconds


if __name__ == "__main__":
    sys.exit(main())
