"""Verifying a bundle of 100,000 records, by its own `verify.py` and by portalops, beside stock tools on the same bundle.

The stock tools are `sha256sum -c` over all its files, and feeding each line of `ledger.jsonl` to SHA-256 in the same language. They
look at sums and lines alone; a verification also looks at signatures, details, heads, plans and figures, and starts Python.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench._ledgers import CONFIGURATION, hash_lines, make, seconds
from bench._runs import PORTALOPS, Measured, measured

RECORDS = 100_000
FEW = 2_000
"""Records of the bundle that shows what a verification needs anyway."""

ROUNDS = 3
PROMISED = 0.01
"""Share of the stock tools' speed below which something broke."""

PROMISED_BYTES_A_RECORD = 512
"""How much more memory a verification may take for each record more: which runs began is remembered."""


def main() -> int:
    """Print times, ratios and memory; return 1 if less is kept than promised."""
    with tempfile.TemporaryDirectory() as scratch:
        small, large = _bundle(Path(scratch) / "small", FEW), _bundle(Path(scratch) / "large", RECORDS)
        least = {name: measured(command) for name, command in _verifiers(small).items()}
        stock: list[float] = []
        rounds: list[Mapping[str, Measured]] = []
        for _round in range(ROUNDS):  # in turns: a busy machine is busy for all of them
            stock.append(seconds(lambda: _stock_tools(large)))
            rounds.append({name: measured(command) for name, command in _verifiers(large).items()})
    print(f"stock tools            {RECORDS / min(stock):10,.0f} records/s")
    kept = True
    for name, few in least.items():
        took = min(each[name].seconds for each in rounds)
        peak = max(each[name].peak_mib for each in rounds)
        grown = (peak - few.peak_mib) * (1 << 20) / (RECORDS - FEW)
        ratio = min(stock) / took
        kept &= ratio >= PROMISED and grown <= PROMISED_BYTES_A_RECORD
        print(
            f"{name:22} {RECORDS / took:10,.0f} records/s   ratio {ratio:.2f}   "
            f"{peak:.0f} MiB in all, {grown:.0f} bytes for each record more"
        )
    print(f"promised: a ratio of {PROMISED}, and at most {PROMISED_BYTES_A_RECORD} bytes for each record more")
    return 0 if kept else 1


def _bundle(folder: Path, records: int) -> Path:
    """Make a ledger and export all of it, with the details of its last days."""
    folder.mkdir()
    make(folder / "state", records)
    key, bundle = folder / "signing", folder / "bundle"
    measured(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)])
    measured(
        [PORTALOPS, "--config", CONFIGURATION, "ledger", "export", "--output", str(bundle)],
        environment={"PORTALOPS_STATE_FOLDER": str(folder / "state"), "PORTALOPS_SIGNING_KEY": str(key)},
    )
    return bundle


def _stock_tools(bundle: Path) -> None:
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], check=True, cwd=bundle)
    hash_lines(bundle / "ledger.jsonl")


def _verifiers(bundle: Path) -> Mapping[str, Sequence[str]]:
    return {
        "verify.py": [sys.executable, str(bundle / "verify.py"), str(bundle)],
        "ledger verify BUNDLE": [PORTALOPS, "--config", CONFIGURATION, "ledger", "verify", str(bundle)],
    }


if __name__ == "__main__":
    sys.exit(main())
