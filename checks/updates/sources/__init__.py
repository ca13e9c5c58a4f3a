"""Where items are seen, one file each. A module of this folder is a kind that `[[updates.source]]` may name.

A kind registers as `SOURCE`, an `UpdateSourceKind`. Web servers are asked through `web` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.plugins import Door

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from checks.updates.source_settings import CommonSettings
    from portalops.config.tables import KindTable
    from portalops.ports import UpdateSource, Web

SettingsT = TypeVar("SettingsT", bound="CommonSettings")


class BuildSource(Protocol):
    """Checks a table and makes its source."""

    def __call__(self, source_id: str, table: KindTable, /, *, zone: ZoneInfo, web: Web) -> UpdateSource:
        """Return the source that a table describes, or raise `ConfigurationError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSourceKind(TableKind[SettingsT]):
    """A kind of update source."""

    build: BuildSource


SOURCES: Final[Door[UpdateSourceKind[Any]]] = Door("checks.updates.sources", "SOURCE", UpdateSourceKind)


def build_update_source(table: KindTable, *, zone: ZoneInfo, web: Web) -> UpdateSource:
    """Return the source that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(SOURCES, table).build(table.id, table, zone=zone, web=web)
