"""The pass over a chain of 1,000,000 records beside feeding the same lines to SHA-256 one by one, in the same language.

The pass is measured on one core, by the time that the core worked, and as portalops does it, by the clock: where there are two
cores, a second process looks at a part of a large ledger. Then the whole command is shown, which also compares what was planned
with what was recorded, and has SQLite go over its indexes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench._ledgers import CONFIGURATION, hash_lines, make, peak_kib, seconds
from bench._runs import PORTALOPS, measured
from portalops.ledger.chain import Faults, check_chain
from portalops.ledger.store import open_snapshot

RECORDS = 1_000_000
ROUNDS = 3
GOAL = 0.5
"""Share of the hashing's speed that the pass is to keep on two cores."""

PROMISED = 0.25
"""Share below which something broke. One core alone keeps more, and somebody else may be using the second one just now."""

PROMISED_MIB = 32
"""How much memory the pass may take: a tenth of what the lines are, and no more for more of them."""


def main() -> int:
    """Print speeds, their ratios and the memory; return 1 if less is kept than promised."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make(folder, RECORDS)
        ledger, listing = folder / "ledger.sqlite", folder / "lines"
        before = peak_kib()
        records = _write_lines(ledger, listing)
        cores = len(os.sched_getaffinity(0))
        hashing_works, hashing, alone, usual = [], [], [], []
        for _round in range(ROUNDS):  # in turns: a busy machine is busy for all of them
            with _on_one_core():
                hashing_works.append(seconds(lambda: hash_lines(listing), time.process_time))
                alone.append(seconds(lambda: _check(ledger, records), time.process_time))
            hashing.append(seconds(lambda: hash_lines(listing)))
            usual.append(seconds(lambda: _check(ledger, records)))
        grown = (peak_kib() - before) / 1024
        whole = measured(
            [PORTALOPS, "--config", CONFIGURATION, "ledger", "verify", "--quick"],
            environment={"PORTALOPS_STATE_FOLDER": str(folder)},
        )
    kept_alone, kept = min(hashing_works) / min(alone), min(hashing) / min(usual)
    print(f"SHA-256 line by line     {records / min(hashing):12,.0f} records/s")
    print(f"the pass on one core     {records / min(alone):12,.0f} records/s   ratio {kept_alone:.2f}")
    print(f"the pass on {min(cores, 2)} of {cores:2} cores {records / min(usual):11,.0f} records/s   ratio {kept:.2f}")
    print(f"memory of the pass       {grown:12.1f} MiB for {records:,} records   (promised: at most {PROMISED_MIB})")
    print(
        f"ledger verify --quick    {records / whole.seconds:12,.0f} records/s   ratio {min(hashing) / whole.seconds:.2f}"
        f"   both verdicts and the indexes; {whole.peak_mib:.0f} MiB in all"
    )
    met = "met" if kept >= GOAL else "MISSED"
    met_alone = "met" if kept_alone >= GOAL else "missed"
    print(f"goal {GOAL}: {met}; on one core alone {met_alone}   (promised: {PROMISED} either way)")
    return 0 if min(kept, kept_alone) >= PROMISED and grown <= PROMISED_MIB else 1


def _write_lines(ledger: Path, listing: Path) -> int:
    records = 0
    with open_snapshot(ledger) as snapshot, listing.open("wb") as file:
        for chunk in snapshot.chunks(1000):
            for line in chunk.lines:
                assert isinstance(line, bytes)
                file.write(line + b"\n")
            records += len(chunk.lines)
    return records


def _check(ledger: Path, records: int) -> None:
    faults = Faults()
    with open_snapshot(ledger) as snapshot:
        chain = check_chain(snapshot, faults)
    assert (chain.records, faults.count) == (records, 0), faults.first()[:3]


@contextmanager
def _on_one_core() -> Iterator[None]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    sys.exit(main())
