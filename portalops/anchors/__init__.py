"""Places for heads out of the operator's reach, one file a kind. A module of this folder is a kind of `[[ledger.anchor]]`.

A kind registers as `ANCHOR`, an `AnchorKind`: `Settings`, the shape of its table, and `build(table, context)`, which checks the table
and returns a `portalops.ports.Anchor`. All of them pass one suite, `tests/contract/test_anchors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.model.organisation import Portal
from portalops.plugins import Door
from portalops.ports import Clock

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.config.values import Shape
    from portalops.ports import Anchor

SettingsT = TypeVar("SettingsT", bound="Shape")


@dataclass(frozen=True, slots=True)
class AnchorContext:
    """What an anchor may need beside its own table."""

    portal: Portal
    """Whose heads they are: who keeps one must be told."""
    clock: Clock
    environment: Mapping[str, str]
    """Where secrets may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorKind(TableKind[SettingsT]):
    """A kind of anchor."""

    build: Callable[[KindTable, AnchorContext], Anchor]
    """Returns the anchor that a table describes, or raises `ConfigurationError`."""


ANCHORS: Final[Door[AnchorKind[Any]]] = Door("portalops.anchors", "ANCHOR", AnchorKind)


def build_anchor(table: KindTable, context: AnchorContext) -> Anchor:
    """Return the anchor that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(ANCHORS, table).build(table, context)
