"""portalops's own ledger: the records as they were at one moment, and the blobs that they name.

    [[backup.source]]
    id = "ledger"
    kind = "ledger"
    class = "related"

One tar stream named `ledger`, with `ledger.sqlite` and `blobs/` as they lie in the state folder. The records are copied
first: blobs are written before the records that name them, so every record of the copy finds its blob.

A ledger in a database, or whose blobs are in an object store, is brought into the same two first, below `scratch`, which takes its
whole size for that time. What is restored is a ledger of one machine: it is used as it is, or goes back by `portalops ledger move`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.sources import SourceKind
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    SourceContext,
    SourceSettings,
    require_floor,
    unavailable,
)
from backups.sources._tree import TreeWriter
from backups.sources.sqlite import consistent_copy
from portalops.config.tables import KindTable, LocalPath
from portalops.errors import LedgerError
from portalops.ledger.ledger import KeptLedger, kept_in
from portalops.ledger.moving import copy
from portalops.model.message import msg
from portalops.ports import StreamOpener
from portalops.system.scratch import scratch_folder

RECORDS = "ledger.sqlite"
BLOBS = "blobs"


class Settings(SourceSettings):
    """`kind = "ledger"`."""

    scratch: LocalPath | None = None
    """Folder for the temporary copy of the records; without it, the system's own."""


def build(table: KindTable, context: SourceContext) -> LedgerSource:
    """Return the source that a configuration table describes."""
    settings = table.parse(Settings)
    return LedgerSource(
        BackupSourceTraits(table.id, table.kind, settings.data_class), settings, context.state_folder, context.ledger
    )


def writes(settings: Settings) -> tuple[Path, ...]:
    """Return the folder of the temporary copy, where one is named: a scheduled service may write nowhere else."""
    return (settings.scratch,) if settings.scratch is not None else ()


class LedgerSource(ConfiguredSource):
    """The state folder's ledger."""

    def __init__(
        self,
        traits: BackupSourceTraits,
        settings: Settings,
        state_folder: Path,
        elsewhere: Callable[[], KeptLedger] | None,
    ) -> None:
        super().__init__(traits)
        self._settings = settings
        self._folder = state_folder
        self._elsewhere = elsewhere

    def places(self) -> Sequence[Path]:
        return (self._folder,)

    def write(self, opener: StreamOpener) -> None:
        with self._open_local() as folder:
            self._write(folder, opener)

    @contextmanager
    def _open_local(self) -> Iterator[Path]:
        """Give the folder with the ledger's records and blobs: the state folder, or a copy of what is kept elsewhere."""
        if self._elsewhere is None:
            yield self._folder
            return
        try:
            with scratch_folder(self._settings.scratch) as name:
                folder = Path(name)
                copied = kept_in(folder, writable=True)
                copied.records.create()
                copy(self._elsewhere(), copied)
                copied.records.close()
                yield folder
        except LedgerError as error:
            raise unavailable(self.id, error.message, error.hint) from error

    def _write(self, folder: Path, opener: StreamOpener) -> None:
        with (
            consistent_copy(self.id, folder / RECORDS, scratch=self._settings.scratch) as copied,
            opener.stream("ledger", format="tar") as out,
        ):
            tree = TreeWriter(out)
            status = os.stat(copied)
            tree.add(str(copied), RECORDS, status)
            if not tree.files:
                raise unavailable(self.id, msg("the copy of the ledger's records cannot be read"))
            require_floor(self.id, status.st_size, self._settings.minimum_bytes)
            tree.add_tree(os.path.abspath(folder / BLOBS), name=BLOBS)
            tree.end()


SOURCE = SourceKind(settings=Settings, build=build, writes=writes)
