"""What was expected when: the plan records, folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.runs import Job, Plan
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

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
    timezone: str = ""
    """IANA name of the zone in which its slots begin and end."""


@dataclass(frozen=True, slots=True)
class ReadPlans:
    """What reading the plans came to."""

    plans: tuple[RecordedPlan, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why: what was expected from then on is unknown."""


def read_plans(ledger: LedgerReader, *, until: datetime) -> ReadPlans:
    """Return every plan that was recorded by a moment, and the records that cannot be read."""
    found: list[RecordedPlan] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=(PLAN,), until=until):
        try:
            plan = required_part(ledger.blob(record.body), PLAN, Plan)
            found.append(RecordedPlan(record.seq, record.at, plan))
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
    return ReadPlans(tuple(found), tuple(unreadable))


def plan_at(plans: Sequence[RecordedPlan], moment: datetime) -> Plan | None:
    """Return the plan in force at a moment: the newest one recorded by then, or None before the first."""
    return next((recorded.plan for recorded in reversed(plans) if recorded.at <= moment), None)


def planned_spans(plans: Iterable[RecordedPlan], until: datetime, *, timezone: str = "") -> tuple[PlannedSpan, ...]:
    """Return for how long each job was planned, up to a moment.

    A job that a later plan changes in its duty, rhythm or time zone ends there and another begins; one that
    stays the same goes on, whatever else changed. When in its slot it is due is no part of that, and is left out:
    a slot is kept or missed as a whole.

    Args:
        plans: oldest first.
        until: exclusive.
        timezone: of plans that name none.
    """
    spans: list[PlannedSpan] = []
    open_since: dict[tuple[Job, str], datetime] = {}
    for recorded in plans:
        if recorded.at >= until:
            break
        zone = recorded.plan.timezone or timezone
        planned = {(_without_time(job), zone): None for job in recorded.plan.jobs}
        ended = [each for each in open_since if each not in planned]
        spans += [PlannedSpan(each[0], open_since.pop(each), recorded.at, each[1]) for each in ended]
        for each in planned:
            open_since.setdefault(each, recorded.at)
    spans += [PlannedSpan(job, since, until, zone) for (job, zone), since in open_since.items()]
    return tuple(spans)


def _without_time(job: Job) -> Job:
    return replace(job, at="", on="") if job.has_time else job
