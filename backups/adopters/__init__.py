"""Whose backups are read as claims, one file a tool. A module of this folder is a kind that `[[backup.adopted]]` may name.

A kind registers as `ADOPTER`, an `AdopterKind`: `Settings`, the shape of its table, and `build(table, context)`, which checks the
table and returns an `_settings.Adopter`: a question built purely, the asking, and a pure reading of the answer. Modules that begin with `_`
are parts that kinds share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from backups.adopters._settings import (
    Adopter,
    AdopterContext,
    AdopterQuestion,
    AdopterSettings,
    AdopterTraits,
    Claims,
    NotAnswered,
)
from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.plugins import Door

__all__ = [
    "ADOPTERS",
    "Adopter",
    "AdopterContext",
    "AdopterKind",
    "AdopterQuestion",
    "AdopterTraits",
    "Claims",
    "NotAnswered",
    "build_adopter",
]


SettingsT = TypeVar("SettingsT", bound=AdopterSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdopterKind(TableKind[SettingsT]):
    """A tool whose backups are adopted."""

    build: Callable[[KindTable, AdopterContext], Adopter]
    """Returns the adopter that a table describes, or raises `ConfigurationError`."""


ADOPTERS: Final[Door[AdopterKind[Any]]] = Door("backups.adopters", "ADOPTER", AdopterKind)


def build_adopter(table: KindTable, context: AdopterContext) -> Adopter:
    """Return the adopter that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(ADOPTERS, table).build(table, context)
