"""A differential set beside `restic backup` with its defaults, both on what they have seen before: `python -m bench.differential [MIB]`.

Nothing changed in a mixed tree and in 200,000 small files; and the same hundredth of the mixed tree's files written anew
before each round. Both are whole commands: portalops walks and compares, writes a set of its own that builds on the full one
alone, reads the set back and records it; restic walks, compares with its last snapshot, and writes another one.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench._corpus import made_apart
from bench._portal import Portal, Restic
from bench._runs import Measured, Runs, in_turns, judged, lacking, ratio, scratch, show, versions

ROUNDS = 5
DEFAULT_MIB = 1392
NOTES = 200_000
CHANGED_OF = 100


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if nothing is above what it must never be."""
    mebibytes = int(arguments[0]) if arguments else DEFAULT_MIB
    if lacking("age-keygen", "restic"):
        return 0
    print(f"{versions('restic version')}; {ROUNDS} rounds in turns, {os.cpu_count()} cores")
    with scratch(4 * mebibytes << 20) as work:
        files, _size = made_apart(work / "corpus", mebibytes=mebibytes)
        tree = _Seen(work, f"{files} files of {mebibytes} MiB")
        is_good = judged("unchanged tree / restic", ratio(tree.runs(), *tree.names), goal=0.6, never_above=1.2)
        changed = tree.runs(before=_Changes(work / "corpus").make)
        is_good &= judged("1 % changed / restic", ratio(changed, *tree.names), goal=0.7, never_above=1.4)
    with scratch(8 * NOTES << 10) as work:
        made_apart(work / "corpus", notes=NOTES)
        notes = _Seen(work, f"{NOTES} files")
        is_good &= judged(
            "unchanged 200,000 files / restic", ratio(notes.runs(), *notes.names), goal=0.3, never_above=0.6
        )
    return 1 - is_good


class _Seen:
    """A tree that both have a first backup of."""

    names = ("portalops backup run --diff", "restic backup")

    def __init__(self, work: Path, what: str) -> None:
        self._what = what
        self._corpus = work / "corpus"
        self._restic = Restic(work / "restic")
        self._restic.init()
        self._restic.command("backup", str(self._corpus))
        self._portal = Portal(work / "portal", self._corpus)
        self._portal.command("backup", "run", "--full")

    def runs(self, before: Callable[[], None] | None = None) -> Runs:
        def by_portalops() -> Measured:
            if before is not None:
                before()
            return self._portal.command("backup", "run", "--diff")

        runs = in_turns(
            ROUNDS,
            {self.names[0]: by_portalops, self.names[1]: lambda: self._restic.command("backup", str(self._corpus))},
        )
        print(f"{self._what}, {'1 % of them changed' if before else 'unchanged'}")
        show(runs)
        return runs


class _Changes:
    """Writes the same files anew each time, with other bytes, so that both have as much to do in each round."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())[::CHANGED_OF]
        self._random = random.Random(2)

    def make(self) -> None:
        for path in self._files:
            path.write_bytes(self._random.randbytes(path.stat().st_size))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
