"""The job `copy`: replicates sets to the media that lack them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from backups.copying import CopiesNow, inspect_copies, run_copies, wanted_copies
from backups.media import build_media
from backups.presence import media_with_sets
from backups.resuming import worth_keeping
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.lost_copies import lost_on
from commands.jobs.performed import problems_of_copies
from commands.jobs.sets import keys_of, sources_of
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.runs import Work
from portalops.model.backups import CopyResult, CopyState
from portalops.model.message import Message
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets
from portalops.registers.media import read_register


def copy_work(
    session: Session,
    *,
    only_set: str = "",
    only_medium: str = "",
    inspected: CopiesNow | None = None,
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> Work[object]:
    """Put the newest set, and its base, on every medium that has no good copy; one set or medium if a person asked for it.

    On a medium that took the place of another one, also what was on that and is kept still.

    Args:
        session: what it is done with.
        only_set: the name of a set, however old.
        only_medium: the id of a medium.
        inspected: the copies of this set and medium as their media show them; None to look.
        on_error: as for `run_copies`.

    Raises:
        ConfigurationError: a medium or source does not fit.
    """
    settings, ledger = session.settings, session.writable_ledger
    media = build_media(settings.backup_media)
    sources = sources_of(settings, media.values(), partial(session.kept, writable=False))
    keys = keys_of(ledger, session.warnings.append)
    now = inspected or inspect_copies(
        recorded_sets(ledger, passing_over=True),
        media,
        only_set=only_set,
        only_medium=only_medium,
        keys=keys,
        clock=session.clock,
        progress=session.progress,
    )
    sets = now.sets
    lost = lost_on(settings, ledger, sets, media, now=session.clock.now(), zone=session.zone_of_portal)
    result = run_copies(
        wanted_copies(sets, tuple(media), only_set=only_set, only_medium=only_medium, lost=lost),
        media,
        places=tuple(place for source in sources for place in source.places()),
        wanted={medium: worth_keeping(sets, medium) for medium in media},
        expected=media_with_sets(sets, read_register(ledger).media),
        keys=keys,
        clock=session.clock,
        progress=session.progress,
        on_error=on_error,
    )
    return work_of_copies(result, now.unseen)


def work_of_copies(result: CopyResult, unseen: Sequence[Message] = ()) -> Work[object]:
    """Judge how copying went; `unseen` names the copies that could not be looked at."""
    problems = (*problems_of_copies(result.copies), *unseen)
    if any(copy.state is CopyState.DAMAGED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.INTEGRITY, result, problems)
    if unseen or any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


JOB = JobWork(work=copy_work)
