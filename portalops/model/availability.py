"""Whether pages were reachable, moment by moment: what `availability.samples` records hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portalops.model.organisation import HostId


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one page."""

    second: int
    """Since the batch began."""
    status: int
    """Of HTTP; 0 where nothing answered."""
    milliseconds: int
    """From connecting to the end of the answer."""

    @property
    def is_up(self) -> bool:
        """Say whether a visitor got the page, or was led to one."""
        return 200 <= self.status < 400


@dataclass(frozen=True, slots=True)
class PageSamples:
    """The looks at one page of one host, oldest first."""

    host: HostId
    url: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """The body of an `availability.samples` record, under the key `samples`."""

    station: str
    """What the place that was looked from is called."""
    began_at: datetime
    pages: tuple[PageSamples, ...]
