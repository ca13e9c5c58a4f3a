"""Files and folders, as one tar stream named `files`.

    [[backup.source]]
    id = "uploads"
    kind = "files"
    class = "related"
    include = ["/srv/portal/uploads", "/srv/portal/*/logo.png"]
    exclude = ["*.tmp", "/srv/portal/uploads/cache"]

In a differential set the stream holds what has changed since the base, and a second one, named `removed`, the paths that
are no more. Names, owners, modes, times, links and extended attributes (ACLs among them) are kept as they are; symbolic links are
kept as links. Folders of the backup media inside are left out. A mounted file system inside is followed, unless
`one_file_system = true`.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

from pydantic import Field

from backups.sources._listing import Comparison, ListingDamaged, ListingWriter, order_of, read_listing
from backups.sources._patterns import is_glob, matcher
from backups.sources._settings import (
    ConfiguredSource,
    SourceContext,
    SourceSettings,
    SourceTraits,
    require_floor,
    unavailable,
)
from backups.sources._tree import TreeWriter
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import PathText
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter

_SPOOLED_BYTES = 4 << 20


class Settings(SourceSettings):
    """`kind = "files"`."""

    include: tuple[LocalPath, ...] = Field(min_length=1, description="Files and folders, or patterns of them.")
    exclude: tuple[PathText, ...] = Field(default=(), description="Patterns of what to leave out.")
    one_file_system: bool = Field(default=False, description="Leave out what is mounted inside.")


def build(table: KindTable, context: SourceContext) -> FilesSource:
    """Return the source that a configuration table describes."""
    settings = table.parse(Settings)
    return FilesSource(SourceTraits(table.id, table.kind, settings.data_class), settings, context, folder=table.folder)


class FilesSource(ConfiguredSource):
    """Files of this machine."""

    def __init__(self, traits: SourceTraits, settings: Settings, context: SourceContext, *, folder: Path) -> None:
        super().__init__(traits)
        self._settings = settings
        self._avoid = frozenset(os.path.abspath(path) for path in context.avoid)
        self._now_ns = context.now_ns
        self._is_excluded = matcher(settings.exclude, folder)

    def places(self) -> Sequence[Path]:
        return tuple(Path(path) for _pattern, paths in self._included() for path in paths)

    def write(self, opener: StreamOpener) -> None:
        included = self._included()
        absent = [pattern for pattern, paths in included if not paths]
        if len(absent) == len(included):
            raise unavailable(self.id, msg("there is no {path}", path=", ".join(absent)[:300]))
        if opener.base is not None:
            self._write_changes(opener, included, absent, opener.base)
            return
        noting = nullcontext() if opener.listing is None else ListingWriter(opener.listing, begun_ns=self._now_ns())
        with opener.stream("files", format="tar") as out, noting as listing:
            self._walk(out, included, absent, self._tree(out, listing=listing))

    def _write_changes(
        self, opener: StreamOpener, included: Sequence[tuple[str, list[str]]], absent: Sequence[str], base: Path
    ) -> None:
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as removed:

            def remove(path: str) -> None:
                removed.write(os.fsencode(path.strip("/")) + b"\0")

            try:
                comparison = Comparison(read_listing(base), remove)
            except ListingDamaged as error:
                raise unavailable(
                    self.id,
                    msg("what the base held of it cannot be told: {cause}", cause=show_text(str(error), 120)),
                    msg("Make a full set: portalops backup run --full"),
                ) from error
            with opener.stream("files", format="tar", differential=True) as out:
                self._walk(out, included, absent, self._tree(out, comparison=comparison))
            if removed.tell():
                removed.seek(0)
                with opener.stream("removed", format="removed", differential=True) as out:
                    while piece := removed.read(1 << 20):
                        out.write(piece)

    def _tree(
        self, out: StreamWriter, *, listing: ListingWriter | None = None, comparison: Comparison | None = None
    ) -> TreeWriter:
        return TreeWriter(
            out,
            is_excluded=self._is_excluded,
            avoid=self._avoid,
            one_file_system=self._settings.one_file_system,
            listing=listing,
            comparison=comparison,
        )

    def _walk(
        self,
        out: StreamWriter,
        included: Sequence[tuple[str, list[str]]],
        absent: Sequence[str],
        tree: TreeWriter,
    ) -> None:
        for pattern in absent:
            out.add_unread(f"{pattern}: no such file or folder")
        for path in _outermost(path for _pattern, paths in included for path in paths):
            tree.add_tree(path)
        if not tree.files:
            raise unavailable(self.id, msg("there is no file in it that can be read"))
        require_floor(self.id, tree.content_bytes, self._settings.minimum_bytes)
        tree.end()

    def _included(self) -> list[tuple[str, list[str]]]:
        """Return each entry of `include` with the paths that it stands for now."""
        found = []
        for path in self._settings.include:
            text = os.path.abspath(path)
            if is_glob(text) and not os.path.lexists(text):
                found.append((text, sorted(glob.glob(text, recursive=True, include_hidden=True))))
            else:
                found.append((text, [text] if os.path.lexists(text) else []))
        return found


def _outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths in a walk's order, without those inside another one, so that nothing is written twice."""
    kept: list[str] = []
    for path in sorted(set(paths), key=order_of):
        if not kept or not (path + "/").startswith(kept[-1].rstrip("/") + "/"):
            kept.append(path)
    return kept
