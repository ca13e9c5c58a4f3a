"""Kinds of tables: plug-ins that a `[[section]]` of the configuration names by its `kind`, each with the shape of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.plugins import Door

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from portalops.config.tables import KindTable

SettingsT = TypeVar("SettingsT", bound="BaseModel")
KindT = TypeVar("KindT", bound="TableKind[Any]")


def _no_folder(_settings: object) -> tuple[Path, ...]:
    return ()


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKind(Generic[SettingsT]):
    """What every kind of table has; each section adds what its kinds are built by."""

    settings: type[SettingsT]
    """The shape of its table."""
    variants: Callable[[], Mapping[str, type[BaseModel]]] = dict
    """Returns the shapes that its table may have instead, by the value of the key that chooses between them."""
    shape_of: Callable[[Mapping[str, object]], type[BaseModel]] | None = None
    """Returns the shape of a table with these values, where there are variants."""
    writes: Callable[[SettingsT], tuple[Path, ...]] = _no_folder
    """Returns folders of this machine that it writes to, beside the state folder and the media; a service may write nowhere else."""
    missing: Callable[[], tuple[Message, Message] | None] = _nothing
    """Returns what it needs that is not installed, and how to install it."""

    def typed(self, table: KindTable) -> BaseModel:
        """Return a table as the kind reads it.

        Raises:
            ConfigurationError: the table does not fit the kind.
        """
        return table.parse(self.shape_of(table.values) if self.shape_of else self.settings)


def kind_of(door: Door[KindT], table: KindTable) -> KindT:
    """Return the kind that a table names.

    Raises:
        UnknownKind: there is no such kind.
    """
    if table.kind in door.names():
        return door.load(table.kind)
    # The place is found by reading the whole file again, which ten thousand good tables can do without.
    unknown = msg(
        "{place}: {section} {id} is of an unknown kind: {kind}",
        place=table.layers.place((*table.path, "kind")),
        section=table.section,
        id=table.id,
        kind=table.kind,
    )
    return door.find(table.kind, unknown)
