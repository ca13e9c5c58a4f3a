"""A change of when in its slot a job is due ends no span of its plan, by the verifier as by portalops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.ledger.bundle import verify as verifier
from portalops.model.record import Digest
from portalops.model.runs import Every, Job, JobId, JobKind, Plan
from portalops.model.text import format_at
from portalops.registers.expected_slots import missed_slots
from portalops.registers.plans import RecordedPlan

ZONE = "Asia/Ho_Chi_Minh"
MONDAY = datetime(2026, 11, 22, 17, tzinfo=UTC)
DAILY = Job(JobId("nightly"), JobKind.BACKUP, Every.DAY, "10.2", at="22:30")
WEEKLY = Job(JobId("weekly"), JobKind.VERIFY, Every.WEEK, on="sunday")


def test_slots_are_missed_across_a_change_of_a_jobs_time_alone() -> None:
    moved = (replace(DAILY, at="04:00"), replace(WEEKLY, on="", at="01:00"))
    plans = [
        RecordedPlan(2, MONDAY, Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64), ZONE)),
        RecordedPlan(3, MONDAY + timedelta(hours=30), Plan(moved, "kh@1", Digest("b" * 64), ZONE)),
    ]
    until = MONDAY + timedelta(days=8)

    ours = missed_slots(plans, [], until=until, zone=ZoneInfo(ZONE))
    read = [
        verifier.read_plan(
            cast("Any", SimpleNamespace(seq=each.seq, at=format_at(each.at))),
            bodies.encode({"plan": each.plan}),
            ZONE,
        )
        for each in plans
    ]
    theirs = verifier.missing_slots(read, {}, until)

    assert [(each.job, each.slot) for each in theirs] == [(slot.job.id, slot.name) for slot in ours]
    assert len(ours) == 8 + 1
