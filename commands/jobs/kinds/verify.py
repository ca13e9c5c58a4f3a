"""The job `verify`: reads copies of backup sets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from backups.job import VerifyTarget, run_verify
from backups.media import MEDIA
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.runner import job_of
from commands.jobs.sets import keys_of, media_of, recorded_sets_of
from portalops.errors import ExitCode
from portalops.ledger.runs import Work
from portalops.model.backups import Copy, CopyState, VerifyLevel, VerifyResult
from portalops.model.reading import limits_of
from portalops.model.runs import Every, JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import due_for_reading

Readers: TypeAlias = "Callable[[Sequence[VerifyTarget]], Iterable[Copy]]"
"""Reads copies, and returns each as it is now, in any order."""


def verify_copies(session: Session, every: Every, readers: Readers | None = None) -> VerifyResult:
    """Do the verify job: read the copies whose turn it is.

    Args:
        session: what to work with.
        every: how often the job is done.
        readers: who reads those that any machine can reach, if not this process.

    Raises:
        ConfigurationError: a medium does not fit.
    """
    targets, media = due_copies(session, every), media_of(session)
    others = [each for each in targets if readers and each.copy.medium in media_for_all(session)]
    elsewhere = {(copy.set_id, copy.medium): copy for copy in (readers(others) if readers and others else ())}
    here = [each for each in targets if (each.copy.set_id, each.copy.medium) not in elsewhere]
    found = run_verify(here, media, clock=session.clock, progress=session.progress, keys=keys_of(session)).copies
    newest = elsewhere | {(copy.set_id, copy.medium): copy for copy in found}
    return VerifyResult(tuple(newest[each.copy.set_id, each.copy.medium] for each in targets))


def media_for_all(session: Session) -> frozenset[str]:
    """Return the ids of the media that any machine can reach: kinds whose module has ANYWHERE."""
    return frozenset(table.id for table in session.settings.backup_media if MEDIA.load(table.kind).is_anywhere)


def due_copies(session: Session, every: Every) -> list[VerifyTarget]:
    """Return the copies that a verify job reads now."""
    return [
        VerifyTarget(copy, made.set.bag_sha256, made.set.stored_bytes)
        for made, copy in due_for_reading(
            recorded_sets_of(session, passing_over=True),
            every=every.longest,
            limit=limits_of(session.rulebook.numbers)[VerifyLevel.L2],
        )
    ]


def verify_work(session: Session, readers: Readers | None = None) -> Work[object]:
    """Read copies back; by others than this process, if they are given."""
    result = verify_copies(session, job_of(session, JobKind.VERIFY).every, readers)
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    states = {copy.state for copy in result.copies}
    if not states:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, ("no recorded copy is on the configured media",))
    if CopyState.DAMAGED in states:
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, problems)
    if problems or states - {CopyState.VERIFIED}:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


JOB = JobWork(work=verify_work)
