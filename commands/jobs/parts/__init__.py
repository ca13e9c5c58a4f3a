"""The kinds of jobs that fan out on a cluster, one file a kind, named as the kind; each registers as `PARTS`, a `Parts`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from portalops.plugins import Door

if TYPE_CHECKING:
    from commands.cli.session import Session
    from commands.jobs.fan import Fan
    from portalops.cluster.parts import PartRequest
    from portalops.ledger.runs import Work

PartT = TypeVar("PartT")


def _unguarded(_session: Session, _wish: PartRequest, _holder: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Generic[PartT]):
    """The parts of one kind of job."""

    part: type[PartT]
    """What a part comes to: the dataclass that the ledger holds."""
    work: Callable[[Session, Fan], Work[object]]
    """Does the job with what the fan brings of its parts."""
    do: Callable[[Session, PartRequest], Work[PartT]]
    """Does one part; a worker calls it."""
    guard: Callable[[Session, PartRequest, str], AbstractContextManager[None]] = _unguarded
    """Returns a context that raises `Locked` where too many parts are at the same thing.

    The part is then tried again a little later, and nothing is recorded of it.
    """


PARTS: Final[Door[Parts[Any]]] = Door("commands.jobs.parts", "PARTS", Parts)
