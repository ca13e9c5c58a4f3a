"""Verifying records beside feeding the same lines to SHA-256 one by one, in the same language."""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.fabricate_ledger import fabricate
from portalops.ledger.chain import Faults, check_chain

RECORDS = 100_000
GOAL = 0.5
"""Share of the hashing's speed that verification shall keep one day."""

PROMISED = 0.15
"""Share that it keeps today, with some room for a busy machine."""


def main() -> int:
    """Print both speeds and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = fabricate(Path(folder), RECORDS, until=datetime.now(UTC))
        listing = Path(folder) / "lines"
        listing.write_bytes(b"".join(record.line + b"\n" for record in ledger.records()))
        hashing = min(_hash_lines(listing) for _round in range(3))
        faults = Faults()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        with ledger.snapshot() as snapshot:
            found = check_chain(snapshot, faults)
        verifying = time.perf_counter() - begun
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert faults.count == 0, faults.first()[:3]
    print(f"SHA-256 line by line   {found.records / hashing:12,.0f} records/s")
    print(
        f"ledger verify --quick  {found.records / verifying:12,.0f} records/s, chain and columns; memory grew by {grown} KiB"
    )
    print(f"ratio                  {hashing / verifying:12.2f}   (goal: {GOAL}, promised: {PROMISED})")
    return 0 if hashing / verifying >= PROMISED else 1


def _hash_lines(path: Path) -> float:
    begun = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            hashlib.sha256(line).hexdigest()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
