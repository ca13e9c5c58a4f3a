"""How long the room lasts: for further backup sets on each medium, and for the ledger beside its growth.

A full disk stops everything, the recording of it included.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from backups.media import build_medium
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bounded, good, note, unknown, warning
from commands.doctor.places import folder_seen, nearest
from commands.jobs.room_ahead import fillings, rhythm_of
from portalops.errors import LedgerMissing, MediumUnavailable
from portalops.ledger.ledger import BLOBS, FILE
from portalops.model.backups import SetKind
from portalops.model.message import ByteCount, msg, nmsg
from portalops.ports import HasRoom
from portalops.registers.backups import recorded_sets

if TYPE_CHECKING:
    from portalops.config import KindTable
    from portalops.registers.backups import SetEvidence

FEW_SETS = 3
"""So few further sets are worth a warning where none is planned, so that the next ones are not known."""

GROWTH_DAYS = 30
LASTS_DAYS = 180
"""Room that is gone sooner is worth a warning."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say what fits still."""
    settings = look.session.settings
    folder = settings.backup.drill.folder
    yield from bounded(partial(folder_seen, folder, about="scratch"), seconds=look.seconds, about="scratch")
    yield from bounded(partial(_growth, look), seconds=look.seconds, about="ledger")
    made = recorded_sets(look.session.reader, passing_over=True)
    newest = next((one.set for one in reversed(made) if one.set.kind is SetKind.FULL), None)
    if newest is None:
        return
    if settings.backup.retention.is_empty:
        yield note(
            "retention",
            msg("no retention is configured, so no set is ever removed and every medium fills up"),
            msg("Set [backup.retention]; 'portalops backup prune --dry-run' shows what would go."),
        )
    for table in settings.backup_media:
        looks = partial(_sets_that_fit, look, table, made, newest.stored_bytes)
        yield from bounded(looks, seconds=look.seconds, about=table.id)


def _sets_that_fit(
    look: DoctorContext, table: KindTable, made: Sequence[SetEvidence], size_bytes: int
) -> Iterator[DiagnosticLine]:
    """Say how many sets as large as the newest full one fit, and whether the next ones do; what is elsewhere is not asked here."""
    medium = build_medium(table)
    if not medium.places() or not isinstance(medium, HasRoom):
        return
    try:
        free = medium.room(size_bytes).free_bytes
    except MediumUnavailable as error:
        yield unknown(
            table.id, msg("{id}: what room it has is not known: {cause}", id=table.id, cause=error.message), error.hint
        )
        return
    if free is None:
        return
    count = free // max(1, size_bytes)
    seen = nmsg(
        "{id}: {n} more full set fits, as large as the newest one: {size}",
        "{id}: {n} more full sets fit, as large as the newest one: {size}",
        count,
        id=table.id,
        size=ByteCount(size_bytes),
    )
    session = look.session
    is_planned = rhythm_of(session.settings, made) is not None
    now, zone = session.clock.now(), session.zone_of_portal
    full = next(fillings(session.settings, session.reader, made, {table.id: medium}, now=now, zone=zone), None)
    if full is None and (is_planned or count >= FEW_SETS):
        yield good(table.id, seen)
        return
    hint = msg("Set [backup.retention] and see 'portalops backup prune --dry-run', or attach a larger disk.")
    yield warning(table.id, seen if full is None else full.describe(), hint)


def _growth(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say how long the room beside the ledger lasts, if it goes on growing as in the last weeks."""
    session = look.session
    if session.settings.ledger_store is not None:
        return  # it is on a server, whose disks nobody sees from here
    try:
        ledger, now = session.ledger, session.clock.now()
        recent = sum(1 for _record in ledger.records(since=now - timedelta(days=GROWTH_DAYS)))
        first, records = ledger.first(), ledger.count()
    except LedgerMissing:
        return
    folder = session.settings.state_folder
    size = (folder / FILE).stat().st_size + _bytes_below(folder / BLOBS)
    days = min(GROWTH_DAYS, max(1, (now - first.at).days)) if first is not None else 1
    daily = size * recent // max(1, records) // days
    free = psutil.disk_usage(str(nearest(folder))).free
    lasts = free // max(1, daily)
    seen = msg(
        "the ledger and its evidence take {size} and grow by {daily} a day; {free} are free",
        size=ByteCount(size),
        daily=ByteCount(daily),
        free=ByteCount(free),
    )
    if lasts < LASTS_DAYS:
        yield warning(
            "ledger",
            nmsg("{seen}: that lasts for {n} day", "{seen}: that lasts for {n} days", lasts, seen=seen),
            msg("Move the state folder to a larger disk before it is full; a full disk stops every job."),
        )
    else:
        yield good("ledger", seen)


def _bytes_below(folder: Path) -> int:
    """Return how many bytes the files below a folder have; two levels are all that there are."""
    if not folder.is_dir():
        return 0
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += _bytes_below(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                total += entry.stat(follow_symlinks=False).st_size
    return total


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
