"""Verifying bundles of 1 MB, 100 MB and 1 GB by verify.html in Chromium, beside verify.py on the same bundle: time, and memory.

A bundle's size is that of its details, most of which are evidence of some kilobytes. What is watched is the largest process of the browser:
it must not grow with the bundle. Without Chromium there is nothing to measure.
"""

from __future__ import annotations

import base64
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench._ledgers import CONFIGURATION, make
from bench._runs import PORTALOPS, measured
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from portalops.system.clock import SystemClock
from tests.chromium import Chromium
from tests.verifier.browser import Page

EVIDENCE_BYTES = 24 << 10
A_NOTE = 200
"""Digests of evidence that one record names."""
PROMISED_MIB = 700
"""Most memory that the largest process of the browser may have at once, whatever the bundle's size."""


@dataclass(frozen=True)
class Size:
    """How large a bundle is."""

    name: str
    records: int
    evidence: int


SIZES = (Size("1 MB", 20, 20), Size("100 MB", 10_000, 4_000), Size("1 GB", 100_000, 42_000))


def main() -> int:
    """Print times and memory; return 1 if a bundle does not verify, or memory is not bounded as promised."""
    kept = True
    with tempfile.TemporaryDirectory() as scratch:
        for number, size in enumerate(SIZES):
            bundle = _bundle(Path(scratch) / str(number), size)
            for path in (bundle, bundle.with_suffix(".zip")):
                bytes_ = sum(each.stat().st_size for each in path.rglob("*")) if path.is_dir() else path.stat().st_size
                took, mebibytes, code = _in_browser(path, Path(scratch))
                program = measured([sys.executable, str(bundle / "verify.py"), str(path)], answers=frozenset({0, 1, 3}))
                kept &= code in {"0", "1", "3"} and mebibytes <= PROMISED_MIB
                print(
                    f"{size.name:>6} {path.suffix or 'folder':6} {bytes_ / 1e6:8.1f} MB   verify.html {took:6.1f} s, {mebibytes:4.0f} MiB"
                    f" (exit code {code})   verify.py {program.seconds:6.1f} s, {program.peak_mib:4.0f} MiB",
                    flush=True,
                )
    print(f"promised: at most {PROMISED_MIB} MiB in the largest process of the browser")
    return 0 if kept else 1


def _bundle(folder: Path, size: Size) -> Path:
    """Make a ledger with evidence and export it, as a folder and as a ZIP file."""
    folder.mkdir()
    make(folder / "state", size.records)
    chance = random.Random(size.records)  # nothing rests on it
    ledger = Ledger.open(folder / "state", SystemClock(), create=True)
    for first in range(0, size.evidence, A_NOTE):
        count = min(A_NOTE, size.evidence - first)
        pieces = (base64.b64encode(chance.randbytes(EVIDENCE_BYTES * 3 // 4)) for _ in range(count))
        ledger.append(
            "note.added", run=RunId(""), body=bodies.write({"evidence": [ledger.keep(each) for each in pieces]})
        )
    key, bundle = folder / "signing", folder / "bundle"
    measured(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)])
    for output in (bundle, bundle.with_suffix(".zip")):
        measured(
            [PORTALOPS, "--config", CONFIGURATION, "ledger", "export", "--output", str(output)],
            environment={"PORTALOPS_STATE_FOLDER": str(folder / "state"), "PORTALOPS_SIGNING_KEY": str(key)},
        )
    return bundle


def _in_browser(bundle: Path, scratch: Path) -> tuple[float, float, str]:
    """Return seconds, the peak of the largest process in MiB, and the exit code that the page shows."""
    with tempfile.TemporaryDirectory(dir=scratch) as profile, Chromium(Path(profile)) as browser:
        page = Page(browser)
        begun = time.perf_counter()
        said, _faults = page.verify(bundle)
        return time.perf_counter() - begun, _peak_mib(profile), str(said.exit_code)


def _peak_mib(profile: str) -> float:
    """Return the most memory that one of the processes with this profile, or begun by them, had at once."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if (
                profile in status.with_name("cmdline").read_text(errors="replace")
                or b"--type=renderer" in status.with_name("cmdline").read_bytes()
            ):
                peaks += [int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        except OSError:
            continue  # it has ended
    return max(peaks) / 1024


if __name__ == "__main__":
    sys.exit(main())
