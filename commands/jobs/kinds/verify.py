"""The job `verify`: reads copies of backup sets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from backups.job import VerifyTarget, run_verify
from backups.media import MEDIA, build_media
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.performed import job_of, problems_of_copies
from commands.jobs.sets import keys_of
from portalops.errors import ExitCode
from portalops.ledger.runs import Work
from portalops.model.backups import Copy, CopyState, VerifyLevel, VerifyResult
from portalops.model.message import msg
from portalops.model.reading import limits_of
from portalops.model.runs import JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import due_for_reading, recorded_sets

Readers: TypeAlias = "Callable[[Sequence[VerifyTarget]], Iterable[Copy]]"
"""Reads copies, and returns each as it is now, in any order."""


def verify_work(session: Session, readers: Readers | None = None) -> Work[object]:
    """Read the copies whose turn it is; by `readers`, if they are given, on media that any machine can reach.

    Raises:
        ConfigurationError: a medium does not fit.
    """
    settings, ledger = session.settings, session.writable_ledger
    due = due_for_reading(
        recorded_sets(ledger, passing_over=True),
        every=job_of(settings.jobs, JobKind.VERIFY).every.longest,
        limit=limits_of(session.rulebook.numbers)[VerifyLevel.L2],
    )
    targets = [VerifyTarget.of(made.set, copy) for made, copy in due]
    media = build_media(settings.backup_media)
    keys = keys_of(ledger, session.warnings.append)
    shared = frozenset(table.id for table in settings.backup_media if MEDIA.load(table.kind).is_anywhere)
    others = [each for each in targets if readers and each.copy.medium in shared]
    elsewhere = {(copy.set_id, copy.medium): copy for copy in (readers(others) if readers and others else ())}
    here = [each for each in targets if (each.copy.set_id, each.copy.medium) not in elsewhere]
    found = run_verify(here, media, clock=session.clock, progress=session.progress, keys=keys).copies
    newest = elsewhere | {(copy.set_id, copy.medium): copy for copy in found}
    return work_of_readings(VerifyResult(tuple(newest[each.copy.set_id, each.copy.medium] for each in targets)))


def work_of_readings(result: VerifyResult) -> Work[object]:
    """Judge how the reading went."""
    problems = problems_of_copies(result.copies)
    states = {copy.state for copy in result.copies}
    if not states:
        return Work(
            RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, (msg("no recorded copy is on the configured media"),)
        )
    if CopyState.DAMAGED in states:
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, problems)
    if any(copy.problem for copy in result.copies) or states - {CopyState.VERIFIED}:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    # What is hidden from others was read all the same.
    return Work(RunOutcome.COMPLETE, ExitCode.PARTIAL if problems else ExitCode.OK, result, problems)


JOB = JobWork(work=verify_work)
