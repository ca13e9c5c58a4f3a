"""What changed between two polls of one host, as values that probes and judging share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from checks.servers.probe import MissingFact


class KnownBy(StrEnum):
    """How the time of a change is known."""

    LOG = "log"
    """The package manager wrote it down."""
    FILE = "file"
    """The kernel's own time of the file's last change (ctime)."""
    BOOT = "boot"
    """The journal, or the kernel's own word on its start."""
    BETWEEN = "between"
    """It is not known but that it lies between the two looks."""


COMPARING: Final = timedelta(seconds=180)
"""So long before its answer arrives a look may have been made."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """One thing that changed."""

    kind: str
    """Of `kinds()`, or `rebuilt`."""
    name: str
    before: str | None
    """Empty where it was not there; None where it is not known, as of the steps between two looks."""
    after: str | None
    after_at: datetime
    """The first look, of before the change, by the portal's clock."""
    before_at: datetime
    """The second look, which shows it."""
    happened_at: datetime | None = None
    """By the host's own clock, UTC; None where nothing tells it."""
    ahead_seconds: int = 0
    """How far the host's clock was ahead of the portal's; less than 0 where it was behind."""
    unsure_seconds: int = 0
    """How far the time may be off in either direction once that is taken out."""
    known_by: KnownBy = KnownBy.BETWEEN
    by: str = ""
    """Who asked for it, where something says so."""
    run_at: datetime | None = None
    """When the run of the package manager began that it is of, or in the course of which it was made; by the host's clock."""
    written_at: datetime | None = None
    """Of a file that was changed last at `happened_at`: since when its content may have been what it is, by the host's clock.

    That is the time which the content bears, or of the first look if that is older. None where it is the moment itself, and of
    what the package manager made, which gives files the times of their packages.
    """

    @property
    def id(self) -> str:
        """Return what tells it from others of the host."""
        at = self.happened_at or self.before_at
        return f"{self.kind} {self.name} {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def span(self) -> tuple[datetime, datetime]:
        """Return when it happened at the earliest and at the latest, by the portal's clock."""
        if self.happened_at is None:
            return self.after_at - COMPARING, self.before_at
        ahead, unsure = timedelta(seconds=self.ahead_seconds), timedelta(seconds=self.unsure_seconds)
        return (self.written_at or self.happened_at) - ahead - unsure, self.happened_at - ahead + unsure


@dataclass(frozen=True, slots=True)
class Unseen:
    """A kind of which two looks do not tell all, and why."""

    kind: str
    why: MissingFact
    seen_at: datetime | None = None
    """The newest look that has it; None where none is known."""
    gap_to: datetime | None = None
    """The look from which on it is seen again, where what it was at `seen_at` could not be compared with that any more."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What two looks at one host say."""

    after_at: datetime
    before_at: datetime
    changed: tuple[Drifted, ...]
    unknown: tuple[Unseen, ...] = ()
    runs: tuple[PackageChange, ...] = ()
    """The runs of the package manager in the course of which something else than packages was changed."""
    left_out: int = 0
    """How many changes are not listed, since there are too many."""


@dataclass(frozen=True, slots=True)
class PackageChange:
    """One run of apt, or the installation of one package by rpm."""

    at: datetime
    """UTC."""
    by: str
    """The account that asked for it, root where apt names none, or `unattended-upgrade`; empty where nothing records it."""
    packages: tuple[str, ...]
    until: datetime | None = None
    """When it ended, UTC; None where nothing records it, as in answers of before it was asked for."""
