"""Four weeks of a ledger in which jobs were late, failed and missed, heads had no anchor, and a bundle was handed out: fabricated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from portalops.model.message import msg
from portalops.model.record import Fault, RunId
from portalops.model.runs import Every, Job, JobId, JobKind, Plan, Run, RunSummary, WrittenFile
from portalops.model.verdicts import RunOutcome
from portalops.registers.evidence import Evidence
from portalops.registers.exports import Export, Exporter, LeftOut, RecordedExport
from portalops.registers.plans import RecordedPlan
from portalops.registers.proof import Proof
from portalops.registers.slots import kept_slots
from tests.reports import sample
from tests.reports.sample import HOSTILE, NOW, PERIOD, ZONE, digest

ROUND = Job(JobId("round"), JobKind.CHECK, Every.DAY, "12.4-testing")
WEEKLY = Job(JobId("weekly"), JobKind.BACKUP, Every.WEEK, "10.2")
COLLECT = Job(JobId("collect"), JobKind.UPDATES, Every.HOUR, "11.1")
ANCHOR = Job(JobId("anchor"), JobKind.ANCHOR, Every.DAY)
JOBS = (ROUND, WEEKLY, COLLECT, ANCHOR)
BEGAN = datetime(2026, 7, 1, tzinfo=UTC)


def _runs() -> dict[Run, RunOutcome | None]:
    """Nothing runs on 29 August; the round fails, is late, is done in part, crashes and cannot be read on some days."""
    found: dict[Run, RunOutcome | None] = {}
    seq = 200

    def add(job: Job, slot: str, at: datetime, outcome: RunOutcome | None, *, is_over: bool = True) -> None:
        nonlocal seq
        end = at + timedelta(minutes=3) if is_over else None
        run = Run(
            RunId(f"{job.duty or job.kind}:{job.id}:{slot}"), job.kind.value, "", job.duty, at, seq, end, seq + 1 if end else None
        )  # fmt: skip
        found[run] = outcome
        seq += 2

    for number, day in enumerate(PERIOD.days()):
        if number == 12:
            continue
        local = datetime(day.year, day.month, day.day, 9, tzinfo=ZONE)
        if number == 5:
            add(ROUND, str(day), local + timedelta(hours=15, minutes=20), RunOutcome.COMPLETE)
        elif number == 16:
            add(ROUND, str(day), local, None, is_over=False)
        else:
            odd = {3: RunOutcome.FAILED, 8: RunOutcome.INCOMPLETE, 20: None}
            add(ROUND, str(day), local, odd.get(number, RunOutcome.COMPLETE))
        if number not in {13, 14}:
            add(ANCHOR, str(day), local + timedelta(minutes=30), RunOutcome.COMPLETE)
        for hour in range(24) if number != 18 else range(19):
            at = local.replace(hour=hour, minute=5)
            add(COLLECT, f"{day}T{hour:02d}", at, RunOutcome.COMPLETE)
    for week in PERIOD.weeks()[:3]:
        first = week.period().first
        wednesday = datetime.combine(first, time(2), ZONE) + timedelta(days=2)
        add(WEEKLY, str(week), wednesday, RunOutcome.COMPLETE)
    return dict(sorted(found.items(), key=lambda each: each[0].started_at))


def evidence() -> Evidence:
    """The sample's evidence with the plan held against these runs."""
    runs = _runs()

    def end_of(run: Run) -> RunSummary | None:
        outcome = runs[run]
        return RunSummary(outcome, 0, run.started_at, run.started_at) if outcome else None

    plan = RecordedPlan(3, BEGAN, Plan(JOBS, "kh@1", digest("0"), ZONE.key))
    start, end = PERIOD.bounds(ZONE)
    slots = kept_slots((plan,), tuple(runs), end_of, until=NOW, zone=ZONE, since=start, before=end)
    seen = sample.evidence()
    ends: dict[int, RunSummary | None] = {run.finished_seq: end_of(run) for run in runs if run.finished_seq is not None}
    return replace(seen, runs=tuple(runs), summaries=ends, slots=slots)


def exports() -> tuple[RecordedExport, ...]:
    """One by a person through sudo, with a detail withheld for a hostile reason; one of which nobody knows who made it."""
    at = datetime(2026, 9, 3, 3, tzinfo=UTC)
    files = (WrittenFile("report.vi.html", "vi", 900, digest("1")),)
    withheld = (LeftOut(digest("2"), HOSTILE),)
    return (
        RecordedExport(100, at, Export(str(PERIOD), files, withheld), Exporter(0, 1000, "an.nguyen", "cong-1")),
        RecordedExport(101, at + timedelta(days=1), Export(str(PERIOD)), None),
    )


def proof() -> Proof:
    """The sample's proof with the bundles."""
    return replace(sample.proof(), exports=exports())


def changed() -> Proof:
    """The same of a ledger of which a record was changed, and another is gone."""
    held = proof()
    assert held.ledger_range is not None
    faults = (Fault(40, msg("the record before it is not the one that it names")), Fault(77, msg("there is no record")))
    return replace(held, faults=faults, ledger_range=replace(held.ledger_range, count=143))


def empty() -> Evidence:
    """A period before the ledger began."""
    return replace(
        sample.evidence(), started_at=None, runs=(), backups=(), checks=None, updates=None, cases=(), sendings=(), exemptions=(),
        unreadable=(), summaries={},
    )  # fmt: skip
