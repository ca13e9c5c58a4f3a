"""Which media will be full within their next sets, as the configuration, the ledger and the media have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from backups.retention import Rhythm, candidates_of, simulate
from backups.room_ahead import Filling, days_ahead, filling_of
from portalops.config import Settings
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.retention import RetentionPolicy
from portalops.model.runs import JobKind
from portalops.ports import HasRoom, LedgerReader, Medium
from portalops.registers.backups import SetEvidence
from portalops.registers.retention import Retained, read_retention


def rhythm_of(settings: Settings, sets: Sequence[SetEvidence]) -> Rhythm | None:
    """Return how sets are made from now on; the classes of data are taken to stay as they are."""
    for job in settings.jobs:
        if job.kind is JobKind.BACKUP:
            newest = candidates_of(sets[-1:])
            has_documents = newest[0].has_documents if newest else False
            return Rhythm(job.every, settings.backup.full_every, job.id, has_documents)
    return None


def fillings(
    settings: Settings,
    ledger: LedgerReader,
    sets: Sequence[SetEvidence],
    media: Mapping[str, Medium],
    *,
    now: datetime,
    zone: ZoneInfo,
    local_only: bool = False,
) -> Iterator[Filling]:
    """Yield the media that do not take all of their next sets; one that cannot be asked, or tells no room, is left out.

    What the rules let go counts as room where somebody removes sets: a job is planned for it, or sets were marked before. While a
    hold or mark cannot be read, nothing is removed.

    Args:
        settings: name the media, the rules, and how often a set is made.
        ledger: tells which sets are held and marked.
        sets: as recorded, oldest first.
        media: by id.
        now: aware.
        zone: the portal's.
        local_only: ask folders of this machine alone.
    """
    rhythm = rhythm_of(settings, sets)
    if rhythm is None or not sets:
        return
    try:
        retained = read_retention(ledger)
        prunes = bool(retained.marks) or any(job.kind is JobKind.PRUNE for job in settings.jobs)
    except LedgerError:
        retained, prunes = Retained(), False
    courses = simulate(
        settings.backup.retention if prunes else RetentionPolicy(),
        candidates_of(sets),
        rhythm,
        holds={name: each.hold.reason for name, each in retained.holds.items()},
        approved={name for name, each in retained.marks.items() if each.mark.evidence is not None},
        days=days_ahead(rhythm.every, now.astimezone(zone).date()),
        now=now,
        zone=zone,
    )
    marked_until = {name: each.mark.undo_until.astimezone(zone).date() for name, each in retained.marks.items()}
    size = sets[-1].set.stored_bytes
    for name, medium in media.items():
        if not isinstance(medium, HasRoom) or (local_only and not medium.places()):
            continue
        with suppress(PortalOpsError):
            free = medium.room(size).free_bytes
            if free is not None and (found := filling_of(name, free, sets, courses, marked_until)) is not None:
                yield found
