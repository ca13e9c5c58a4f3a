"""What servers were over a time: how reachable their pages, how long security updates waited, when each was started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portalops.model.availability import PageSpans
from portalops.model.message import Message
from portalops.model.organisation import HostId


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """A page over a time, and what is asked of it."""

    page: PageSpans
    asked_percent: float | None
    """In how much of the time it must be reachable; None where the page is not declared any more."""


class WaitEnd(StrEnum):
    """How a security update ceased to wait."""

    LOGGED = "logged"
    """The package manager wrote down when it changed the package."""
    UNTOLD = "untold"
    """It waits no more, and no log says since when or why: it may have been withdrawn, or installed by other means."""
    WAITING = "waiting"
    """It was waiting at the last scan of the host."""


@dataclass(frozen=True, slots=True)
class UpdateWait:
    """One package of one host for which a security update was seen to wait; later updates of it wait on with the first."""

    host: HostId
    package: str
    seen_at: datetime
    """The first look that shows it waiting."""
    is_older: bool
    """It was waiting in the oldest scan that was read, so for longer than shown."""
    end: WaitEnd
    ended_at: datetime
    """When it was installed, by the host's log; the first look without it where no log tells; the newest look that shows it."""

    @property
    def days(self) -> int:
        """Return how many whole days it was seen to wait; it was published before it was seen."""
        return max(0, (self.ended_at - self.seen_at).days)


@dataclass(frozen=True, slots=True)
class HostUpdates:
    """What scans of one host show of security updates."""

    host: HostId
    waiting: tuple[tuple[date, int | None], ...]
    """How many waited by the last look of each local day; None where the look could not find out. Days without a look are left out."""
    waits: tuple[UpdateWait, ...]
    """Those that ended in the time or wait at its end."""


@dataclass(frozen=True, slots=True)
class HostStarts:
    """When one host was started, by its own journal."""

    host: HostId
    at: tuple[datetime, ...] = ()
    """Oldest first."""
    known_since: datetime | None = None
    """From when on the journal tells every start; None where nothing is known."""
    why_not: Message | None = None
    """Why nothing is known."""


@dataclass(frozen=True, slots=True)
class ServerHistory:
    """What the servers were over a time, read from what was kept of it."""

    pages: tuple[WatchedPage, ...] = ()
    lost_samples: tuple[int, ...] = ()
    """Records of samples whose details cannot be read: what they tell is not known."""
    updates: tuple[HostUpdates, ...] = ()
    starts: tuple[HostStarts, ...] = ()
