"""Official notices of days off: their records."""

from __future__ import annotations

from dataclasses import replace

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.calendar_notices import CalendarNotice
from portalops.ports import LedgerReader

CONFIRMED = "calendar.confirmed"
CALENDAR_NOTICE = "calendar_notice"
"""The key of a notice in its record's body."""


def is_recorded(notice: CalendarNotice, ledger: LedgerReader) -> bool:
    """Say whether the newest readable record of a year's notice gives the same days by the same document, and the same file."""
    newest = None
    for record in ledger.records(kinds=(CONFIRMED,)):
        try:
            found = required_part(ledger.blob(record.body), CALENDAR_NOTICE, CalendarNotice)
        except PortalOpsError:  # erased or damaged: then it is recorded anew
            continue
        if found.year == notice.year:
            newest = found
    if newest is None:
        return False
    file = newest.file if notice.file is None else notice.file
    return replace(newest, by="", calendar="", replaces="") == replace(
        notice, by="", calendar="", replaces="", file=file
    )
