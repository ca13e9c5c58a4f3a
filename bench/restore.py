"""A set restored, and all its bytes verified, beside the stock pipelines and restic: `python -m bench.restore [MIB]`.

Restoring: `portalops backup restore`, which compares every pack with its digest first; `age -d | zstd -d | tar -x`, which checks that
age and zstd are content; `restic restore`. Verifying: `portalops backup verify` with a private key, which compares the stored
files and every member with their digests; `age -d | zstd -d | tar -t` with `sha256sum` of the
stored file at the same time, which digests no plaintext; `restic check
--read-data`. All are whole commands. Without a key portalops reads and compares what is stored: shown, and not judged.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench._corpus import made_apart
from bench._portal import Portal, Restic, stock_backup
from bench._runs import Measured, in_turns, judged, lacking, piped, ratio, scratch, show, versions

ROUNDS = 3
DEFAULT_MIB = 1392
OURS, PIPE, RESTIC = "backup restore", "age -d | zstd -d | tar -x", "restic restore"
OUR_LOOK, PIPE_LOOK, RESTIC_LOOK = (
    "backup verify --identity",
    "age -d | zstd -d | tar -t; sha256sum",
    "restic check --read-data",
)
STORED = "backup verify, no key"


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if nothing is above what it must never be."""
    mebibytes = int(arguments[0]) if arguments else DEFAULT_MIB
    if lacking("tar", "zstd", "age", "age-keygen", "sha256sum", "restic"):
        return 0
    with scratch(6 * mebibytes << 20) as work:
        return _measure(work, mebibytes)


def _measure(work: Path, mebibytes: int) -> int:
    corpus, back, stock = work / "corpus", work / "back", work / "pipe.age"
    files, size = made_apart(corpus, mebibytes=mebibytes)
    print(versions("tar --version", "zstd --version", "age --version", "restic version"))
    print(f"{files} files, {size / 1e9:.2f} GB in {work}, {ROUNDS} rounds in turns, {os.cpu_count()} cores")
    portal, restic = Portal(work / "portal", corpus), Restic(work / "restic")
    piped(stock_backup(corpus, portal.recipient, stock))
    portal.command("backup", "run", "--full")
    restic.init()
    restic.command("backup", str(corpus))
    shutil.rmtree(corpus)
    key = str(portal.identity)
    opened = f"age -d -i {shlex.quote(key)} {shlex.quote(str(stock))} | zstd -q -dc"

    def fresh() -> str:
        shutil.rmtree(back, ignore_errors=True)
        return str(back)

    def by_pipe() -> Measured:
        fresh()
        back.mkdir()
        return piped(f"{opened} | tar -xf - -C {shlex.quote(str(back))}")

    runs = in_turns(
        ROUNDS,
        {
            PIPE: by_pipe,
            OURS: lambda: portal.command("backup", "restore", "latest", "--to", fresh(), "--identity", key),
            RESTIC: lambda: restic.command("restore", "latest", "--target", fresh()),
            PIPE_LOOK: lambda: piped(f"sha256sum {shlex.quote(str(stock))} & {opened} | tar -tf - && wait $!"),
            OUR_LOOK: lambda: portal.command("backup", "verify", "latest", "--identity", key),
            RESTIC_LOOK: lambda: restic.command("check", "--read-data"),
            STORED: lambda: portal.command("backup", "verify", "latest"),
        },
    )
    show(runs, size)
    return 1 - all(
        [
            judged("restore / pipe", ratio(runs, OURS, PIPE), goal=0.85, never_above=2.5),
            judged("restore / restic", ratio(runs, OURS, RESTIC), goal=0.6, never_above=2.0),
            judged("verify / pipe", ratio(runs, OUR_LOOK, PIPE_LOOK), goal=1.0, never_above=2.5),
            judged("verify / restic", ratio(runs, OUR_LOOK, RESTIC_LOOK), goal=0.8, never_above=2.0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
