"""Where sets go, one file each. A module of this folder is a kind that `[[backup.medium]]` may name.

A kind registers as `MEDIUM`, a `MediumKind`: `Settings`, the shape of its table, and `build(table)`, which checks the table and
returns a `portalops.ports.Medium`. All of them pass one suite, `tests/contract/test_media.py`. Settings are `MediumSettings`, which
limit speed and hours (`_throttled.py`), and with settings that are `RetrySettings` what breaks by itself is tried again
(`_retried.py`). What a kind cannot do of `ResumableMedium` and `RenewableWriter` in `portalops/ports.py` is not done: its copies
begin anew, and its errors are reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from backups.media._retried import retried
from backups.media._throttled import MediumSettings, throttled
from portalops.config.kinds import TableKind, kind_of
from portalops.config.tables import KindTable
from portalops.plugins import Door
from portalops.ports import HasPlace

if TYPE_CHECKING:
    from portalops.ports import Medium

SettingsT = TypeVar("SettingsT", bound=MediumSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumKind(TableKind[SettingsT]):
    """A kind of medium."""

    build: Callable[[KindTable], Medium]
    """Returns the medium that a table describes, or raises `ConfigurationError`."""
    is_anywhere: bool = False
    """Whether any machine can reach it, and not only the one whose disk or drive it is: on a cluster workers read its copies."""


MEDIA: Final[Door[MediumKind[Any]]] = Door("backups.media", "MEDIUM", MediumKind)


def build_media(tables: Iterable[KindTable]) -> dict[str, Medium]:
    """Return the media that tables describe, by id; raises as `build_medium` does."""
    return {table.id: build_medium(table) for table in tables}


def require_place(table: KindTable, sources: Sequence[Path]) -> None:
    """Require that this machine has what a medium would be written to.

    Args:
        table: of the medium.
        sources: what is backed up of this machine.

    Raises:
        MediumUnavailable: it has not, as far as that is seen without connecting to anything.
        ConfigurationError: the table does not fit its kind.
    """
    medium = kind_of(MEDIA, table).build(table)
    if isinstance(medium, HasPlace):
        medium.require_place(sources)


def build_medium(table: KindTable) -> Medium:
    """Return the medium that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    kind = kind_of(MEDIA, table)
    settings = kind.typed(table)
    return retried(throttled(kind.build(table), settings), settings)
