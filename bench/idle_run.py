"""What a timer's knock costs when nothing is due: `portalops run --due` with a year of records.

A portal of hourly updates, daily checks and weekly backups that are verified, so about 19,000 records. The promises are 400 ms of
CPU and 80 MiB, on the two cores that they were made on; beside them stand what the bare interpreter and `portalops status` need over
the same records, which tell a slow machine from a slow program.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench._runs import PORTALOPS, ROOT, Measured, measured
from bench.fabricate_ledger import JOBS, fabricate
from portalops.errors import ExitCode
from portalops.ledger.circumstances import collect
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import Work, record_run
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.system.clock import SystemClock
from portalops.system.surroundings import LocalSurroundings

ROUNDS = 7
RUNS = 365 * 24 + 365 + 2 * 52
CPU_SECONDS = 0.400
PEAK_MIB = 80
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ANSWERS = frozenset({0, 1, 3})
"""Exit codes of duties that were judged."""


def main(arguments: Sequence[str]) -> int:
    """Print times, memory and ratios; return 1 if a promise is not kept. Given a folder, only make the portal in it."""
    if arguments:
        make_portal(Path(arguments[0]))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # Apart: what the making takes would stay in this process's peak of memory, and so in that of all it starts.
        measured([sys.executable, "-m", "bench.idle_run", scratch])
        records = Ledger.open(folder / "state", SystemClock(), create=False).count()
        run = [PORTALOPS, "--quiet", "run", "--due"]
        measured(run, folder=folder, answers=ANSWERS)  # the first one of the day judges, and records the plan
        bare = _median([sys.executable, "-c", ""], folder)
        idle = _median(run, folder)
        status = _median([PORTALOPS, "status"], folder, answers=ANSWERS)
    print(
        f"portalops run --due, nothing due, {records:,} records: {idle.cpu_seconds * 1000:.0f} ms CPU,"
        f" {idle.cpu_seconds / bare.cpu_seconds:.1f} x the bare interpreter, {idle.cpu_seconds / status.cpu_seconds:.2f} x status"
        f" (promise {CPU_SECONDS * 1000:.0f} ms)"
    )
    print(
        f"at once in memory: {idle.peak_mib:.0f} MiB, {idle.peak_mib / bare.peak_mib:.1f} x the bare interpreter,"
        f" {idle.peak_mib / status.peak_mib:.2f} x status (promise {PEAK_MIB} MiB)"
    )
    return int(idle.cpu_seconds > CPU_SECONDS or idle.peak_mib > PEAK_MIB)


def make_portal(folder: Path) -> None:
    """Lay out the example's configuration with the jobs of a large ledger, and its ledger of a year up to now."""
    text = (ROOT / "portalops.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^\[\[job\]\]\n.*?(?=^\[)", "", text)
    text = re.sub(r"(?m)^(\[state\]\nfolder = ).*", r'\1"state"', text)
    for job in JOBS:
        text += f'\n[[job]]\nid = "{job.id}"\nkind = "{job.kind}"\nevery = "{job.every}"\nduty = "{job.duty}"\n'
    (folder / "portalops.toml").write_text(text, encoding="utf-8")
    units = Path("examples", "portal", "units.toml")
    (folder / units).parent.mkdir(parents=True)
    shutil.copy(ROOT / units, folder / units)
    fabricate(folder / "state", 2 * RUNS, until=datetime.now(UTC))
    clock = SystemClock()
    ledger = Ledger.open(folder / "state", clock, create=True)
    who = collect(LocalSurroundings(), configuration=Digest("0" * 64), arguments=("portalops", "run"))
    for job in JOBS:  # the slots of this moment
        slot = job.every.slot(clock.now().astimezone(ZONE))
        record_run(ledger, job, slot, _nothing, clock=clock, circumstances=who)


def _nothing() -> Work[None]:
    return Work(RunOutcome.COMPLETE, ExitCode.OK, None)


def _median(command: Sequence[str], folder: Path, *, answers: frozenset[int] = frozenset({0})) -> Measured:
    measured(command, folder=folder, answers=answers)  # caches warm, byte code written
    rounds = [measured(command, folder=folder, answers=answers) for _round in range(ROUNDS)]
    return Measured(
        statistics.median(each.seconds for each in rounds),
        statistics.median(each.cpu_seconds for each in rounds),
        statistics.median(each.peak_mib for each in rounds),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
