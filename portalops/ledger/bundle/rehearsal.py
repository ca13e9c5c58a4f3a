"""What an export goes through before it is recorded, so that the record of an export is never one of a bundle that is not there or does not verify."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from portalops.errors import IntegrityError
from portalops.files import unwritable
from portalops.ledger.bundle.export import Advance, BundleScope, copy_lines, details
from portalops.ledger.heeded import numbers_mistimed
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NotARecord, parse
from portalops.model.message import msg
from portalops.model.text import format_at
from portalops.registers.figures import FigureCount, Figures, details_in
from portalops.registers.plans import PLAN

_AT = slice(7, 31)
"""Where a record's line has its time."""


def rehearse(
    ledger: Ledger, place: Path, scope: BundleScope, figures: Figures, zone: ZoneInfo, *, advance: Advance
) -> None:
    """Go through all that a bundle is to hold, and count its figures from the lines, as whoever verifies it does. Nothing is kept.

    Args:
        ledger: read only.
        place: where the bundle is to lie.
        scope: what belongs to it, up to the newest record.
        figures: as they were counted for the report.
        zone: the portal's.
        advance: is called with the records and blobs done.

    Raises:
        IntegrityError: the ledger does not hold, details are missing, or the figures are others.
        FileUnwritable: no folder can be made there, or the disk has no room.
    """
    count, mistimed = FigureCount(figures.period, zone), numbers_mistimed(ledger)
    since, plan = format_at(count.since).encode(), f'"kind":"{PLAN}"'.encode()
    size = seq = 0

    def take(line: bytes) -> None:
        nonlocal size, seq
        size, seq = size + len(line), seq + 1
        if seq <= figures.last_seq and seq not in mistimed and (line[_AT] >= since or plan in line):
            try:
                count.take(parse(line[:-1]))
            except NotARecord:
                return  # set aside: what is no record is counted by nobody

    copy_lines(ledger, scope.last, take, advance)
    for detail in details(ledger, scope):
        size += len(detail.data or b"")
        advance(1)
    _require_room(place, size)
    if count.figures(figures.last_seq, figures.as_of, details_in(ledger)).data() != figures.data():
        raise IntegrityError(
            msg(
                "the figures of the report are not those that are counted from the ledger's lines, up to record {seq}",
                seq=str(figures.last_seq),
            ),
            msg(
                "A bundle with them would not verify. Run 'portalops ledger verify': it names the record that misleads the count."
            ),
        )


def _require_room(place: Path, size: int) -> None:
    """Make sure that a folder can be made beside a place, and that the disk has room for so many bytes."""
    try:
        there = next(each for each in place.parents if each.exists())
        with TemporaryDirectory(prefix=f".{place.name}.", dir=there):
            if shutil.disk_usage(there).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301  # as the disk would say it
    except OSError as error:
        raise unwritable(place, error) from error
