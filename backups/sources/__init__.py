"""Where data comes from, one file each. A module of this folder is a kind that `[[backup.source]]` may name.

A kind registers as `SOURCE`, a `SourceKind`: `Settings`, the shape of its table, and `build(table, context)`, which checks the table
and returns a `portalops.ports.Source`. Modules that begin with `_` are parts that kinds share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from backups.sources._hooks import Hooks, ReleaseFailed, hooked
from backups.sources._settings import HostSettings, SourceContext, SourceSettings, shrink_limit_of
from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.ports import Source

__all__ = ["SOURCES", "ReleaseFailed", "SourceContext", "SourceKind", "build_source", "shrink_limit_of"]

SettingsT = TypeVar("SettingsT", bound=SourceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind(TableKind[SettingsT]):
    """A kind of source."""

    build: Callable[[KindTable, SourceContext], Source]
    """Returns the source that a table describes, or raises `ConfigurationError`."""


SOURCES: Final[Door[SourceKind[Any]]] = Door("backups.sources", "SOURCE", SourceKind)


def build_source(table: KindTable, context: SourceContext) -> Source:
    """Return the source that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    kind = kind_of(SOURCES, table)
    settings = kind.typed(table)
    assert isinstance(settings, SourceSettings)
    host = settings.ssh if isinstance(settings, HostSettings) else None
    return hooked(kind.build(table, context), Hooks(settings.before, settings.after, settings.hook_seconds, host))
