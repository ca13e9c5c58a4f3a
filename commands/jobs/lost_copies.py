"""Which copies went with a medium that was replaced, and are to be made again on the one in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from backups.copying import lost_copies
from backups.presence import listed_sets
from backups.retention import candidates_of, decide
from portalops.config import Settings
from portalops.errors import LedgerError
from portalops.model.backups import CopyState, SetId
from portalops.ports import LedgerReader, Medium
from portalops.registers.backups import SetEvidence
from portalops.registers.retention import read_retention


def lost_on(
    settings: Settings,
    ledger: LedgerReader,
    sets: Sequence[SetEvidence],
    media: Mapping[str, Medium],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> dict[str, frozenset[SetId]]:
    """Return by medium the sets whose lost copies are to be made again; media are listed only where one was replaced.

    Args:
        settings: name the portal and its rules.
        ledger: tells which sets are held.
        sets: as recorded, oldest first.
        media: by id.
        now: aware.
        zone: the portal's.
    """
    replaced = {copy.medium for made in sets for copy in made.copies if copy.state is CopyState.REPLACED} & set(media)
    if not replaced:
        return {}
    kept = kept_sets(settings, ledger, sets, now=now, zone=zone)
    return lost_copies(sets, kept, listed_sets(settings.portal.id, [media[name] for name in sorted(replaced)]))


def kept_sets(
    settings: Settings, ledger: LedgerReader, sets: Sequence[SetEvidence], *, now: datetime, zone: ZoneInfo
) -> frozenset[SetId]:
    """Return the sets that the rules keep; all of them while a hold cannot be read."""
    every = candidates_of(sets)
    try:
        holds = {name: each.hold.reason for name, each in read_retention(ledger).holds.items()}
    except LedgerError:
        return frozenset(each.set_id for each in every)
    fates = decide(settings.backup.retention, every, holds=holds, approved=(), now=now, zone=zone)
    return frozenset(fate.set_id for fate in fates if fate.is_kept)
