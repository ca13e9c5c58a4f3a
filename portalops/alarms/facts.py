"""What alarms are found from: the same evidence and standings that the duties are judged by, and what is configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date

from portalops.model.heads import AnchorReceipt
from portalops.model.message import Message
from portalops.model.record import Recorded
from portalops.model.rulebook import DutyId, Rulebook
from portalops.model.standing import Standing
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome
from portalops.registers.evidence import Evidence


@dataclass(frozen=True, slots=True)
class JobState:
    """A planned job, as its newest runs show it."""

    id: str
    outcome: RunOutcome | None = None
    """Of its newest run that ended; None if none did."""
    overdue: Message | None = None
    """Why it is overdue; None if it is not."""


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What the kinds of alarms look at."""

    evidence: Evidence
    standings: tuple[Standing, ...]
    rulebook: Rulebook
    today: date
    """Local."""
    hosts: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    """Ids of the backup media of the configuration."""
    sources: tuple[str, ...] = ()
    """Ids of the sources of updates."""
    anchors: tuple[str, ...] = ()
    jobs: tuple[JobState, ...] = ()
    receipts: Mapping[str, Recorded[AnchorReceipt]] = field(default_factory=dict)
    """The newest receipt of each anchor, whether or not it took the head."""
    unconfirmed_years: tuple[int, ...] = ()
    """Years whose official notice of days off is to be asked for."""

    def duties_of(self, check: str) -> tuple[DutyId, ...]:
        """Return the duties that rest on a server check."""
        return tuple(duty.id for duty in self.rulebook.duties if check in duty.checks)
