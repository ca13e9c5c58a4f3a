"""Places for heads out of the operator's reach, one file a kind. A module of this folder is a kind of `[[ledger.anchor]]`.

A kind has `Settings`, the shape of its table, and `build(table, context)`, which checks the table and returns a
`portalops.ports.Anchor`. All of them pass one suite, `tests/contract/test_anchors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from portalops.config.kinds import kinds_in, known_module, module_of
from portalops.model.message import Message, msg
from portalops.model.organisation import Portal
from portalops.ports import Clock

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.ports import Anchor


@dataclass(frozen=True, slots=True)
class AnchorContext:
    """What an anchor may need beside its own table."""

    portal: Portal
    """Whose heads they are: who keeps one must be told."""
    clock: Clock
    environment: Mapping[str, str]
    """Where secrets may be."""


def kinds() -> tuple[str, ...]:
    """Return all kinds, as the configuration names them."""
    return kinds_in(__name__)


def build_anchor(table: KindTable, context: AnchorContext) -> Anchor:
    """Return the anchor that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    unknown = msg("{place}: anchor {id} is of an unknown kind: {kind}", place=table.place, id=table.id, kind=table.kind)
    return cast("Anchor", known_module(__name__, table.kind, unknown).build(table, context))


def missing(kind: str) -> tuple[Message, Message] | None:
    """Return what a kind needs that is not installed, and how to install it; None if nothing is missing.

    A module says so by a function of this name, if it needs an extra.
    """
    asked = getattr(module_of(__name__, kind), "missing", None)
    return cast("tuple[Message, Message] | None", asked()) if asked is not None else None
