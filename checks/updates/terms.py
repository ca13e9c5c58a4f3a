"""By what updates are judged, and when: the values that every rule of Article 11 asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portalops.calendar import Calendar
from portalops.model.exemptions import Exemption
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.rulebook import Numbers, Rulebook
from portalops.model.runs import Every
from portalops.model.updates import Observation

POLL_REACH_BACK = timedelta(days=30)
"""How long before the first item that may matter polls are wanted, to know what was not there yet."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided by documents that bears on judging."""

    exemptions: tuple[Exemption, ...] = ()
    """Those in force, in the order in which they were granted."""
    confirmed: Mapping[str, date | None] = field(default_factory=dict)
    """Observations of which an officer has confirmed the day; None for the one that they claim."""
    attested: tuple[Observation, ...] = ()
    """Items that people attest and no source need show, in the order in which they were recorded."""
    unkept: frozenset[str] = frozenset()
    """Items attested or confirmed of which neither the item, nor a picture, nor the document is kept."""

    confirmed_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each of those was confirmed that stand so; others may be in it."""

    confirmed_units: Mapping[str, UnitId] = field(default_factory=dict)
    """Whose some of those are by the document, where their source has named more than one unit."""

    claimed: Mapping[str, Mapping[UnitId, str]] = field(default_factory=dict)
    """Collected items of unknown senders that units say are their own: of each item, the entry of each unit.

    What one unit alone claims counts for it, and stays open for every other unit for which it was; what several claim is open for all of them.
    """

    @property
    def contested(self) -> frozenset[str]:
        """Return the entries of items that several units claim: none of them counts."""
        return frozenset(entry for entries in self.claimed.values() if len(entries) > 1 for entry in entries.values())

    def confirms(self, observation: str, since: datetime) -> bool:
        """Say whether an officer confirmed an observation after a moment, so as it stood then."""
        at = self.confirmed_at.get(observation)
        return observation in self.confirmed and at is not None and at >= since


NOTHING_DECIDED = Decided()


@dataclass(frozen=True, slots=True)
class Terms:
    """By what is judged, and when."""

    rulebook: Rulebook
    calendar: Calendar
    zone: ZoneInfo
    now: datetime
    poll_every: Every
    decided: Decided = NOTHING_DECIDED

    @property
    def numbers(self) -> Numbers:
        return self.rulebook.numbers

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def wanted_from(self, period: Period) -> datetime:
        """Return from when on collected items bear on a period: the duplicate window, and the polls before it."""
        return period.bounds(self.zone)[0] - timedelta(days=self.numbers.duplicate_window_days) - POLL_REACH_BACK

    def counted_from(self, period: Period) -> datetime:
        """Return from when on collected items may count in a period, and polls bound them.

        What came in it was seen in it or claims it. Like texts from before are asked for by themselves, so that no year is read
        to judge a day.
        """
        return period.bounds(self.zone)[0] - POLL_REACH_BACK

    def end_of(self, day: date) -> datetime:
        """Return the moment at which a local day is over."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone)

    def close_of(self, day: date) -> datetime:
        """Return the moment at which a local day closes for counting."""
        cutoff = self.numbers.day_cutoff
        return self.end_of(day) if cutoff == "24:00" else datetime.combine(day, time.fromisoformat(cutoff), self.zone)

    def poll_due_by(self, end: datetime) -> datetime:
        """Return until when the look after an end may be made before it is late."""
        return self.poll_every.next_start(end.astimezone(self.zone))
