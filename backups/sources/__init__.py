"""Where data comes from, one file each. A module of this folder is a kind that `[[backup.source]]` may name.

A kind has `Settings`, the shape of its table, and `build(table, context)`, which checks the table and returns a
`portalops.ports.Source`. Modules that begin with `_` are parts that kinds share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from backups.sources._settings import SourceContext, shrink_limit_of
from portalops.config.kinds import kinds_in, known_module
from portalops.config.tables import KindTable
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.ports import Source

__all__ = ["SourceContext", "build_source", "kinds", "shrink_limit_of"]


def kinds() -> tuple[str, ...]:
    """Return all kinds, as the configuration names them."""
    return kinds_in(__name__)


def build_source(table: KindTable, context: SourceContext) -> Source:
    """Return the source that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    unknown = msg(
        "{place}: backup source {id} is of an unknown kind: {kind}", place=table.place, id=table.id, kind=table.kind
    )
    kind = known_module(__name__, table.kind, unknown)
    return cast("Source", kind.build(table, context))
