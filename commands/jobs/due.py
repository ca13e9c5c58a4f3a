"""What a run is to do, as far as the ledger tells it: the part of a run that timers go through each quarter of an hour.

It imports little, judges nothing and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands.cli.clock import clock_step
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.planning import may_plan
from portalops.errors import LedgerError, UsageError
from portalops.jobs import Attempt, DueJob, due, next_due, owed_copies
from portalops.ledger.waiting import has_waiting
from portalops.model.message import Message, msg
from portalops.model.runs import Job, JobKind
from portalops.reports.document import Block, Paragraph, TableBlock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ORDER = tuple(JobKind)
"""Backups first and reports late, so that a report tells of the same run's work; what is anchored is over all of them."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the caller wants done."""

    names: tuple[str, ...] = ()
    """Jobs; empty for all that are planned."""
    due_only: bool = False
    wait_seconds: float = 0

    @property
    def is_forced(self) -> bool:
        """Say whether a person named jobs to do them, due or not."""
        return bool(self.names) and not self.due_only


@dataclass(frozen=True, slots=True)
class Chosen:
    """A job to do."""

    due: DueJob
    is_forced: bool
    """Due or not."""


@dataclass(frozen=True, slots=True)
class PlanNow:
    """The plan, what was tried of it lately, and the moment at which it is looked at."""

    jobs: tuple[Job, ...]
    attempts: tuple[Attempt, ...]
    now: datetime
    zone: ZoneInfo


def plan_now(session: Session) -> PlanNow:
    """Return the plan of a session at this moment; with a copy job of its own while copies are owed and none is configured."""
    jobs, attempts = session.settings.jobs, session.attempts()
    if (owed := owed_copies(jobs, attempts)) is not None:
        jobs, attempts = (*jobs, owed), session.attempts((*jobs, owed))
    return PlanNow(jobs, attempts, session.clock.now(), session.zone_of_portal)


def is_idle(session: Session, asked: RunRequest) -> bool:
    """Say whether there is nothing to do: nothing is due, the duties were judged today, the clock was not set, the plan is recorded.

    A machine that may record none waits for no plan.
    A plan is recorded for a configuration whose every part fits, so that one which is recorded need not be looked at again.

    Whatever stands in the way of knowing it is told by what is done then: a ledger that cannot be read, a clock that is behind.

    Raises:
        UsageError: a job is named that there is not.
    """
    settings = session.settings
    try:
        if chosen(plan_now(session), asked) or not was_judged_on(settings.state_folder, session.today):
            return False
        if clock_step(settings.state_folder, session.clock) is not None or has_waiting(settings.state_folder):
            return False
        ledger = session.ledger
        plan = ledger.plan()
        ledger.require_clock()
        is_recorded = plan is not None and (plan.configuration, plan.jobs) == (settings.digest, settings.jobs)
        return is_recorded or not may_plan(session, ledger)
    except LedgerError:
        return False


JUDGED_ON = "judged-on"
"""In the state folder: the local day on which a run judged the duties last."""


def was_judged_on(state_folder: Path, today: date) -> bool:
    """Say whether a run judged the duties on a day of the portal; one that cannot be found out is taken for not judged."""
    try:
        return (state_folder / JUDGED_ON).read_text(encoding="ascii").strip() == today.isoformat()
    except (OSError, ValueError):
        return False


def chosen(plan: PlanNow, asked: RunRequest) -> list[Chosen]:
    """Return what to do, in the order of kinds."""
    known = {job.id: job for job in plan.jobs}
    for name in asked.names:
        if name not in known:
            raise UsageError(
                msg("there is no job {name}", name=name[:40]),
                msg("The jobs are: {jobs}.", jobs=", ".join(known) or msg("none")),
            )
    wanted = [job for job in plan.jobs if not asked.names or job.id in asked.names]
    attempts, now, zone = plan.attempts, plan.now, plan.zone
    found = [Chosen(each, asked.is_forced) for each in due(wanted, attempts, now, zone, forced=asked.is_forced)]
    if any(each.due.job.kind is JobKind.BACKUP for each in found):  # the head over a new set leaves at once
        anchoring = [job for job in plan.jobs if job.kind is JobKind.ANCHOR]
        if all(each.due.job not in anchoring for each in found):
            forced = due(anchoring[:1], attempts, now, zone, forced=True)
            found += (Chosen(replace(each, reason=msg("a backup is made before it")), True) for each in forced)
    return sorted(found, key=lambda each: ORDER.index(each.due.job.kind))


def still_due(plan: PlanNow, each: Chosen) -> DueJob | None:
    """Return a job that is to be done now that its resource is held; None if another process did it meanwhile."""
    if each.is_forced:
        return each.due
    found = due([each.due.job], plan.attempts, plan.now, plan.zone)
    return found[0] if found else None


@shape
class PlannedJob:
    """A job that would be done."""

    id: str
    slot: str
    """The day, week, month or year that it would be for."""
    reason: str
    late: bool
    """Its time in the slot before passed without a complete run."""


def planned_result(plan: PlanNow, wanted: Sequence[Chosen]) -> Result[tuple[PlannedJob, ...]]:
    """Show what would be done."""
    found = [each.due for each in wanted]
    rows = [(each.job.id, each.job.kind.value, each.slot, each.reason) for each in found]
    headers = (msg("Job"), msg("Kind"), msg("For"), msg("Why"))
    view: list[Block] = (
        [TableBlock(msg("What would be done"), headers, rows)] if rows else [Paragraph(nothing_due(plan))]
    )
    return Result(tuple(PlannedJob(each.job.id, each.slot, str(each.reason), each.late) for each in found), view)


def nothing_due(plan: PlanNow) -> Message:
    """Say that nothing is due, and what comes next."""
    coming = [(next_due(job, plan.attempts, plan.now, plan.zone), job) for job in plan.jobs]
    if not coming:
        return msg("Nothing is due: no job is planned")
    moment, job = min(coming, key=lambda each: each[0])
    return msg("Nothing is due. Next: {job} on {day}", job=job.id, day=moment)
