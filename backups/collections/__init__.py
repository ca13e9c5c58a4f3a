"""Where originals, copies and drafts lie, one file a kind. A module of this folder is a kind that `[[archive.collection]]` may name.

A kind has `Settings`, the shape of its table, and `build(table)`, which checks the table and returns a
`_settings.Collection`.
"""

from __future__ import annotations

from typing import cast

from backups.collections._settings import Collection, Entry, Traits, UnreadEntry
from portalops.config.kinds import kinds_in, known_module
from portalops.config.tables import KindTable
from portalops.model.message import msg

__all__ = ["Collection", "Entry", "Traits", "UnreadEntry", "build_collection", "kinds"]


def kinds() -> tuple[str, ...]:
    """Return all kinds, as the configuration names them."""
    return kinds_in(__name__)


def build_collection(table: KindTable) -> Collection:
    """Return the collection that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    unknown = msg(
        "{place}: archive collection {id} is of an unknown kind: {kind}",
        place=table.place,
        id=table.id,
        kind=table.kind,
    )
    kind = known_module(__name__, table.kind, unknown)
    return cast("Collection", kind.build(table))
