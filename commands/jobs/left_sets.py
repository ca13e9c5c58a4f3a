"""Sets that lie on a medium and in no record: what a run that died left there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backups.prune import list_media, made_at, without_left
from commands.cli.session import Session
from commands.jobs.kinds.prune import describe_dead_run, died_backups
from commands.jobs.sets import media_of, recorded_sets_of
from portalops.errors import PortalOpsError
from portalops.model.backups import SetId
from portalops.model.runs import JobKind

if TYPE_CHECKING:
    from portalops.ports import Medium


@dataclass(frozen=True, slots=True)
class LeftSet:
    """A set that a dead run left."""

    set_id: SetId
    run: str
    media: Mapping[str, Medium]
    """Those that list it, by id."""


def left_sets(session: Session) -> list[LeftSet]:
    """Return the sets on the media that dead runs sealed and no record tells of; media out of reach are passed over.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
        LedgerError: a record cannot be read, so a recorded set might be taken for one that is not.
    """
    died = died_backups(session)
    if not died:
        return []
    media = media_of(session)
    seen = list_media(session.settings.portal.id, media, recorded_sets_of(session))
    _rest, by_medium = without_left(seen, tuple(died.values()))
    names = sorted({name for names in by_medium.values() for name in names})
    return [
        LeftSet(
            name,
            _run_at(died, made_at(name)),
            {medium: media[medium] for medium, names in by_medium.items() if name in names},
        )
        for name in names
    ]


def tell_left_sets(session: Session) -> None:
    """Warn of what the last run left, if it died; what cannot be found out here stops no backup, and pruning tells it."""
    with suppress(PortalOpsError):
        runs = session.ledger.runs(kinds=(JobKind.BACKUP.value,))
        if len(runs) < 2 or runs[-2].finished_at is not None:  # the last one is this run
            return
        for each in left_sets(session):
            session.warnings += [describe_dead_run(medium, each.set_id) for medium in each.media]


def _run_at(died: Mapping[str, tuple[datetime, datetime]], moment: datetime) -> str:
    return next((run for run, (start, end) in died.items() if start <= moment < end), "")
