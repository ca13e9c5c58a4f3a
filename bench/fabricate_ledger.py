"""Makes a large ledger through the real code: `python -m bench.fabricate_ledger [FOLDER [RECORDS]]`.

Updates are collected each hour, servers checked each day, sets made and verified each week, as a portal
would do it for years. The newest runs have details of their own, of a real size; older ones
share theirs, which changes nothing for the chain.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.circumstances import Circumstances, collect
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft
from portalops.ledger.runs import record_plan
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DataClass,
    Pack,
    SetId,
    SetKind,
    Stream,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import CarriedFindings
from portalops.model.message import msg
from portalops.model.organisation import HostId, UnitId
from portalops.model.period import Week
from portalops.model.record import FINISHED, STARTED, Digest
from portalops.model.runs import Every, Job, JobId, JobKind, Plan, RunSummary
from portalops.model.updates import PortalDay, UnitDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome, Severity
from portalops.registers.runs import run_id
from portalops.system.surroundings import LocalSurroundings

ZONE = timezone(timedelta(hours=7))
"""Of Vietnam, in which no hour of the decades that a large ledger spans comes twice."""
JOBS = (
    Job(JobId("hourly-updates"), JobKind.UPDATES, Every.HOUR, "11.3-tracking"),
    Job(JobId("daily-check"), JobKind.CHECK, Every.DAY, "12.4-testing"),
    Job(JobId("weekly-backup"), JobKind.BACKUP, Every.WEEK, "10.2-interval"),
    Job(JobId("weekly-verify"), JobKind.VERIFY, Every.WEEK, "10.2-medium"),
)
OWN_DETAILS = {
    JobKind.UPDATES: timedelta(days=3),
    JobKind.CHECK: timedelta(days=120),
    JobKind.BACKUP: timedelta(days=120),
    JobKind.VERIFY: timedelta(days=120),
}
"""How long before the end runs have details of their own."""

_BATCH = 2000
_ZEROS = Digest("0" * 64)


class ScriptedClock:
    """A clock that says what it was told to say, one moment a question."""

    def __init__(self, moments: Iterator[datetime]) -> None:
        self._moments = moments

    def now(self) -> datetime:
        return next(self._moments)

    def monotonic(self) -> float:
        return 0.0


def fabricate(
    folder: Path,
    records: int,
    *,
    until: datetime,
    units: Sequence[str] = (),
    rounds: Callable[[datetime, int], CheckScan] | None = None,
    jobs: Sequence[Job] = JOBS,
) -> Ledger:
    """Make a ledger of so many records, give or take two, whose newest is of shortly before a moment.

    Args:
        folder: the state folder; there must be no ledger in it.
        records: how many.
        until: aware.
        units: ids of units that the judgings of updates speak of; 30 made-up ones by default.
        rounds: makes each round of checks, given when it ended and the record of the one before it (0 for the first); by default
            one host whose checks all pass.
        jobs: what is due, and how often.
    """
    named = [UnitId(unit) for unit in units] or [UnitId(f"unit-{number:02d}") for number in range(30)]
    starts = _starts(records // 2, until, jobs)
    moments: list[datetime] = [starts[0][0] - timedelta(hours=1)] * 2
    feed = _Feed(moments)
    ledger = Ledger.open(folder, ScriptedClock(feed), create=True)
    who = collect(LocalSurroundings(), configuration=_ZEROS, arguments=("portalops", "run"))
    record_plan(ledger, Plan(tuple(jobs), "kh-37-2010@2026.11", _ZEROS), who)
    started_body = ledger.keep(bodies.write({"circumstances": who}))
    shared: dict[JobKind, Digest] = {}
    seq, checked = ledger.count(), 0
    for first in range(0, len(starts), _BATCH // 2):
        drafts: list[Draft] = []
        for at, job in starts[first : first + _BATCH // 2]:
            ended_at = at + timedelta(seconds=40)
            if job.kind is JobKind.CHECK and rounds is not None:
                body = ledger.keep(_written(job, at, ended_at, who, rounds(ended_at, checked)))
            elif until - at < OWN_DETAILS[job.kind]:
                body = ledger.keep(_body(job, at, ended_at, who, named, checked=checked))
            elif job.kind in shared:
                body = shared[job.kind]
            else:
                body = shared[job.kind] = ledger.keep(_body(job, at, ended_at, who, named, checked=checked))
            run = run_id(job, job.every.slot(at.astimezone(ZONE)))
            for ending, digest, moment in ((STARTED, started_body, at), (FINISHED, body, ended_at)):
                drafts.append(
                    ledger.draft(f"{job.kind.value}{ending}", run=run, subject=job.id, duty=job.duty, body=digest)
                )
                moments.append(moment)
            seq += 2
            checked = seq if job.kind is JobKind.CHECK else checked
        ledger.append_many(drafts)
    return ledger


class _Feed:
    """Yields a list's moments while it still grows."""

    def __init__(self, moments: list[datetime]) -> None:
        self._moments = moments
        self._next = 0

    def __iter__(self) -> Iterator[datetime]:
        return self

    def __next__(self) -> datetime:
        self._next += 1
        return self._moments[self._next - 1]


def _starts(runs: int, until: datetime, jobs: Sequence[Job]) -> list[tuple[datetime, Job]]:
    """Return when which job began: as often as each is due, backwards from the end."""
    steps = {Every.HOUR: timedelta(hours=1), Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}
    end = until.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
    coming = [(-(end + timedelta(minutes=2 * order)).timestamp(), order) for order in range(len(jobs))]
    heapq.heapify(coming)
    found: list[tuple[datetime, Job]] = []
    while len(found) < runs:
        negative, order = heapq.heappop(coming)
        found.append((datetime.fromtimestamp(-negative, UTC), jobs[order]))
        heapq.heappush(coming, (negative + steps[jobs[order].every].total_seconds(), order))
    return found[::-1]


def _body(
    job: Job, at: datetime, ended_at: datetime, who: Circumstances, units: Sequence[UnitId], *, checked: int
) -> bytes:
    return _written(job, at, ended_at, who, _result(job.kind, at, units, checked))


def _written(job: Job, at: datetime, ended_at: datetime, who: Circumstances, result: object) -> bytes:
    summary = RunSummary(RunOutcome.COMPLETE, int(ExitCode.OK), at, ended_at)
    return bodies.write({"circumstances": who, "run": summary, job.kind.value: result})


def _result(kind: JobKind, at: datetime, units: Sequence[UnitId], checked: int) -> object:
    match kind:
        case JobKind.UPDATES:
            return _updates(at, units)
        case JobKind.CHECK:
            return _checks(at, checked)
        case JobKind.BACKUP:
            return BackupResult(_set(at), _copies(at, CopyState.VERIFIED))
        case JobKind.VERIFY:
            return VerifyResult(_copies(at - timedelta(minutes=2), CopyState.VERIFIED))
        case _:
            raise ValueError(kind)


def _set_id(at: datetime) -> SetId:
    return SetId(f"portal-{at:%Y%m%d}-full-0001")


def _set(at: datetime) -> BackupSet:
    streams = tuple(
        Stream(
            f"source-{data_class}",
            "files",
            data_class,
            "tree",
            "tar",
            1000,
            1 << 28,
            _ZEROS,
            tuple(Pack(f"data/{data_class}/{number:04d}.age", 1 << 26, _ZEROS, 1 << 25, _ZEROS) for number in range(4)),
        )
        for data_class in DataClass
    )
    keys = ("age1operator", "age1escrow")
    return BackupSet(_set_id(at), SetKind.FULL, "portal", at, RunOutcome.COMPLETE, streams, keys, _ZEROS, 1 << 30)


def _copies(at: datetime, state: CopyState) -> tuple[Copy, ...]:
    return tuple(Copy(_set_id(at), name, "disk", state, VerifyLevel.L2, at) for name in ("disk-a", "disk-b"))


def _checks(at: datetime, checked: int) -> CheckScan:
    """Return a round in which all is well; `checked` is the record of the one before, up to which nothing was found."""
    results = tuple(
        CheckResult(
            f"family.check-{number:02d}",
            HostId("web1"),
            "12.4",
            Severity.MEDIUM,
            CheckVerdict.PASS,
            "",
            msg("the value is {value}", value=number),
            None,
        )
        for number in range(40)
    )
    return CheckScan(
        (HostScan(HostId("web1"), at, reached=True, problem="", results=results),),
        findings=CarriedFindings(checked, ()),
    )


def _updates(at: datetime, units: Sequence[UnitId]) -> UpdatesResult:
    today = at.astimezone(ZONE).date()
    days = [today - timedelta(days=back) for back in range(91)][::-1]
    weeks = tuple(dict.fromkeys(Week.of(day) for day in days))
    enough = msg("{n} occasions", n=2)
    return UpdatesResult(
        polls=(),
        judged_from=days[0],
        judged_to=days[-1],
        rulebook="kh-37-2010@2026.11",
        calendar="2026.11",
        portal_days=tuple(PortalDay(day, day.weekday() < 5, DutyVerdict.MET, enough, 3) for day in days),
        unit_weeks=tuple(
            UnitWeek(unit, week, DutyVerdict.MET, enough, 2, 2, 2, DutyVerdict.MET, DutyVerdict.MET, 5, 100)
            for unit in units
            for week in weeks
        ),
        unit_days=tuple(UnitDay(unit, day, 1, 1) for unit in units for day in days if day.weekday() in {1, 3}),
        flagged=(),
        text_checked=1000,
    )


def main(arguments: Sequence[str]) -> int:
    """Make a ledger where it is asked for, or in a folder that is removed again, and say how long it took."""
    records = int(arguments[1]) if len(arguments) > 1 else 100_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(arguments[0]) if arguments else Path(scratch)
        begun = time.perf_counter()
        ledger = fabricate(folder, records, until=datetime.now(UTC))
        print(f"{ledger.count()} records in {time.perf_counter() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
