"""What a recovery host says of a drill that it did, so that the portal's host can take it up. See docs/drill-report.md."""

from __future__ import annotations

from datetime import datetime

from portalops.model.backups import DrillResult, SetId
from portalops.model.record import Digest
from portalops.model.values import dataclass

SCHEMA = "portalops.drill-report/1"


@dataclass(frozen=True, slots=True)
class DrillReport:
    """The content of a drill report; the file is this as JSON, and a signature over its bytes lies beside it."""

    schema: str
    """`SCHEMA`."""
    software: str
    """`portalops` and its version."""
    host: str
    """What the recovery host calls itself."""
    ledger: str
    """Id of the recovery host's own ledger."""
    record: int
    """The record in it that holds the drill."""
    record_sha256: Digest
    """Of that record's line: with that ledger anybody can check that it is there."""
    started_at: datetime
    finished_at: datetime
    portal: str
    """Id of the portal whose set it is."""
    set_id: SetId
    bag_sha256: Digest
    """Of the set that was found on the medium."""
    drill: DrillResult
