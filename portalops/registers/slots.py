"""What became of each slot in which a job was planned: the plans held against the runs. Pure.

`expected_slots` says which slots were expected; here it is said how each was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from portalops.errors import LedgerError
from portalops.model.message import Message, msg
from portalops.model.runs import Job, Run, RunSummary
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.registers.expected_slots import ExpectedSlot, SlotKey, expected_slots, slot_key
from portalops.registers.plans import RecordedPlan


class SlotState(StrEnum):
    """How a slot was kept; the best of its runs counts."""

    DONE = "done"
    """A complete run began in it."""
    LATE = "late"
    """A complete run began after its end, while it could still count for it; or it began when the job was overdue."""
    INCOMPLETE = "incomplete"
    """A run did a part of its work, and none did all of it."""
    FAILED = "failed"
    """A run ended without a result."""
    UNFINISHED = "unfinished"
    """A run began and left no end: it crashed, or was at work."""
    UNKNOWN = "unknown"
    """A run ended, and how cannot be read."""
    MISSED = "missed"
    """No run at all."""


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """A slot of a planned job, and how it was kept."""

    job: Job
    name: str
    """As `Every.slot` gives it."""
    starts_at: datetime
    ends_at: datetime
    """Exclusive; both in the plan's time zone."""
    state: SlotState
    run: Run | None = None
    """The run that it is called so for: the best one; None if there was none."""


@dataclass(frozen=True, slots=True)
class KeptSlots:
    """The slots of a time, or why they are not known."""

    slots: tuple[KeptSlot, ...] = ()
    """By their ends."""
    problem: Message | None = None
    """Then `slots` is empty and means nothing."""


_OF_OUTCOME = {
    RunOutcome.COMPLETE: SlotState.DONE,
    RunOutcome.INCOMPLETE: SlotState.INCOMPLETE,
    RunOutcome.FAILED: SlotState.FAILED,
}
_BEST_FIRST = tuple(SlotState)


def kept_slots(
    plans: Sequence[RecordedPlan],
    runs: Iterable[Run],
    end_of: Callable[[Run], RunSummary | None],
    *,
    until: datetime,
    zone: ZoneInfo,
    since: datetime,
    before: datetime,
) -> KeptSlots:
    """Return how each slot that began in a span and has ended was kept.

    Args:
        plans: oldest first, of before the span as well.
        runs: every run that began in it or later.
        end_of: how a finished run ended; None if that cannot be read.
        until: slots that end later are not over.
        zone: the portal's, for plans that name none.
        since: the span's begin.
        before: its end, exclusive.
    """
    if not any(plan.at < before for plan in plans):
        return KeptSlots(problem=msg("no plan is recorded by then, so the expected runs are not known"))
    try:
        expected = expected_slots(plans, until=until, zone=zone, since=since, before=before)
    except LedgerError as error:
        return KeptSlots(problem=error.message)
    wanted = {slot.key for slot in expected}
    tried: dict[SlotKey, list[Run]] = {}
    for run in runs:
        if (key := slot_key(run)) in wanted and key is not None:
            tried.setdefault(key, []).append(run)
    return KeptSlots(tuple(_kept(slot, tried.get(slot.key, ()), end_of) for slot in expected))


def _kept(slot: ExpectedSlot, tried: Sequence[Run], end_of: Callable[[Run], RunSummary | None]) -> KeptSlot:
    best, state = None, SlotState.MISSED
    for run in tried:
        if not slot.is_filled_by(run.started_at):
            continue
        found = _state(slot, run, end_of)
        if _BEST_FIRST.index(found) < _BEST_FIRST.index(state):
            best, state = run, found
    return KeptSlot(slot.job, slot.name, slot.start, slot.end, state, best)


def _state(slot: ExpectedSlot, run: Run, end_of: Callable[[Run], RunSummary | None]) -> SlotState:
    if run.finished_seq is None:
        return SlotState.UNFINISHED
    summary = end_of(run)
    if summary is None:
        return SlotState.UNKNOWN
    if summary.outcome is RunOutcome.COMPLETE and (summary.late or run.started_at >= slot.end):
        return SlotState.LATE
    return _OF_OUTCOME[summary.outcome]
