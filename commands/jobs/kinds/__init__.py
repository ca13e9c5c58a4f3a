"""The kinds of jobs, one file a kind, named as the kind: each registers the work that the runner records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from commands.cli.session import Session
from portalops.ledger.runs import Work
from portalops.plugins import Door


@dataclass(frozen=True, slots=True)
class JobWork:
    """What a job of a kind does."""

    work: Callable[[Session], Work[object]]
    """Does all of it, here, and returns how it went."""
    unrecorded: Callable[[Session], Work[object]] | None = None
    """Does it while the ledger refuses records for their time; None for work that proves nothing then."""


JOBS = Door("commands.jobs.kinds", "JOB", JobWork)
