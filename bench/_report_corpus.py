"""The portal that reports are measured on: 100 units and 50 hosts, collected and checked daily through a whole month.

    python -m bench._report_corpus FOLDER [HOSTS [UNITS]]

The hosts' answers and results are those of this machine, looked at once and told of each host on each day. What this machine could
not be asked counts as passed but for a third of it, and some checks fail on one day and pass on another, so that there are as
many findings, turns and unknowns as a portal of this size would have. Answers differ from each other as much as real ones must:
in the nonce.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.fabricate_ledger import JOBS as PLANNED
from bench.fabricate_ledger import ScriptedClock, fabricate
from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import CarriedFindings
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.runs import Every, JobId
from portalops.model.verdicts import CheckVerdict
from portalops.registers.availability import KEY, SAMPLES
from portalops.registers.findings import fold_findings
from portalops.system.clock import SystemClock
from portalops.system.programs import LocalShell
from tests.doubles import SilentProgress

UNITS, HOSTS = 100, 50
PERIOD = "2026-10"
UNTIL = datetime(2026, 11, 6, 17, tzinfo=UTC)
"""What the ledger ends with: the month is over, and what came after it speaks for it too."""
RECORDS = 220
"""So many reach back into September, with the runs of every day and week."""
JOBS = tuple(
    replace(job, id=JobId("daily-updates"), every=Every.DAY) if job.every is Every.HOUR else job for job in PLANNED
)
"""As often as the complete configuration has them."""

_CONFIGURATION = """
[portal]
id = "bench"
name = { vi = "Cổng thông tin điện tử", en = "Portal" }
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"
"""


def make(folder: Path, *, hosts: int = HOSTS, units: int = UNITS) -> Path:
    """Make a configuration and its ledger.

    Args:
        folder: where; it is made, and must not be there.
        hosts: how many.
        units: how many.

    Returns:
        The configuration's path.
    """
    folder.mkdir(parents=True)
    names = [f"unit-{number:03d}" for number in range(units)]
    told = "".join(
        f'\n[[unit]]\nid = "{name}"\nname = {{ vi = "Đơn vị {number}", en = "Unit {number}" }}\n'
        for number, name in enumerate(names)
    )
    servers = [HostId(f"host-{number:02d}") for number in range(hosts)]
    machines = "".join(f'\n[[host]]\nid = "{name}"\naddress = "{name}.example.vn"\n' for name in servers)
    path = folder / "portalops.toml"
    path.write_text(_CONFIGURATION + told + machines, encoding="utf-8")
    state = folder / "state"
    keeper = Ledger.open(folder / "looked-from", SystemClock(), create=True)
    rounds = _Rounds(servers, keeper, state)
    fabricate(state, RECORDS, until=UNTIL, units=names, rounds=rounds.at, jobs=JOBS)
    _sample(state, servers)
    return path


class _Rounds:
    """Makes the rounds of a time, in order, each with the findings that those before it came to."""

    def __init__(self, hosts: Sequence[HostId], looked: Ledger, state: Path) -> None:
        one = run_checks(
            [Host(HostId("here"), "local")],
            Declared(),
            shell_for=lambda _host: LocalShell(),
            keeper=looked,
            clock=SystemClock(),
            progress=SilentProgress(),
        )
        here = next(each for each in one.hosts if not each.standby)
        answer = here.answer()
        assert answer is not None  # this machine answers
        self._raw = looked.blob(answer)
        self._nonce = self._raw.split(b"nonce=", 1)[1][:32]
        self._results = tuple(_as_of_a_portal(number, each) for number, each in enumerate(here.results))
        self._hosts = hosts
        self._state = state
        self._before: tuple[int, datetime, CheckScan] | None = None

    def at(self, ended_at: datetime, checked: int) -> CheckScan:
        """Return the round that ended at a moment, after the record of the one before."""
        keeper = Ledger.open(self._state, SystemClock(), create=True)
        carried = CarriedFindings(0, ())
        if self._before is not None:
            at, one = self._before[1:]
            carried = CarriedFindings(checked, fold_findings([(checked, at, one)], one.findings))
        found = tuple(self._look(keeper, number, host, ended_at) for number, host in enumerate(self._hosts))
        one = CheckScan(found, findings=carried)
        self._before = checked, ended_at, one
        return one

    def _look(self, keeper: Ledger, number: int, host: HostId, at: datetime) -> HostScan:
        nonce = f"{number:016x}{int(at.timestamp()):016x}".encode()
        answer: Digest = keeper.keep(self._raw.replace(self._nonce, nonce))
        results = tuple(
            replace(_on_day(each, place + number + at.toordinal()), host=host, evidence=(answer,))
            for place, each in enumerate(self._results)
        )
        return HostScan(host, at, reached=True, problem="", results=results)


def _as_of_a_portal(number: int, result: CheckResult) -> CheckResult:
    if result.verdict is CheckVerdict.UNKNOWN and number % 3:
        return replace(result, verdict=CheckVerdict.PASS, reason="")
    return result


def _on_day(result: CheckResult, number: int) -> CheckResult:
    """Return what a check says on one day: every now and then a pass is a fail, and a fail is put right."""
    if result.verdict is CheckVerdict.FAIL and number % 11 == 0:
        return replace(result, verdict=CheckVerdict.PASS, reason="")
    if result.verdict is CheckVerdict.PASS and number % 997 == 0:
        return replace(result, verdict=CheckVerdict.FAIL, reason="differs")
    return result


def _sample(state: Path, hosts: Sequence[HostId]) -> None:
    """Record looks at a page of each host, every five minutes of the time."""
    days = [UNTIL - timedelta(days=back) for back in range(40, 0, -1)]
    ledger = Ledger.open(state, ScriptedClock(iter([UNTIL] * len(days))), create=True)
    drafts = []
    for day in days:
        samples = tuple(
            PageSample(second, 503 if second % 77_777 == 300 else 200, 120) for second in range(0, 86_400, 300)
        )
        pages = tuple(PageSamples(host, f"https://{host}.example.vn/", samples) for host in hosts)
        body = ledger.keep(bodies.write({KEY: SampleBatch("station", day, pages)}))
        drafts.append(ledger.draft(SAMPLES, run=NO_RUN, subject="station", body=body))
    ledger.append_many(drafts)


def main(arguments: Sequence[str]) -> int:
    """Make it where it is asked for, and say how long it took."""
    begun = time.perf_counter()
    sizes = [int(each) for each in arguments[1:]]
    path = make(Path(arguments[0]), **dict(zip(("hosts", "units"), sizes, strict=False)))
    print(f"{path}: {time.perf_counter() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
