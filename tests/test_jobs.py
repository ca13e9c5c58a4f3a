"""What is due comes from what was recorded, once a slot, and a slot that has passed stays missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.jobs import Attempt, due, due_from, moved_times, next_due, previous_slot_start
from portalops.model.record import Digest, RunId
from portalops.model.runs import LAST_DAY, SAFE_DAYS, WEEKDAYS, Every, Job, JobId, JobKind, Plan, Run, Slot, slot_start
from portalops.model.verdicts import RunOutcome
from portalops.registers.expected_slots import START_GRACE, missed_slots
from portalops.registers.plans import RecordedPlan, plan_at, planned_spans
from portalops.registers.runs import parse_run_id, run_id

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""Wednesday of 2026-W48, 09:00 in Khánh Hòa."""
WEEKLY = Job(JobId("weekly-backup"), JobKind.BACKUP, Every.WEEK, "10.2")
DAILY = Job(JobId("daily-check"), JobKind.CHECK, Every.DAY, "12.4-testing")
PLANNED = (
    WEEKLY,
    DAILY,
    Job(JobId("report"), JobKind.REPORT, Every.MONTH),
    Job(JobId("anchor"), JobKind.ANCHOR, Every.DAY),
)

jobs = st.builds(Job, st.just(JobId("a-job")), st.sampled_from(JobKind), st.sampled_from(Every), st.just("10.2"))
times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
timed_jobs = st.sampled_from(Every).flatmap(
    lambda every: st.builds(
        Job,
        st.just(JobId("a-job")),
        st.sampled_from(JobKind),
        st.just(every),
        st.just("10.2"),
        st.just("") if every is Every.HOUR else st.just("") | times,
        st.sampled_from(
            {Every.WEEK: ["", *WEEKDAYS], Every.MONTH: ["", LAST_DAY, *map(str, range(1, SAFE_DAYS + 1))]}.get(
                every, [""]
            )
        ),
    )
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from([ZONE, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")])


def attempt(
    job: Job,
    started_at: datetime,
    outcome: RunOutcome | None,
    *,
    finished: bool = True,
    running: bool = False,
    zone: ZoneInfo = ZONE,
    number: int = 1,
) -> Attempt:
    """Make a run of a job in the slot that holds its start; it lasts five minutes."""
    slot = job.every.slot(started_at.astimezone(zone))
    base = run_id(job, slot)
    run = Run(
        RunId(base if number == 1 else f"{base}.{number}"),
        job.kind.value,
        job.id,
        job.duty,
        started_at,
        int(started_at.timestamp()),
        started_at + timedelta(minutes=5) if finished else None,
        None,
        Digest("0" * 64),
    )
    return Attempt(run, outcome, running)


def test_a_job_that_left_nothing_in_its_slot_is_due() -> None:
    (found,) = due([WEEKLY], [], NOW, ZONE)

    assert (found.job, found.slot, found.attempt, found.late) == (WEEKLY, "2026-W48", 1, False)
    assert str(found.reason) == "no run is recorded for 2026-W48"
    assert next_due(WEEKLY, [], NOW, ZONE) == NOW


def test_a_complete_run_fulfils_its_slot() -> None:
    done = attempt(WEEKLY, NOW - timedelta(days=2), RunOutcome.COMPLETE)

    assert due([WEEKLY], [done], NOW, ZONE) == ()
    assert next_due(WEEKLY, [done], NOW, ZONE) == datetime(2026, 11, 29, 17, 0, tzinfo=UTC)
    assert due([WEEKLY], [done], NOW + timedelta(days=5), ZONE)[0].slot == "2026-W49"


@pytest.mark.parametrize("outcome", [RunOutcome.INCOMPLETE, RunOutcome.FAILED, None])
def test_a_run_that_did_not_succeed_is_tried_again_after_an_hour(outcome: RunOutcome | None) -> None:
    tried = attempt(DAILY, NOW - timedelta(minutes=10), outcome)
    retry_at = NOW + timedelta(minutes=55)

    assert due([DAILY], [tried], NOW, ZONE) == ()
    assert next_due(DAILY, [tried], NOW, ZONE) == retry_at
    (found,) = due([DAILY], [tried], retry_at, ZONE)
    assert found.attempt == 2


def test_a_crashed_run_is_tried_again_at_once() -> None:
    crashed = attempt(DAILY, NOW - timedelta(minutes=1), None, finished=False)

    (found,) = due([DAILY], [crashed], NOW, ZONE)

    assert found.attempt == 2
    assert "did not finish" in str(found.reason)
    assert next_due(DAILY, [crashed], NOW, ZONE) == NOW


def test_an_interrupted_run_is_tried_again_at_once() -> None:
    stopped = replace(attempt(DAILY, NOW - timedelta(minutes=6), RunOutcome.FAILED), interrupted=True)

    (found,) = due([DAILY], [stopped], NOW, ZONE)

    assert found.attempt == 2
    assert "was interrupted" in str(found.reason)
    assert next_due(DAILY, [stopped], NOW, ZONE) == NOW


def test_a_running_run_is_left_alone() -> None:
    running = attempt(DAILY, NOW - timedelta(minutes=1), None, finished=False, running=True)

    assert due([DAILY], [running], NOW, ZONE) == ()
    assert next_due(DAILY, [running], NOW, ZONE) == datetime(2026, 11, 25, 17, 0, tzinfo=UTC)


def test_the_hour_of_rest_does_not_reach_into_the_next_slot() -> None:
    late_evening = datetime(2026, 11, 25, 16, 50, tzinfo=UTC)
    tried = attempt(DAILY, late_evening, RunOutcome.FAILED)

    assert next_due(DAILY, [tried], late_evening + timedelta(minutes=6), ZONE) == late_evening + timedelta(minutes=10)
    assert due([DAILY], [tried], late_evening + timedelta(minutes=10), ZONE)[0].slot == "2026-11-26"


def test_a_job_whose_last_slot_passed_is_late_and_only_the_present_slot_is_due() -> None:
    old = attempt(DAILY, NOW - timedelta(days=4), RunOutcome.COMPLETE)

    found = due([DAILY], [old], NOW, ZONE)

    assert [(each.slot, each.late) for each in found] == [("2026-11-25", True)]
    assert "2026-11-24 was missed" in str(found[0].reason)


def test_a_forced_job_is_done_although_its_slot_is_fulfilled() -> None:
    done = attempt(DAILY, NOW - timedelta(minutes=10), RunOutcome.COMPLETE)

    (found,) = due([DAILY], [done], NOW, ZONE, forced=True)

    assert (found.slot, found.attempt) == ("2026-11-25", 2)


def test_another_jobs_runs_do_not_count() -> None:
    other = Job(JobId("other-check"), JobKind.CHECK, Every.DAY, "12.4-testing")

    assert len(due([DAILY], [attempt(other, NOW, RunOutcome.COMPLETE)], NOW, ZONE)) == 1


def test_a_job_stays_the_same_when_its_duty_is_named_anew() -> None:
    renamed = Job(DAILY.id, DAILY.kind, DAILY.every, "12.4")

    assert due([renamed], [attempt(DAILY, NOW, RunOutcome.COMPLETE)], NOW, ZONE) == ()


@given(
    timed_jobs, moments, zones, st.lists(st.tuples(st.integers(0, 60 * 24 * 40), st.sampled_from([*RunOutcome, None])))
)
def test_next_due_is_the_first_moment_at_which_the_job_is_due(
    job: Job, now: datetime, zone: ZoneInfo, tried: list[tuple[int, RunOutcome | None]]
) -> None:
    attempts = [
        attempt(job, now - timedelta(minutes=minutes + 5), outcome, zone=zone, number=number)
        for number, (minutes, outcome) in enumerate(tried, 1)
    ]

    coming = next_due(job, attempts, now, zone)

    assert coming >= now
    assert bool(due([job], attempts, now, zone)) == (coming == now)
    assert due([job], attempts, coming, zone)
    if coming > now:
        assert not due([job], attempts, coming - timedelta(microseconds=1), zone)


@given(jobs, moments, zones)
def test_a_job_done_when_due_is_not_due_again_in_its_slot(job: Job, now: datetime, zone: ZoneInfo) -> None:
    (found,) = due([job], [], now, zone)
    done = attempt(job, now, RunOutcome.COMPLETE, zone=zone)

    following = job.every.next_start(now.astimezone(zone)).astimezone(UTC)
    assert done.run.id == run_id(job, found.slot)
    assert due([job], [done], now + timedelta(seconds=1), zone) == () or now + timedelta(seconds=1) >= following
    assert due([job], [done], following, zone)


@given(st.sampled_from(Every), moments, zones)
def test_slots_join_without_gap_or_overlap(every: Every, moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    start, following = slot_start(every, local), every.next_start(local)

    assert start <= local < following
    assert every.slot(start) == every.slot(local) != every.slot(following)
    assert every.next_start(previous_slot_start(every, local)) == start
    assert every.slot(previous_slot_start(every, local)) != every.slot(local)


NIGHTLY = replace(DAILY, at="22:30")
SUNDAYS = replace(WEEKLY, at="02:30", on="sunday")
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str, zone: ZoneInfo = ZONE) -> datetime:
    """Return a local time of 2026 in UTC: `11-25 22:30`."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=zone).astimezone(UTC)


def test_a_job_with_a_time_is_due_from_then_on_and_not_before() -> None:
    before = attempt(NIGHTLY, local("11-24 22:40"), RunOutcome.COMPLETE)

    assert due([NIGHTLY], [before], local("11-25 22:29"), ZONE) == ()
    assert next_due(NIGHTLY, [before], local("11-25 09:00"), ZONE) == local("11-25 22:30")
    (found,) = due([NIGHTLY], [before], local("11-25 22:30"), ZONE)
    assert (found.slot, found.late) == ("2026-11-25", False)


def test_a_new_job_with_a_time_waits_for_it() -> None:
    assert due([SUNDAYS], [], NOW, ZONE) == ()
    assert next_due(SUNDAYS, [], NOW, ZONE) == local("11-29 02:30")


@pytest.mark.parametrize(
    ("job", "when"),
    [
        (replace(WEEKLY, on="friday"), "11-27 00:00"),
        (replace(WEEKLY, at="06:00"), "11-23 06:00"),
        (Job(JobId("m"), JobKind.REPORT, Every.MONTH, at="01:00", on="15"), "11-15 01:00"),
        (Job(JobId("m"), JobKind.REPORT, Every.MONTH, on="last"), "11-30 00:00"),
        (Job(JobId("m"), JobKind.REPORT, Every.MONTH, at="07:15"), "11-01 07:15"),
    ],
)
def test_a_time_stands_on_its_day_of_the_slot_or_on_the_first_one(job: Job, when: str) -> None:
    assert due_from(job, slot_start(job.every, NOW.astimezone(ZONE))) == local(when)


def test_what_a_person_did_before_its_time_does_not_stand_for_the_job() -> None:
    by_hand = attempt(NIGHTLY, local("11-25 10:00"), RunOutcome.COMPLETE)

    (found,) = due([NIGHTLY], [by_hand], local("11-25 22:30"), ZONE)

    assert (found.slot, found.attempt) == ("2026-11-25", 2)


def test_an_overdue_job_is_done_once_at_once_and_again_at_its_time() -> None:
    before = attempt(SUNDAYS, local("11-15 02:31"), RunOutcome.COMPLETE)
    (found,) = due([SUNDAYS], [before], local("11-23 08:00"), ZONE)
    caught_up = attempt(SUNDAYS, local("11-23 08:00"), RunOutcome.COMPLETE)

    assert (found.slot, found.late) == ("2026-W48", True)
    assert str(found.reason) == "it was due at 2026-11-21T19:30:00.000Z, and no complete run has started since"
    assert due([SUNDAYS], [before, caught_up], local("11-28 23:59"), ZONE) == ()
    (regular,) = due([SUNDAYS], [before, caught_up], local("11-29 02:30"), ZONE)
    assert (regular.slot, regular.attempt) == ("2026-W48", 2)


def test_an_overdue_job_that_fails_is_tried_again_each_hour() -> None:
    before = attempt(SUNDAYS, local("11-15 02:31"), RunOutcome.COMPLETE)
    failed = attempt(SUNDAYS, local("11-23 08:00"), RunOutcome.FAILED)

    assert due([SUNDAYS], [before, failed], local("11-23 08:30"), ZONE) == ()
    assert next_due(SUNDAYS, [before, failed], local("11-23 08:30"), ZONE) == local("11-23 09:05")


def test_after_weeks_of_silence_a_job_is_overdue_once_and_not_once_a_week() -> None:
    old = attempt(WEEKLY, local("10-01 03:00"), RunOutcome.COMPLETE)

    found = due([WEEKLY], [old], NOW, ZONE)
    done = attempt(WEEKLY, NOW, RunOutcome.COMPLETE)

    assert [(each.slot, each.late) for each in found] == [("2026-W48", True)]
    assert due([WEEKLY], [old, done], NOW + timedelta(hours=1), ZONE) == ()


def test_a_time_in_the_last_hour_of_its_slot_may_be_kept_in_the_hour_after_it() -> None:
    late_night = replace(DAILY, at="23:50")
    before = attempt(late_night, local("11-24 23:55"), RunOutcome.COMPLETE)

    (found,) = due([late_night], [before], local("11-26 00:01"), ZONE)
    over = due([late_night], [before], local("11-26 01:00"), ZONE)
    done = replace(before.run, id=run_id(late_night, "2026-11-25"), started_at=local("11-26 00:01"))

    assert (found.slot, found.late) == ("2026-11-25", False)
    assert [(each.slot, each.late) for each in over] == [("2026-11-26", True)]
    assert due([late_night], [Attempt(done, RunOutcome.COMPLETE)], local("11-26 00:02"), ZONE) == ()
    assert missed_slots([plan(local("11-25 00:00"), late_night)], [done], until=local("11-26 12:00"), zone=ZONE) == ()


def test_a_job_that_is_still_at_work_is_not_due_in_the_next_slot() -> None:
    running = attempt(DAILY, local("11-25 23:00"), None, finished=False, running=True)

    assert due([DAILY], [running], local("11-26 00:30"), ZONE) == ()


def test_a_time_that_the_clocks_leave_out_is_the_first_moment_after_the_gap() -> None:
    job = replace(DAILY, at="02:30")
    day = slot_start(Every.DAY, local("03-29 12:00", BERLIN).astimezone(BERLIN))

    assert due_from(job, day) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert due_from(job, day).astimezone(BERLIN).strftime("%H:%M") == "03:00"


def test_a_time_that_comes_twice_fires_at_its_first() -> None:
    job = replace(DAILY, at="02:30")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    done = attempt(job, first, RunOutcome.COMPLETE, zone=BERLIN)

    assert due_from(job, slot_start(Every.DAY, first.astimezone(BERLIN))) == first
    assert due([job], [done], first + timedelta(hours=1), BERLIN) == ()


def test_moved_times_are_those_that_clocks_leave_out_or_show_twice() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    assert list(moved_times(replace(DAILY, at="02:30"), BERLIN, *year)) == [
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), False),
    ]
    assert list(moved_times(replace(DAILY, at="12:00"), BERLIN, *year)) == []
    assert list(moved_times(replace(DAILY, at="02:30"), ZONE, *year)) == []


@given(timed_jobs, moments, zones)
def test_the_time_of_a_job_lies_in_its_slot(job: Job, moment: datetime, zone: ZoneInfo) -> None:
    start = slot_start(job.every, moment.astimezone(zone))

    found = due_from(job, start)

    assert start.astimezone(UTC) <= found < job.every.next_start(start).astimezone(UTC)


def test_a_job_that_gets_another_time_stays_planned_without_a_break() -> None:
    monday = local("11-23 00:00")
    plans = [plan(monday, NIGHTLY), plan(monday + timedelta(hours=9), replace(NIGHTLY, at="04:00"))]

    (span,) = planned_spans(plans, monday + timedelta(days=2))

    assert (span.starts_at, span.job) == (monday, DAILY)


def plan(at: datetime, *planned: Job) -> RecordedPlan:
    return RecordedPlan(1, at, Plan(planned, "kh@1", Digest("0" * 64)))


def test_missed_slots_are_those_that_a_plan_covered_wholly_and_no_run_filled() -> None:
    monday = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    plans = [plan(monday + timedelta(hours=9), DAILY, WEEKLY)]
    runs = [
        attempt(DAILY, monday + timedelta(days=1, hours=9), RunOutcome.COMPLETE).run,
        attempt(DAILY, monday + timedelta(days=3, hours=9), None, finished=False).run,
    ]

    found = missed_slots(plans, runs, until=monday + timedelta(days=5, hours=9), zone=ZONE)

    assert [(slot.job.id, slot.name) for slot in found] == [
        ("daily-check", "2026-11-25"),
        ("daily-check", "2026-11-27"),
    ]
    later = missed_slots(plans, runs, until=monday + timedelta(days=14), zone=ZONE, since=monday + timedelta(days=6))
    assert ("weekly-backup", "2026-W49") in [(slot.job.id, slot.name) for slot in later]
    assert {slot.starts_on.isoformat() for slot in later if slot.job is DAILY} == {
        "2026-11-29", "2026-11-30", "2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04", "2026-12-05", "2026-12-06",
    }  # fmt: skip


def test_a_run_that_claims_a_slot_long_after_it_does_not_fill_it() -> None:
    monday = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    claimed = attempt(DAILY, monday + timedelta(days=1), RunOutcome.COMPLETE).run
    late = Run(claimed.id, claimed.kind, claimed.subject, claimed.duty, monday + timedelta(days=3), 9)

    found = missed_slots([plan(monday, DAILY)], [late], until=monday + timedelta(days=2), zone=ZONE)

    assert "2026-11-24" in [slot.name for slot in found]


def test_a_plan_that_drops_a_job_expects_nothing_more_of_it() -> None:
    monday = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    plans = [plan(monday, DAILY, WEEKLY), plan(monday + timedelta(days=2), WEEKLY)]

    found = missed_slots(plans, [], until=monday + timedelta(days=9), zone=ZONE)

    assert [slot.name for slot in found] == ["2026-11-23", "2026-W48", "2026-11-24"]
    assert plan_at(plans, monday - timedelta(seconds=1)) is None
    assert plan_at(plans, monday + timedelta(days=2)) == plans[1].plan
    assert len(planned_spans(plans, monday + timedelta(days=9))) == 2


@given(st.sampled_from(Every), moments, zones, st.integers(1, 60 * 24 * 70))
def test_a_run_in_every_slot_leaves_none_missed(every: Every, begin: datetime, zone: ZoneInfo, minutes: int) -> None:
    job = Job(JobId("a-job"), JobKind.CHECK, every)
    until = begin + timedelta(minutes=minutes if every is not Every.HOUR else minutes // 50)
    runs = []
    start = slot_start(every, begin.astimezone(zone))
    while start.astimezone(UTC) < until:
        runs.append(attempt(job, start.astimezone(UTC), None, zone=zone).run)
        start = every.next_start(start)

    plans = [plan(begin, job)]
    assert missed_slots(plans, runs, until=until, zone=zone) == ()
    # The first began before the plan, the last is not over, and where clocks are put forward one hour is none.
    assert len(missed_slots(plans, [], until=until, zone=zone)) >= len(runs) - 3


@pytest.mark.heavy
@given(st.data(), moments, zones)
def test_the_order_in_which_runs_are_told_changes_nothing(data: st.DataObject, begin: datetime, zone: ZoneInfo) -> None:
    hours, late = st.integers(0, 24 * 100), st.sampled_from([0, 0, 0, 1, 30, 900])
    jobs_of = st.lists(st.sampled_from(PLANNED), max_size=4, unique=True)
    changes = data.draw(st.lists(st.tuples(hours, jobs_of), min_size=1, max_size=4))
    plans = [plan(begin + timedelta(hours=after), *planned) for after, planned in sorted(changes, key=itemgetter(0))]
    runs = [
        replace(
            attempt(job, begin + timedelta(hours=at), None, zone=zone).run,
            started_at=begin + timedelta(hours=at + waited),
        )
        for at, job, waited in data.draw(st.lists(st.tuples(hours, st.sampled_from(PLANNED), late), max_size=60))
    ]
    until = begin + timedelta(days=90)

    told = missed_slots(plans, runs, until=until, zone=zone)

    expected = missed_slots(plans, [], until=until, zone=zone)
    assert set(told) == {
        slot for slot in expected if not any(fills(run, slot, zone) for run in runs)
    }  # looked at one by one
    in_time = sorted(runs, key=lambda run: run.started_at)
    assert set(missed_slots(plans, in_time, until=until, zone=zone)) == set(told)


def fills(run: Run, slot: Slot, zone: ZoneInfo) -> bool:
    """Say whether a run is of a slot, and began in it or in the hour after it."""
    name = parse_run_id(run.id)
    start = slot_start(slot.job.every, datetime.combine(slot.starts_on, time(12), zone))
    end = slot.job.every.next_start(start)
    return (
        name is not None
        and (name.job, name.slot) == (slot.job.id, slot.name)
        and start <= run.started_at < end + START_GRACE
    )
