"""By which key each host is known: the enrolment records, folded. The newest of a host counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.hosts import Enrolment
from portalops.model.organisation import HostId

if TYPE_CHECKING:
    from portalops.registers.evidence import LedgerReader

ENROLLED = "host.enrolled"
ENROLMENT = "enrolment"
"""The key of it in the record's body."""


@dataclass(frozen=True, slots=True)
class RecordedEnrolment:
    """An enrolment with its record."""

    seq: int
    at: datetime
    enrolment: Enrolment


def read_enrolments(ledger: LedgerReader, *, until: datetime | None = None) -> dict[HostId, RecordedEnrolment]:
    """Return the enrolment that counts of each host that has one.

    A record whose details cannot be read leaves its host without a key: an older key that may have been replaced for a
    reason is not gone back to.
    """
    found: dict[HostId, RecordedEnrolment] = {}
    for record in ledger.records(kinds=(ENROLLED,), until=until):
        found.pop(HostId(record.subject), None)
        try:
            body = decode_part(ledger.blob(record.body), ENROLMENT, Enrolment)
        except PortalOpsError:
            continue
        if body is not None and body.host == record.subject:
            found[body.host] = RecordedEnrolment(record.seq, record.at, body)
    return found
