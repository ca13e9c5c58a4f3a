"""What was expected when: the plan records, folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portalops.model.runs import Job, Plan

PLAN = "plan"
"""The kind of a plan record, and the key of the plan in its blob."""


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan, and since when it was in force."""

    seq: int
    at: datetime
    plan: Plan


@dataclass(frozen=True, slots=True)
class PlannedSpan:
    """A time in which a job was planned, unchanged, without a break."""

    job: Job
    starts_at: datetime
    ends_at: datetime
    """Exclusive."""


def plan_at(plans: Sequence[RecordedPlan], moment: datetime) -> Plan | None:
    """Return the plan in force at a moment: the newest one recorded by then, or None before the first."""
    return next((recorded.plan for recorded in reversed(plans) if recorded.at <= moment), None)


def planned_spans(plans: Iterable[RecordedPlan], until: datetime) -> tuple[PlannedSpan, ...]:
    """Return for how long each job was planned, up to a moment.

    A job that a later plan changes in its duty or rhythm ends there and another begins; one that stays
    the same goes on, whatever else changed.
    """
    spans: list[PlannedSpan] = []
    open_since: dict[Job, datetime] = {}
    for recorded in plans:
        if recorded.at >= until:
            break
        jobs = set(recorded.plan.jobs)
        spans += [PlannedSpan(job, open_since.pop(job), recorded.at) for job in list(open_since) if job not in jobs]
        for job in recorded.plan.jobs:
            open_since.setdefault(job, recorded.at)
    spans += [PlannedSpan(job, since, until) for job, since in open_since.items()]
    return tuple(spans)
