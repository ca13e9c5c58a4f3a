"""What every report is made from: the configuration, the rulebook, and what the ledger tells, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portalops.calendar.calendar import Calendar
from portalops.model.host_drift import ObservedDrift
from portalops.model.organisation import Actor, Agency, Host, HostId, Portal, UnitId
from portalops.model.period import Period
from portalops.model.rulebook import Rulebook
from portalops.model.server_history import ServerHistory
from portalops.model.standing import Standing
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report is cut down to; the whole portal where neither is named."""

    unit: UnitId | None = None
    host: HostId | None = None

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is left out."""
        return self.unit is None and self.host is None

    def __str__(self) -> str:
        """Return it for file names and records: empty, `unit-ID` or `host-ID`."""
        return f"unit-{self.unit}" if self.unit else f"host-{self.host}" if self.host else ""


WHOLE = ReportScope()
"""Nothing is left out."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made from; the same material gives the same document."""

    portal: Portal
    """Whose duties."""
    actors: Sequence[Actor]
    """Who holds the offices; those of the period are named, with their dates."""
    units: Sequence[Agency]
    """The agencies, in the order in which they are listed."""
    hosts: Sequence[Host]
    """The servers, in the order of the configuration."""
    rulebook: Rulebook
    """The regulation, with the numbers that were used."""
    calendar: Calendar
    """The working days, for shading and for what of them is not certain."""
    period: Period
    """What the report covers."""
    standings: Sequence[Standing]
    """Every duty, judged over the period."""
    evidence: Evidence
    """What the judging rests on."""
    proof: Proof
    """The records there were, and what holds them."""
    generated_at: datetime
    """When the report was made; aware."""
    version: str
    """Of portalops."""
    servers: ServerHistory | None = None
    """What the servers were over the period; read for reports that ask for it, since it takes long."""
    months: Sequence[tuple[Period, Sequence[Standing]]] = ()
    """Every duty, judged over each calendar month of the period by itself; read for reports that ask for it."""
    drift: Sequence[ObservedDrift] = ()
    """What was seen to change at hosts; read for reports that ask for it, as `servers`."""
    scope: ReportScope = WHOLE
    """What it is cut down to; a report that cannot be cut down so is not asked for it."""
