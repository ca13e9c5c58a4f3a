"""Building the month's compliance report of 100 units and 50 hosts: each format, all of them, and over a ledger of 100,000 records.

Each is a whole process that goes over the ledger, judges, builds and writes. Beside it stand the stock programs that make a PDF, or a file
for an office program, out of the page that is there already: Chromium prints it, LibreOffice converts it. They know nothing of a ledger,
and what they write is no PDF/A.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench._ledgers import CONFIGURATION
from bench._ledgers import make as make_ledger
from bench._report_corpus import PERIOD
from bench._runs import PORTALOPS, Measured, in_turns, judged, lacking, measured, ratio, show, versions
from portalops.model.period import current_period
from portalops.reports import formats

RECORDS = 100_000
ROUNDS = 3

HTML_SECONDS = 2.0
ALL_SECONDS = 10.0
MIB = 512
"""The promises; the seconds are of the two cores that they were made on."""
SLOWEST = 3.0
"""By more than this factor over its promise something broke, whatever the machine."""
NEVER_SLOWER_THAN_STOCK = 5.0
"""Times what the stock program takes for its step alone."""


def main() -> int:
    """Print times, ratios and memory; return 1 if less is kept than promised."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        measured([sys.executable, "-m", "bench._report_corpus", str(folder / "month")])
        month = partial(_build, folder / "month" / "portalops.toml", PERIOD, folder / "out")
        names = formats.names()
        page = month("html") and next((folder / "out").glob("*.html"))
        works: dict[str, Callable[[], Measured]] = {name: partial(month, name) for name in names}
        works["all formats"] = partial(month, *names)
        works |= _peers(folder, page)
        runs = in_turns(ROUNDS, works)
        show(runs)
        kept = _judged("HTML alone, in s", runs["html"], HTML_SECONDS)
        kept &= _judged("all formats in one process, in s", runs["all formats"], ALL_SECONDS)
        for peer, mine in (("Chromium prints the page", "pdf"), ("LibreOffice: page to DOCX", "docx")):
            if peer in runs:
                times = ratio(runs, mine, peer)
                kept &= judged(f"{mine}, times '{peer}'", times, goal=1, never_above=NEVER_SLOWER_THAN_STOCK)
        peak = max(each.peak_mib for each in runs["all formats"])
        kept &= judged("memory of all formats, in MiB", peak, goal=MIB, never_above=MIB)
        kept &= _many(folder, names)
    return 0 if kept else 1


def _build(configuration: Path | str, period: str, output: Path, *names: str, state: Path | None = None) -> Measured:
    options = [part for name in names for part in ("--format", name)]
    return measured(
        [PORTALOPS, "--config", str(configuration), "report", "build", "compliance", "--period", period,
         "--language", "vi", "--output", str(output), *options],
        environment={"PORTALOPS_STATE_FOLDER": str(state)} if state else None,
    )  # fmt: skip


def _many(folder: Path, names: Sequence[str]) -> bool:
    """Build all formats over a ledger of eleven years of runs; the period is the current one."""
    make_ledger(folder / "state", RECORDS)
    period = str(current_period(datetime.now(UTC).date()))
    run = _build(CONFIGURATION, period, folder / "many", *names, state=folder / "state")
    print(f"all formats over {RECORDS:,} records: {run.seconds:.1f} s")
    return judged(f"memory over {RECORDS:,} records, in MiB", run.peak_mib, goal=MIB, never_above=MIB)


def _peers(folder: Path, page: Path) -> dict[str, Callable[[], Measured]]:
    found: dict[str, Callable[[], Measured]] = {}
    if not lacking("chromium"):
        print(versions("chromium --version"))
        found["Chromium prints the page"] = partial(
            measured,
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={folder / 'page.pdf'}", page.as_uri()],
        )  # fmt: skip
    if not lacking("soffice"):
        print(versions("soffice --version"))
        found["LibreOffice: page to DOCX"] = partial(
            measured,
            ["soffice", f"-env:UserInstallation={(folder / 'office').as_uri()}", "--headless",
             "--infilter=HTML (StarWriter)", "--convert-to", "docx", "--outdir", str(folder / "office-out"), str(page)],
        )  # fmt: skip
    return found


def _judged(what: str, runs: Sequence[Measured], promise: float) -> bool:
    seconds = statistics.median(each.seconds for each in runs)
    return judged(what, seconds, goal=promise, never_above=promise * SLOWEST)


if __name__ == "__main__":
    sys.exit(main())
