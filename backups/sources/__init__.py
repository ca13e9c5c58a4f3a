"""Where data comes from, one file each. A module of this folder is a kind that `[[backup.source]]` may name.

A kind has `Settings`, the shape of its table, and `build(table, context)`, which checks the table and returns a
`portalops.ports.Source`. Modules that begin with `_` are parts that kinds share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from backups.sources._settings import SourceContext, shrink_limit_of
from portalops.config.tables import KindTable
from portalops.errors import UnknownKind
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.ports import Source

__all__ = ["SourceContext", "build_source", "kinds", "shrink_limit_of"]


def kinds() -> tuple[str, ...]:
    """Return the kinds that there are, as the configuration names them."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in found))


def build_source(table: KindTable, context: SourceContext) -> Source:
    """Return the source that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    known: Sequence[str] = kinds()
    if table.kind not in known:
        raise UnknownKind(
            msg(
                "{place}: backup source {id} is of an unknown kind: {kind}",
                place=table.place,
                id=table.id,
                kind=table.kind,
            ),
            msg("The kinds are: {kinds}.", kinds=", ".join(known)),
        )
    kind = importlib.import_module(f"{__name__}.{table.kind.replace('-', '_')}")
    return cast("Source", kind.build(table, context))
