"""Where a witness gets heads from, one file a kind. A module of this folder is a kind of `[[witness.ledger]]`.

A kind registers as `SOURCE`, a `WatchedKind`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.witness.watching import WatchedLedger, WatchSettings

SettingsT = TypeVar("SettingsT", bound="WatchSettings")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedKind(TableKind[SettingsT]):
    """A way to a ledger that is watched."""

    build: Callable[[KindTable], WatchedLedger]
    """Returns the source that a table describes, or raises `ConfigurationError`."""


SOURCES: Final[Door[WatchedKind[Any]]] = Door("portalops.witness.sources", "SOURCE", WatchedKind)


def build_watched(table: KindTable) -> WatchedLedger:
    """Return the watched ledger that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(SOURCES, table).build(table)
