"""What duties are judged from: rulebook, evidence, and who there is to be judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeAlias

from portalops.calendar import Calendar
from portalops.model.organisation import Agency, Host
from portalops.model.rulebook import Duty, Rulebook
from portalops.model.standing import Standing
from portalops.model.values import dataclass
from portalops.registers.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules judge from."""

    rulebook: Rulebook
    evidence: Evidence
    hosts: tuple[Host, ...]
    units: tuple[Agency, ...]
    calendar: Calendar
    """The working days that deadlines are counted in."""

    @property
    def as_of(self) -> datetime:
        """The moment the standing speaks for: the period's end, or now if the period is not over."""
        return min(self.evidence.now, self.evidence.period.bounds(self.evidence.zone)[1])

    @property
    def today(self) -> date:
        """The local day of the evidence."""
        return self.evidence.now.astimezone(self.evidence.zone).date()

    @property
    def began_on(self) -> date | None:
        """The local day of the ledger's first record."""
        started = self.evidence.started_at
        return started.astimezone(self.evidence.zone).date() if started else None

    def is_before_ledger(self, last_day: date) -> bool:
        """Say whether a span that ends on a day began before anything was recorded."""
        return self.began_on is None or last_day < self.began_on


Rule: TypeAlias = Callable[[Duty, Situation], Standing]
"""Judges one duty; pure."""
