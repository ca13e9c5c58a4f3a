"""What was seen to change at hosts over a time, and which approved change each falls under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portalops.model.message import Message
from portalops.model.organisation import HostId


class Attribution(StrEnum):
    """Where something that changed stands."""

    UNDER = "under"
    """It falls under an approved change, a declared window, or an incident that explains it."""
    OUTSIDE = "outside"
    UNKNOWN = "unknown"
    """Whether it falls under one could not be found out."""


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One thing that changed at a host."""

    kind: Message
    name: str
    """As the host reported it; untrusted."""
    before: str | None
    """Empty where it was not there; None where it is not known."""
    after: str | None
    happened: datetime | Message
    """When, by the portal's clock or by the host's with how far that was off; or between which looks."""
    earliest_at: datetime
    """When it happened at the earliest, by the portal's clock."""
    attribution: Attribution
    reference: str
    """The change of the register, the window or the incident; of one that is outside, what is next to it; empty if nothing is."""
    approved_at: datetime | None
    """When the approval was recorded; None of what is declared or not approved."""
    why: Message


@dataclass(frozen=True, slots=True)
class ObservedDrift:
    """What was seen to change at one host."""

    host: HostId
    changes: tuple[SeenChange, ...] = ()
    """Oldest look first."""
    compared: int = 0
    """How many times two looks were compared."""
    first_at: datetime | None = None
    """The oldest look that was compared; None where there was nothing to compare."""
    last_at: datetime | None = None
    """The newest one."""
    unknown: tuple[Message, ...] = ()
    """Kinds of which looks did not tell all, each with the reason."""
    left_out: int = 0
    """How many changes are not listed, since there are too many."""
    why_none: Message | None = None
    """Why there was nothing to compare."""
