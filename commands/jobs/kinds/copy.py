"""The job `copy`: replicates sets to the media that lack them."""

from __future__ import annotations

from backups.copying import run_copies, wanted_copies
from backups.resuming import worth_keeping
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.kinds.backup import with_sets
from commands.jobs.sets import keys_of, media_of, recorded_sets_of, sources_of
from portalops.errors import ExitCode
from portalops.ledger.runs import Work
from portalops.model.backups import CopyResult, CopyState
from portalops.model.verdicts import RunOutcome


def replicate_copies(session: Session, *, only_set: str = "", only_medium: str = "") -> CopyResult:
    """Do the copy job: put the newest set, and its base, on every medium that has no good copy of it.

    Args:
        session: what to work with.
        only_set: the name of one set, however old.
        only_medium: the id of one medium.

    Raises:
        ConfigurationError: a medium or source does not fit.
    """
    media = media_of(session)
    sets = recorded_sets_of(session, passing_over=True)
    targets = wanted_copies(sets, tuple(media), only_set=only_set, only_medium=only_medium)
    places = tuple(place for source in sources_of(session, tuple(media.values())) for place in source.places())
    return run_copies(
        targets,
        media,
        places=places,
        wanted={medium: worth_keeping(sets, medium) for medium in media},
        expected=with_sets(session, sets),
        keys=keys_of(session),
        clock=session.clock,
        progress=session.progress,
        on_error=session.note_medium,
    )


def copy_work(session: Session, *, only_set: str = "", only_medium: str = "") -> Work[object]:
    """Make up copies; of one set or onto one medium if a person asked for it."""
    result = replicate_copies(session, only_set=only_set, only_medium=only_medium)
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    if any(copy.state is CopyState.DAMAGED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.INTEGRITY, result, problems)
    if any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


JOB = JobWork(work=copy_work)
