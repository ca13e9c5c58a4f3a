"""Whose backups are read as claims, one file a tool. A module of this folder is a kind that `[[backup.adopted]]` may name.

A kind has `Settings`, the shape of its table, and `build(table, context)`, which checks the table and returns an
`_settings.Adopter`: a question built purely, the asking, and a pure reading of the answer. Modules that begin with `_`
are parts that kinds share.
"""

from __future__ import annotations

from typing import cast

from backups.adopters._settings import Adopter, AdopterContext, Claims, NotAnswered, Question, Traits
from portalops.config.kinds import kinds_in, known_module
from portalops.config.tables import KindTable
from portalops.model.message import msg

__all__ = ["Adopter", "AdopterContext", "Claims", "NotAnswered", "Question", "Traits", "build_adopter", "kinds"]


def kinds() -> tuple[str, ...]:
    """Return all kinds, as the configuration names them."""
    return kinds_in(__name__)


def build_adopter(table: KindTable, context: AdopterContext) -> Adopter:
    """Return the adopter that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    unknown = msg(
        "{place}: adopted backup {id} is of an unknown kind: {kind}", place=table.place, id=table.id, kind=table.kind
    )
    kind = known_module(__name__, table.kind, unknown)
    return cast("Adopter", kind.build(table, context))
