"""Where originals, copies and drafts lie, one file a kind. A module of this folder is a kind that `[[archive.collection]]` may name.

A kind has `Settings`, the shape of its table, and `build(table)`, which checks the table and returns a
`_settings.Collection`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import cast

from backups.collections._settings import Collection, Entry, Traits, UnreadEntry
from portalops.config.tables import KindTable
from portalops.errors import UnknownKind
from portalops.model.message import msg

__all__ = ["Collection", "Entry", "Traits", "UnreadEntry", "build_collection", "kinds"]


@cache
def kinds() -> tuple[str, ...]:
    """Return the kinds that there are, as the configuration names them."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in found))


def build_collection(table: KindTable) -> Collection:
    """Return the collection that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    known = kinds()
    if table.kind not in known:
        raise UnknownKind(
            msg(
                "{place}: archive collection {id} is of an unknown kind: {kind}",
                place=table.place,
                id=table.id,
                kind=table.kind,
            ),
            msg("The kinds are: {kinds}.", kinds=", ".join(known)),
        )
    kind = importlib.import_module(f"{__name__}.{table.kind.replace('-', '_')}")
    return cast("Collection", kind.build(table))
