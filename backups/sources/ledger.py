"""portalops's own ledger: the records as they were at one moment, and the blobs that they name.

    [[backup.source]]
    id = "ledger"
    kind = "ledger"
    class = "related"

One tar stream named `ledger`, with `ledger.sqlite` and `blobs/` as they lie in the state folder. The records are copied
first: blobs are written before the records that name them, so every record of the copy finds its blob.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backups.sources._settings import (
    ConfiguredSource,
    SourceContext,
    SourceSettings,
    SourceTraits,
    require_floor,
    unavailable,
)
from backups.sources._tree import TreeWriter
from backups.sources.sqlite import consistent_copy
from portalops.config.tables import KindTable, LocalPath
from portalops.model.message import msg
from portalops.ports import StreamOpener

RECORDS = "ledger.sqlite"
BLOBS = "blobs"


class Settings(SourceSettings):
    """`kind = "ledger"`."""

    scratch: LocalPath | None = None
    """Folder for the temporary copy of the records; without it, the system's own."""


def build(table: KindTable, context: SourceContext) -> LedgerSource:
    """Return the source that a configuration table describes."""
    settings = table.parse(Settings)
    return LedgerSource(SourceTraits(table.id, table.kind, settings.data_class), settings, context.state_folder)


def writes(settings: Settings) -> tuple[Path, ...]:
    """Return the folder of the temporary copy, where one is named: a scheduled service may write nowhere else."""
    return (settings.scratch,) if settings.scratch is not None else ()


class LedgerSource(ConfiguredSource):
    """The state folder's ledger."""

    def __init__(self, traits: SourceTraits, settings: Settings, state_folder: Path) -> None:
        super().__init__(traits)
        self._settings = settings
        self._folder = state_folder

    def places(self) -> Sequence[Path]:
        return (self._folder,)

    def write(self, opener: StreamOpener) -> None:
        with (
            consistent_copy(self.id, self._folder / RECORDS, scratch=self._settings.scratch) as copy,
            opener.stream("ledger", format="tar") as out,
        ):
            tree = TreeWriter(out)
            status = os.stat(copy)
            tree.add(str(copy), RECORDS, status)
            if not tree.files:
                raise unavailable(self.id, msg("the copy of its records cannot be read"))
            require_floor(self.id, status.st_size, self._settings.minimum_bytes)
            tree.add_tree(os.path.abspath(self._folder / BLOBS), name=BLOBS)
            tree.end()
