"""The kinds of jobs that fan out on a cluster, one file a kind, named as the kind; each registers as `PARTS`, a `Parts`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from portalops.config import Settings
from portalops.plugins import Door

if TYPE_CHECKING:
    from commands.cli.session import Session
    from commands.jobs.fan import Fan
    from portalops.cluster.parts import PartRequest
    from portalops.ledger.runs import Work

PartT = TypeVar("PartT")


@dataclass(frozen=True, slots=True)
class Crowd:
    """A thing at which only so many parts may be at the same time, over all workers."""

    at: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Generic[PartT]):
    """The parts of one kind of job."""

    part: type[PartT]
    """What a part comes to: the dataclass that the ledger holds."""
    work: Callable[[Session, Fan], Work[object]]
    """Does the job with what the fan brings of its parts."""
    do: Callable[[Session, PartRequest], Work[PartT]]
    """Does one part; a worker calls it."""
    crowd: Callable[[Settings, PartRequest], Crowd | None] = lambda _settings, _wish: None
    """Returns what a part works on together with others; where too many are at it, the part is tried again a little later,
    and nothing is recorded of it."""


PARTS: Final[Door[Parts[Any]]] = Door("commands.jobs.parts", "PARTS", Parts)
