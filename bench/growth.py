"""Whether time a byte, time a file and memory stay flat while a tree grows to 4 and 16 times its size: `python -m bench.growth`.

Full sets on one medium, sealed and not read back; once of a mixed tree, where bytes and files grow, and once of small files
alone. The start of the program, which does not grow, is taken off.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from bench._corpus import made_apart
from bench._portal import Portal
from bench._runs import Measured, in_turns, judged, lacking, scratch

ROUNDS = 3
TIMES = (1, 4, 16)
MIXED_MIB, NOTES = 80, 12_000
FLAT = 1.2
"""What a sixteenfold tree may take of time for each part of it, and of memory altogether: the smallest fills no queue."""
NEVER_ABOVE = 1.5


def main() -> int:
    """Measure and print; 0 if nothing is above what it must never be."""
    if lacking("age-keygen"):
        return 0
    print(f"{ROUNDS} rounds in turns, {os.cpu_count()} cores")
    with scratch(4 * MIXED_MIB * sum(TIMES) << 20) as work:
        is_good = _grown(
            work, "mixed tree", lambda folder, times: made_apart(folder, mebibytes=MIXED_MIB * times)[1] >> 20, "MiB"
        )
    with scratch(8 * NOTES * sum(TIMES) << 10) as work:
        is_good &= _grown(work, "small files", lambda folder, times: made_apart(folder, notes=NOTES * times)[0], "file")
    return 1 - is_good


def _grown(work: Path, what: str, make: Callable[[Path, int], int], unit: str) -> bool:
    counts, works = {}, {}
    for times in TIMES:
        counts[times] = make(work / f"corpus-{times}", times)
        portal = Portal(work / f"portal-{times}", work / f"corpus-{times}")
        works[str(times)] = _fresh(portal)
    works["start"] = lambda: portal.sealed(media=0)
    runs = in_turns(ROUNDS, works)
    start = statistics.median(each.seconds for each in runs["start"])
    each_takes, peak = {}, {}
    for times in TIMES:
        seconds = statistics.median(each.seconds for each in runs[str(times)]) - start
        each_takes[times] = seconds / counts[times]
        peak[times] = statistics.median(each.peak_mib for each in runs[str(times)])
        print(
            f"{what}, {times:2} x: {counts[times]:7} {unit}, {seconds:6.2f} s, {each_takes[times] * 1e6:7.1f} us a {unit},"
            f" peak {peak[times]:4.0f} MiB"
        )
    is_good = judged(
        f"{what}, time of each, 16 x / 1 x", each_takes[16] / each_takes[1], goal=FLAT, never_above=NEVER_ABOVE
    )
    return judged(f"{what}, memory, 16 x / 1 x", peak[16] / peak[1], goal=FLAT, never_above=NEVER_ABOVE) and is_good


def _fresh(portal: Portal) -> Callable[[], Measured]:
    def run() -> Measured:
        portal.forget()
        return portal.sealed(media=1)

    return run


if __name__ == "__main__":
    sys.exit(main())
