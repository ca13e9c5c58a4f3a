"""Where sets go, one file each. A module of this folder is a kind that `[[backup.medium]]` may name.

A kind has `Settings`, the shape of its table, and `build(table)`, which checks the table and returns a
`portalops.ports.Medium`. All of them pass one suite, `tests/contract/test_media.py`. With settings that are
`MediumSettings` a kind can be limited in speed and hours (`_throttled.py`), and with settings that are `RetrySettings` what
breaks by itself is tried again (`_retried.py`). What a kind cannot do of `ResumableMedium` and `RenewableWriter` in
`portalops/ports.py` is not done: its copies begin anew, and its errors are told at once. A kind that any machine can reach
says so by `ANYWHERE = True`: on a cluster its copies are read by workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from backups.media._retried import retried
from backups.media._throttled import throttled
from portalops.config.kinds import kinds_in, known_module, module_of
from portalops.config.tables import KindTable
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.ports import Medium


def kinds() -> tuple[str, ...]:
    """Return the kinds that there are, as the configuration names them."""
    return kinds_in(__name__)


def is_anywhere(kind: str) -> bool:
    """Say whether media of a kind can be reached from any machine, and not from the one alone whose disk or drive they are."""
    return bool(getattr(module_of(__name__, kind), "ANYWHERE", False))


def build_media(tables: Iterable[KindTable]) -> dict[str, Medium]:
    """Return the media that tables describe, by id; raises as `build_medium` does."""
    return {table.id: build_medium(table) for table in tables}


def build_medium(table: KindTable) -> Medium:
    """Return the medium that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    unknown = msg(
        "{place}: backup medium {id} is of an unknown kind: {kind}", place=table.place, id=table.id, kind=table.kind
    )
    kind = known_module(__name__, table.kind, unknown)
    settings = table.parse(kind.Settings)
    return retried(throttled(cast("Medium", kind.build(table)), settings), settings)
