"""A job, done or tried, and how it is found and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from commands.cli.shapes import shape
from portalops.errors import ExitCode, PortalOpsError
from portalops.model.backups import Copy
from portalops.model.message import Message, msg
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.verdicts import RunOutcome


@shape
class ShownJob:
    """One job, done or tried."""

    id: str
    slot: str
    """The day, week, month or year that it was for."""
    late: bool
    """Its time in the slot before passed without a complete run."""
    run: str
    """The run's id in the ledger; empty if nothing could be recorded."""
    outcome: RunOutcome
    exit_code: int
    summary: str
    problems: tuple[str, ...]


class JobFields(TypedDict):
    """The fields of `ShownJob`."""

    id: str
    slot: str
    late: bool
    run: str
    outcome: RunOutcome
    exit_code: int
    summary: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PerformedJob:
    """One job, done or tried."""

    job: Job
    slot: str
    run: str
    """The run's id; empty if nothing could be recorded."""
    outcome: RunOutcome
    exit_code: ExitCode
    seconds: float
    summary: Message
    said: tuple[Message, ...] = ()
    """What went wrong."""
    result: object = None
    error: PortalOpsError | None = None
    """What stopped the job before anything could be done."""
    report: Path | None = None
    """Of a drill: its signed report."""
    late: bool = False
    """It was overdue: its time in the slot before had passed without a complete run."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, for programs."""
        return tuple(map(str, self.said))

    def shown(self) -> ShownJob:
        """Return it as `--json` shows it."""
        return ShownJob(**self.fields())

    def fields(self) -> JobFields:
        """Return the fields of `ShownJob`, to fill a shape that has more."""
        return {
            "id": self.job.id,
            "slot": self.slot,
            "late": self.late,
            "run": self.run,
            "outcome": self.outcome,
            "exit_code": int(self.exit_code),
            "summary": str(self.summary),
            "problems": self.problems,
        }


def job_of(jobs: Iterable[Job], kind: JobKind) -> Job:
    """Return the configured job of a kind, for a person who asks for that kind of work.

    Without one, what is asked for is done and recorded all the same; it fills the slot of no job.
    """
    return next((job for job in jobs if job.kind is kind), Job(JobId(kind.value), kind, Every.WEEK))


def name_problem(identity: str, problem: Message) -> Message:
    """Return a problem with the id of what has it, once."""
    is_named = identity in str(problem).partition(":")[0]
    return problem if is_named else msg("{id}: {problem}", id=identity, problem=problem)


def problems_of_copies(copies: Iterable[Copy]) -> tuple[Message, ...]:
    """Return what is wrong with copies, and what hides them, one line each."""
    return tuple(
        msg("{medium}: {set}: {problem}", medium=copy.medium, set=copy.set_id, problem=remark)
        for copy in copies
        if (remark := copy.remark) is not None
    )
