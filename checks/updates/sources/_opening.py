"""Configured sources, opened by their kind: a module of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from portalops.errors import UnknownKind
from portalops.model.message import msg
from portalops.ports import UpdateSource

if TYPE_CHECKING:
    from portalops.config.tables import KindTable


def kinds() -> tuple[str, ...]:
    """Return the kinds of source that there are."""
    folder = importlib.import_module("checks.updates.sources").__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")))


def open_sources(tables: Iterable[KindTable], *, zone: ZoneInfo) -> tuple[UpdateSource, ...]:
    """Return the sources that the configuration describes; nothing is read or connected to yet.

    Raises:
        ConfigurationError: a source is of an unknown kind or its settings are wrong; file and line are named.
    """
    return tuple(_open(table, zone) for table in tables)


def _open(table: KindTable, zone: ZoneInfo) -> UpdateSource:
    if table.kind not in kinds():
        raise UnknownKind(
            msg("{place}: there is no kind {kind} of update source", place=table.place, kind=table.kind[:40]),
            msg("The kinds are: {kinds}.", kinds=", ".join(kinds())),
        )
    module = importlib.import_module(f"checks.updates.sources.{table.kind}")
    return cast("UpdateSource", module.build(table.id, table, zone=zone))
