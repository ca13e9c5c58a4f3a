"""Each slot of a plan is told of once, by the best of its runs; what nobody can tell is not called kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portalops.model.record import Digest, RunId
from portalops.model.runs import Every, Job, JobId, JobKind, Plan, Run, RunSummary
from portalops.model.verdicts import RunOutcome
from portalops.model.zones import UnknownZone, zone_of
from portalops.registers.expected_slots import missed_slots
from portalops.registers.plans import RecordedPlan
from portalops.registers.signers import allowed_signers_line
from portalops.registers.slots import KeptSlots, SlotState, kept_slots

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)
CHECK = Job(JobId("round"), JobKind.CHECK, Every.DAY, "12.4")
WEEKLY = Job(JobId("weekly"), JobKind.BACKUP, Every.WEEK, "10.2")


def plan(*jobs: Job, at: datetime = MONDAY - timedelta(days=9)) -> RecordedPlan:
    return RecordedPlan(2, at, Plan(jobs, "kh@1", Digest("0" * 64)))


def a_run(slot: str, began: datetime, *, seq: int, is_over: bool = True, job: Job = CHECK) -> Run:
    end = began + timedelta(minutes=2) if is_over else None
    return Run(
        RunId(f"{job.duty}:{job.id}:{slot}"), job.kind.value, "", job.duty, began, seq, end, seq + 1 if end else None
    )


def kept(
    plans: list[RecordedPlan],
    runs: Mapping[Run, RunOutcome | None],
    *,
    days: int = 7,
    until: datetime = MONDAY + timedelta(days=9),
) -> KeptSlots:
    def end_of(run: Run) -> RunSummary | None:
        outcome = runs[run]
        return RunSummary(outcome, 0, run.started_at, run.started_at) if outcome else None

    before = MONDAY + timedelta(days=days)
    return kept_slots(plans, runs, end_of, until=until, zone=ZONE, since=MONDAY, before=before)


def test_each_day_of_a_daily_job_has_the_state_of_its_best_run() -> None:
    noon = MONDAY.astimezone(UTC) + timedelta(hours=12)
    day = timedelta(days=1)
    failed = a_run("2026-11-23", noon, seq=3)
    complete = a_run("2026-11-23.2", noon + timedelta(hours=2), seq=5)
    waited = a_run("2026-11-24", MONDAY + 2 * day + timedelta(minutes=20), seq=7)
    partly = a_run("2026-11-25", noon + 2 * day, seq=9)
    crashed = a_run("2026-11-26", noon + 3 * day, seq=11, is_over=False)
    unread = a_run("2026-11-27", noon + 4 * day, seq=13)
    bad = a_run("2026-11-28", noon + 5 * day, seq=15)

    found = kept(
        [plan(CHECK)],
        {
            failed: RunOutcome.FAILED, complete: RunOutcome.COMPLETE, waited: RunOutcome.COMPLETE,
            partly: RunOutcome.INCOMPLETE, crashed: None, unread: None, bad: RunOutcome.FAILED,
        },
    )  # fmt: skip

    assert [(slot.name[-2:], slot.state.value) for slot in found.slots] == [
        ("23", "done"), ("24", "late"), ("25", "incomplete"), ("26", "unfinished"), ("27", "unknown"), ("28", "failed"),
        ("29", "missed"),
    ]  # fmt: skip
    assert found.slots[0].run == complete
    assert found.slots[-1].run is None


def test_a_week_counts_for_the_span_in_which_it_began_though_its_run_came_after() -> None:
    sunday = MONDAY + timedelta(days=6)
    run = a_run("2026-W48", sunday, seq=3, job=WEEKLY)

    found = kept([plan(WEEKLY)], {run: RunOutcome.COMPLETE}, days=2)

    assert [(slot.name, slot.state) for slot in found.slots] == [("2026-W48", SlotState.DONE)]


def test_a_slot_that_is_not_over_is_not_told_of() -> None:
    found = kept([plan(CHECK)], {}, until=MONDAY + timedelta(days=2, hours=5))

    assert [(slot.name, slot.state) for slot in found.slots] == [
        ("2026-11-23", SlotState.MISSED),
        ("2026-11-24", SlotState.MISSED),
    ]


def test_a_job_of_another_name_fills_no_slot() -> None:
    other = Job(JobId("other"), JobKind.CHECK, Every.DAY, "12.4")
    run = a_run("2026-11-23", MONDAY + timedelta(hours=3), seq=3, job=other)

    assert kept([plan(CHECK)], {run: RunOutcome.COMPLETE}, days=1).slots[0].state is SlotState.MISSED


def test_without_a_plan_or_with_one_of_no_zone_nothing_is_called_kept_or_missed() -> None:
    late = plan(CHECK, at=MONDAY + timedelta(days=8))
    nowhere = RecordedPlan(2, MONDAY - timedelta(days=9), Plan((CHECK,), "kh@1", Digest("0" * 64), "Mars/Olympus"))

    for plans, said in (([], "no plan is recorded"), ([late], "no plan is recorded"), ([nowhere], "'Mars/Olympus'")):
        found = kept(plans, {})
        assert found.slots == ()
        assert found.problem is not None
        assert said in str(found.problem)


def test_a_run_that_was_overdue_is_shown_as_late_unless_one_at_its_time_followed() -> None:
    began = MONDAY.astimezone(UTC) + timedelta(hours=8)
    overdue, regular = a_run("2026-W48", began, seq=3, job=WEEKLY), a_run("2026-W48.2", began, seq=5, job=WEEKLY)
    ends = {overdue: True, regular: False}

    def state(*runs: Run) -> list[SlotState]:
        found = kept_slots(
            [plan(WEEKLY)],
            runs,
            lambda run: RunSummary(RunOutcome.COMPLETE, 0, run.started_at, run.started_at, late=ends[run]),
            until=MONDAY + timedelta(days=9),
            zone=ZONE,
            since=MONDAY,
            before=MONDAY + timedelta(days=7),
        )
        return [slot.state for slot in found.slots]

    assert state(overdue) == [SlotState.LATE]
    assert state(overdue, regular) == [SlotState.DONE]


def test_an_hour_that_summer_time_leaves_out_is_no_slot() -> None:
    paris = ZoneInfo("Europe/Paris")
    hourly = Job(JobId("hourly"), JobKind.CHECK, Every.HOUR, "12.4")
    begun = datetime(2027, 3, 28, 0, tzinfo=UTC)
    planned = RecordedPlan(2, begun, Plan((hourly,), "kh@1", Digest("0" * 64), "Europe/Paris"))

    found = missed_slots([planned], (), until=begun + timedelta(hours=3), zone=paris)

    assert [slot.name for slot in found] == ["2027-03-28T01", "2027-03-28T03", "2027-03-28T04"]


def test_a_run_of_another_kind_or_duty_fills_no_slot() -> None:
    noon = MONDAY.astimezone(UTC) + timedelta(hours=12)
    runs = [
        replace(a_run("2026-11-23", noon, seq=3), kind="backup"),
        replace(a_run("2026-11-23:web1", noon, seq=5), kind="check-part"),
        replace(a_run("2026-11-23", noon, seq=7), id=RunId("10.2:round:2026-11-23")),
    ]

    found = kept([plan(CHECK)], dict.fromkeys(runs), days=1)

    assert [slot.state for slot in found.slots] == [SlotState.MISSED]


@pytest.mark.parametrize(
    "name",
    ["localtime", "posixrules", "right/UTC", "Factory", "asia/ho_chi_minh", "PST", "VST", "US/Pacific-New", "", "Asia"],
)
def test_a_name_that_is_not_in_ianas_list_is_no_time_zone(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone_of(name)


def test_a_year_that_ssh_keygen_does_not_take_is_the_first_that_it_does_in_allowed_signers() -> None:
    line = allowed_signers_line("id", "portalops-head", "ssh-ed25519 AAAA", datetime(2, 1, 1, tzinfo=UTC), None)

    assert 'valid-after="19700101000001Z"' in line
