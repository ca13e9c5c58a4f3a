"""Who notices when nothing is done here any more, one file a kind. A module of this folder is a kind of `[[notify.monitor]]`.

A kind registers as `MONITOR`, a `MonitorKind`: `Settings`, the shape of its table, and `build(table, context)`, which returns a `Monitor`. What a monitor is told is
a `Beat`; a monitor that does not take one raises `MonitorUnavailable`, which never stops a run and never changes how it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from uuid import UUID

from portalops.config.kinds import TableKind, kind_of
from portalops.model.message import Message
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.config.values import Shape
    from portalops.notify.monitors._exposition import Metric


class MonitorUnavailable(Exception):
    """A monitor did not take what it was told."""

    def __init__(self, cause: Message) -> None:
        super().__init__(str(cause))
        self.cause = cause
        """What was observed, bounded and escaped; never the address, which is a secret."""


class BeatEvent(StrEnum):
    """What a beat tells of."""

    START = "start"
    """Work begins."""
    END = "end"
    """Work ended."""
    FAILED = "failed"
    """The run ended in an error, before it could tell how things stand."""
    IDLE = "idle"
    """It was looked whether something is due, and nothing was."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One sign of life."""

    turn: BeatEvent
    call: UUID
    """The same for the start and the end of one piece of work."""
    at: datetime
    """Aware."""
    code: int | None = None
    """At the end, or while idle: the worst exit code of each job's newest run; None if it is not known."""
    text: str = ""
    """A few lines for people: codes and ids, nothing that a host or a file said."""
    metrics: Callable[[], tuple[Metric, ...]] = tuple
    """All figures; they are read from the ledger when this is called."""


class Monitor(Protocol):
    """Is told that work begins and how it ended."""

    @property
    def id(self) -> str:
        """As the configuration names it."""
        ...

    @property
    def kind(self) -> str:
        """As the configuration names it."""
        ...

    @property
    def jobs(self) -> frozenset[str]:
        """The jobs that it is told of; empty for all of them, and for each look whether something is due."""
        ...

    def hear(self, beat: Beat) -> None:
        """Take a sign of life, within the seconds that the settings allow.

        Raises:
            MonitorUnavailable: it was not taken.
            SecretUnavailable: a secret of the settings cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class MonitorContext:
    """What a monitor may need beside its own table."""

    portal: str
    """Its id."""
    environment: Mapping[str, str]
    """Where secrets may be."""


SettingsT = TypeVar("SettingsT", bound="Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorKind(TableKind[SettingsT]):
    """A kind of monitor."""

    build: Callable[[KindTable, MonitorContext], Monitor]
    """Returns the monitor that a table describes, or raises `ConfigurationError`."""


MONITORS: Final[Door[MonitorKind[Any]]] = Door("portalops.notify.monitors", "MONITOR", MonitorKind)


def build_monitor(table: KindTable, context: MonitorContext) -> Monitor:
    """Return the monitor that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(MONITORS, table).build(table, context)
