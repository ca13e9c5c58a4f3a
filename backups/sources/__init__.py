"""Where data comes from, one file each. A module of this folder is a kind that `[[backup.source]]` may name.

A kind registers as `SOURCE`, a `SourceKind`: `Settings`, the shape of its table, and `build(table, context)`, which checks the table
and returns a `portalops.ports.Source`. Modules that begin with `_` are parts that kinds share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from backups.sources._hooks import Hooks, ReleaseFailed, hooked
from backups.sources._program import host_lacking, program_lack
from backups.sources._settings import (
    HostSettings,
    Lack,
    SourceContext,
    SourceRemark,
    SourceSettings,
    lacks_nothing,
    remarks_nothing,
    shrink_limit_of,
)
from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.ports import Source

__all__ = [
    "SOURCES",
    "Lack",
    "ReleaseFailed",
    "SourceContext",
    "SourceKind",
    "SourceRemark",
    "build_source",
    "lack_of",
    "remarks_on",
    "shrink_limit_of",
]

SettingsT = TypeVar("SettingsT", bound=SourceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind(TableKind[SettingsT]):
    """A kind of source."""

    build: Callable[[KindTable, SourceContext], Source]
    """Returns the source that a table describes, or raises `ConfigurationError`."""
    lacking: Callable[[SettingsT], Lack | None] = lacks_nothing
    """Returns what a source of this machine with these settings would not find there; nothing is connected to, no data is read."""
    remarks: Callable[[SettingsT], Sequence[SourceRemark]] = remarks_nothing
    """Returns what a source of this machine does that its table does not show at a glance; seen as `lacking` sees."""


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


def lack_of(table: KindTable) -> Lack | None:
    """Return what a source would not find on this machine, for one of another host what is needed to reach that; None if nothing is
    known to be missing.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    kind = kind_of(SOURCES, table)
    settings = kind.typed(table)
    assert isinstance(settings, SourceSettings)
    if isinstance(settings, HostSettings) and settings.ssh is not None:
        return host_lacking(settings.ssh)
    # What `before` makes ready, such as a mount, is not there yet.
    lack = program_lack(settings.before[0]) if settings.before else kind.lacking(settings)
    if lack is None and settings.after and (after := program_lack(settings.after[0])):
        return replace(after, is_partial=True)
    return lack


def remarks_on(table: KindTable) -> tuple[SourceRemark, ...]:
    """Return what a source of this machine does that its table does not show at a glance; raises as `lack_of` does."""
    kind = kind_of(SOURCES, table)
    settings = kind.typed(table)
    assert isinstance(settings, SourceSettings)
    if settings.before or (isinstance(settings, HostSettings) and settings.ssh is not None):
        return ()
    return tuple(kind.remarks(settings))
