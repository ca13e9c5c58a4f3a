"""Records single facts that belong to no run: each with who recorded it, where and how."""

from __future__ import annotations

from portalops import bodies
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.record import Record
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Recorder:
    """A ledger to append to, and the circumstances that every record bears."""

    ledger: Ledger
    circumstances: Circumstances

    def record(self, kind: str, key: str, fact: object, *, subject: str = "", duty: str = "") -> Record:
        """Record a fact under a key of its record's body; raises as `Ledger.append` does."""
        body = bodies.write({"circumstances": self.circumstances, key: fact})
        return self.ledger.append(kind, run=NO_RUN, subject=subject, duty=duty, body=body)
