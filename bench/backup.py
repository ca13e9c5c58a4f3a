"""A full set with every digest, on one medium and on two, beside the stock pipeline and restic: `python -m bench.backup [MIB]`.

The peers: `tar | zstd -T0 -3 | age` into one file, which takes no digest; `restic backup` with its defaults into a new
repository. A set takes two digests of nearly every byte (member, stored file), and is written to each medium.
What that leaves of the goals beside the pipeline on two cores is in docs/decisions/0014.

Neither peer reads back what it wrote, so writing and sealing alone is what the goals are for; the whole command,
`portalops backup run`, which reads both copies back and records what it found, is shown beside it, and so is the start of the
program, which is in all of these.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench._corpus import made_apart
from bench._portal import Portal, Restic, stock_backup
from bench._runs import Measured, in_turns, judged, lacking, piped, ratio, scratch, show, versions

ROUNDS = 3
DEFAULT_MIB = 1392
PIPE, RESTIC, ONE, TWO, WHOLE, START = (
    "tar | zstd -T0 -3 | age",
    "restic backup",
    "one medium",
    "two media",
    "backup run: two, and read back",
    "start of the program",
)
MEMORY_MIB = 300


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if nothing is above what it must never be."""
    mebibytes = int(arguments[0]) if arguments else DEFAULT_MIB
    if lacking("tar", "zstd", "age", "age-keygen", "restic"):
        return 0
    with scratch(4 * mebibytes << 20) as work:
        return _measure(work, mebibytes)


def _measure(work: Path, mebibytes: int) -> int:
    corpus, out = work / "corpus", work / "pipe.age"
    files, size = made_apart(corpus, mebibytes=mebibytes)
    print(versions("tar --version", "zstd --version", "age --version", "restic version"))
    print(f"{files} files, {size / 1e9:.2f} GB in {work}, {ROUNDS} rounds in turns, {os.cpu_count()} cores")
    portal, restic = Portal(work / "portal", corpus, media=("disk-a", "disk-b")), Restic(work / "restic")

    def pipe() -> Measured:
        out.unlink(missing_ok=True)
        return piped(stock_backup(corpus, portal.recipient, out))

    def sealed(media: int) -> Measured:
        portal.forget()
        return portal.sealed(media=media)

    def whole() -> Measured:
        portal.forget()
        return portal.command("backup", "run", "--full")

    def by_restic() -> Measured:
        portal.forget()
        restic.init()
        done = restic.command("backup", str(corpus))
        shutil.rmtree(work / "restic")
        return done

    runs = in_turns(
        ROUNDS,
        {
            PIPE: pipe,
            TWO: lambda: sealed(2),
            ONE: lambda: sealed(1),
            WHOLE: whole,
            RESTIC: by_restic,
            START: lambda: sealed(0),
        },
    )
    show(runs, size)
    peak = max(each.peak_mib for name in (ONE, TWO, WHOLE) for each in runs[name])
    return 1 - all(
        [
            judged("two media / pipe", ratio(runs, TWO, PIPE), goal=1.0, never_above=2.2),
            judged("one medium / pipe", ratio(runs, ONE, PIPE), goal=0.9, never_above=1.9),
            judged("two media / restic", ratio(runs, TWO, RESTIC), goal=0.45, never_above=0.9),
            judged("two media / pipe, processor", ratio(runs, TWO, PIPE, _cpu), goal=1.4, never_above=1.9),
            judged("peak, MiB", peak, goal=MEMORY_MIB, never_above=MEMORY_MIB),
        ]
    )


def _cpu(each: Measured) -> float:
    return each.cpu_seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
