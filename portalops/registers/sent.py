"""Which reports were sent: the `report.sent` records. One whose details cannot be read leaves open what was sent.

A paper that is not there any more is not kept: the sending is on record without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from portalops.bodies import required_part
from portalops.errors import PortalOpsError
from portalops.model.sent import SentReport
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.papers import still_kept

SENT = "report.sent"
KEY = "sent"
"""The key of it in the record's body."""


@dataclass(frozen=True, slots=True)
class RecordedSending:
    """A sending with its record."""

    seq: int
    at: datetime
    sent: SentReport


@dataclass(frozen=True, slots=True)
class ReadSendings:
    """What reading sendings came to."""

    sendings: tuple[RecordedSending, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_sendings(ledger: LedgerReader, *, until: datetime | None = None) -> ReadSendings:
    """Return every sending that was recorded by a moment."""
    found: list[RecordedSending] = []
    faults: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=(SENT,), until=until):
        try:
            body = required_part(ledger.blob(record.body), KEY, SentReport)
        except PortalOpsError as error:
            faults.append((record.seq, error))
            continue
        sent = replace(body, file=still_kept(ledger, body.file))
        found.append(RecordedSending(record.seq, record.at, sent))
    return ReadSendings(tuple(found), tuple(faults))
