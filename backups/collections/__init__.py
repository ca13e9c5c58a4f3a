"""Where originals, copies and drafts lie, one file a kind. A module of this folder is a kind that `[[archive.collection]]` may name.

A kind registers as `COLLECTION`, a `CollectionKind`: `Settings`, the shape of its table, and `build(table)`, which checks the table
and returns a `_settings.Collection`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from backups.collections._settings import Collection, CollectionSettings, CollectionTraits, DigestedEntry, UnreadEntry
from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.plugins import Door

__all__ = [
    "COLLECTIONS",
    "Collection",
    "CollectionKind",
    "CollectionTraits",
    "DigestedEntry",
    "UnreadEntry",
    "build_collection",
]


SettingsT = TypeVar("SettingsT", bound=CollectionSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionKind(TableKind[SettingsT]):
    """A kind of collection of the archive."""

    build: Callable[[KindTable], Collection]
    """Returns the collection that a table describes, or raises `ConfigurationError`."""


COLLECTIONS: Final[Door[CollectionKind[Any]]] = Door("backups.collections", "COLLECTION", CollectionKind)


def build_collection(table: KindTable) -> Collection:
    """Return the collection that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(COLLECTIONS, table).build(table)
