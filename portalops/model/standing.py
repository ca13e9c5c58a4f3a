"""What can be said of a duty over a period, why, and on which records it rests."""

from __future__ import annotations

from datetime import datetime

from portalops.model.message import Message
from portalops.model.rulebook import DutyId
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class Standing:
    """One duty, judged."""

    duty: DutyId
    verdict: DutyVerdict
    reason: Message
    """Why, in one sentence."""
    details: tuple[Message, ...] = ()
    """Each exception, one sentence each; of a duty that is met also how deep its copies were read."""
    evidence: tuple[int, ...] = ()
    """Sequence numbers of the ledger records it rests on."""
    newest_at: datetime | None = None
    """When the newest evidence was recorded."""
    due_at: datetime | None = None
    """When the next evidence must be there."""
