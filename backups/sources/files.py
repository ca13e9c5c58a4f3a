"""Files and folders, as one tar stream named `files`.

    [[backup.source]]
    id = "uploads"
    kind = "files"
    class = "related"
    include = ["/srv/portal/uploads", "/srv/portal/*/logo.png"]
    exclude = ["*.tmp", "/srv/portal/uploads/cache"]

In a differential set the stream holds what has changed since the base, and a second one, named `removed`, the paths that
are no more. Names, owners, modes, times, links and extended attributes (ACLs among them) are kept as they are; symbolic links are
kept as links, and those that `include` names or has a pattern for are followed: the set gets the link and where it leads
(`_included.py`). What is removed while it is read is named and no fault, up to `gone_limit_percent`. Folders of the backup
media inside are left out. A mounted file system inside is followed, unless
`one_file_system = true`.

With `ssh = { ... }` as for `command`, the files are those of another host, and GNU tar is run there (1.28 or later): its
archive is streamed, with no file there, and read here on the way for the index and the digests. Then paths and patterns stand
whole and without `**`; a file that changes while it is read is named and not tried again; and every set holds all of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, ValidationInfo, model_validator

from backups.sources import SourceKind
from backups.sources._included import IncludeEntry, absent_of, excluded_by_links, find_included, lies_in, outermost
from backups.sources._listing import ListingComparison, ListingDamaged, ListingWriter, read_listing
from backups.sources._patterns import is_glob, matcher
from backups.sources._program import Program
from backups.sources._remote_tree import TAR_WORDS, tar_script, write_tree
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    Lack,
    SourceContext,
    SourceRemark,
    note_gone,
    require_floor,
    unavailable,
)
from backups.sources._snapshots import HOLLOW_INODE, mark_of, mounted_inside, snapshots_of, top_of
from backups.sources._tree import TreeWriter
from portalops.config.ssh import SshPlace
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import PathText, RefusedValue
from portalops.errors import SourceUnavailable
from portalops.model.message import Message, msg, together
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter
from portalops.system.programs import LocalRunner

_SPOOLED_BYTES = 4 << 20


def _whole(pattern: str, info: ValidationInfo) -> str:
    """Return a pattern of a path with the folder that it starts from."""
    folder = (info.context or {}).get("folder")
    return os.path.join(folder, pattern) if folder and "/" in pattern.rstrip("/") else pattern


class Settings(HostSettings):
    """`kind = "files"`."""

    include: tuple[LocalPath, ...] = Field(min_length=1, description="Files and folders, or patterns of them.")
    exclude: tuple[Annotated[PathText, AfterValidator(_whole)], ...] = Field(
        default=(), description="Patterns of what to leave out."
    )
    one_file_system: bool = Field(default=False, description="Leave out what is mounted inside.")
    snapshot: Literal["btrfs"] | None = Field(
        default=None, description="Read a snapshot, so that all files are of one moment; it is removed at the end."
    )
    exclude_caches: bool = Field(
        default=False, description="Leave out what lies beside a CACHEDIR.TAG; the folder and its tag stay."
    )
    gone_limit_percent: StrictInt = Field(
        default=10,
        ge=0,
        le=100,
        description="The set is incomplete if more than that was removed while it was read; 100 lets everything pass.",
    )
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long another host may send nothing.")

    @model_validator(mode="before")
    @classmethod
    def _whole_there(cls, values: object) -> object:
        """Refuse what would mean something else on another host."""
        if isinstance(values, dict) and values.get("ssh") is not None:
            include, exclude = (
                [str(each) for each in given] if isinstance(given := values.get(key), (list, tuple)) else []
                for key in ("include", "exclude")
            )
            partial = [each for each in include if not each.startswith("/")]
            partial += [each for each in exclude if "/" in each.rstrip("/") and not each.startswith("/")]
            if values.get("snapshot") is not None:
                raise RefusedValue(
                    msg("takes no snapshot on another host"),
                    msg("Leave out 'snapshot', or make one there by 'before' and remove it by 'after'."),
                    shows_value=False,
                )
            if partial or any("**" in each for each in (*include, *exclude)):
                raise RefusedValue(
                    msg("needs absolute paths and patterns without ** for another host"),
                    msg("Start each path with /. Name each folder, or exclude by a file name such as *.tmp."),
                    shows_value=False,
                )
        return values


def build(table: KindTable, context: SourceContext) -> FilesSource:
    """Return the source that a configuration table describes."""
    settings = table.parse(Settings)
    return FilesSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings, context)


class FilesSource(ConfiguredSource):
    """Files of this machine."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings, context: SourceContext) -> None:
        super().__init__(traits)
        self._settings = settings
        self._media = tuple(context.avoid)
        self._now_ns = context.now_ns
        self._mark = mark_of(context.state_folder, traits.id)

    def places(self) -> Sequence[Path]:
        if self._settings.ssh is not None:
            return ()
        return tuple(Path(path) for each in _included(self._settings) for path in each.paths)

    def write(self, opener: StreamOpener) -> None:
        if self._settings.ssh is not None:
            self._write_from(self._settings.ssh, opener)
            return
        included = _included(self._settings)
        absent = absent_of(included)
        if len(absent) == len(included):
            raise unavailable(self.id, _nothing_at(absent))
        begun_ns = (
            self._now_ns()
        )  # before a snapshot is made: what changes behind it must be read again by a differential
        walk = _Walk(self._settings, included, self._media)
        with self._read_at(walk.tops) as places:
            if opener.base is not None:
                self._write_changes(opener, places, walk, opener.base)
                return
            noting = nullcontext() if opener.listing is None else ListingWriter(opener.listing, begun_ns=begun_ns)
            with opener.stream("files", format="tar") as out, noting as listing:
                self._walk(out, places, walk, walk.tree(out, listing=listing))

    def _read_at(self, paths: Sequence[str]) -> AbstractContextManager[Mapping[str, str]]:
        """Give, for each path in its order, where it is read."""
        if self._settings.snapshot is None:
            return nullcontext({path: path for path in paths})
        return snapshots_of(self.id, paths, self._mark, LocalRunner())

    def _write_from(self, host: SshPlace, opener: StreamOpener) -> None:
        """Write all files of another host."""
        settings = self._settings
        paths = [os.path.normpath(path) for path in settings.include]
        script = tar_script(
            [*outermost(path for path in paths if not is_glob(path)), *(path for path in paths if is_glob(path))],
            settings.exclude,
            one_file_system=settings.one_file_system,
            exclude_caches=settings.exclude_caches,
        )
        program = Program(("sh", "-c", script), environment=TAR_WORDS, idle_seconds=settings.idle_seconds, host=host)
        with opener.stream("files", format="tar") as out:
            write_tree(
                self.id,
                program,
                out,
                minimum_bytes=settings.minimum_bytes,
                gone_limit_percent=settings.gone_limit_percent,
                exclude_caches=settings.exclude_caches,
            )

    def _write_changes(self, opener: StreamOpener, places: Mapping[str, str], walk: _Walk, base: Path) -> None:
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as removed:

            def remove(path: str) -> None:
                removed.write(os.fsencode(path.strip("/")) + b"\0")

            try:
                comparison = ListingComparison(read_listing(base), remove)
            except ListingDamaged as error:
                raise unavailable(
                    self.id,
                    msg("the base's list of this source cannot be read: {cause}", cause=show_text(str(error), 120)),
                    msg("Make a full set: portalops backup run --full"),
                ) from error
            with opener.stream("files", format="tar", differential=True) as out:
                self._walk(out, places, walk, walk.tree(out, comparison=comparison))
            if removed.tell():
                removed.seek(0)
                with opener.stream("removed", format="removed", differential=True) as out:
                    while piece := removed.read(1 << 20):
                        out.write(piece)

    def _walk(self, out: StreamWriter, places: Mapping[str, str], walk: _Walk, tree: TreeWriter) -> None:
        for entry in walk.included:
            if not entry.named:
                out.add_unread(f"{entry.text}: no such file or folder")
            for each in entry.leads:
                if each.problem is not None:
                    out.add_unread(str(each.problem))
            if entry.is_excluded:
                out.add_skipped(f"{entry.text}: include names it, and exclude leaves out all of it")
        for path, at in places.items():
            tree.add_tree(path, at=at)
            for point in mounted_inside(path) if self._settings.snapshot is not None else ():
                self._name_mount(out, point, walk)
        if not tree.files:
            raise unavailable(self.id, msg("no file in it can be read"))
        require_floor(self.id, tree.content_bytes, self._settings.minimum_bytes)
        note_gone(out, tree.gone, tree.files, self._settings.gone_limit_percent)
        tree.end()

    def _name_mount(self, out: StreamWriter, point: str, walk: _Walk) -> None:
        """Name what is mounted inside, and so is in no snapshot."""
        if self._settings.one_file_system:
            out.add_skipped(f"{point}: another file system")
        elif not any(
            str(each) in walk.avoid or walk.is_excluded(str(each)) for each in (Path(point), *Path(point).parents)
        ):
            out.add_unread(f"{point}: mounted inside, so the snapshot does not hold it")


class _Walk:
    """What one reading goes through, and what it leaves out."""

    def __init__(self, settings: Settings, included: Sequence[IncludeEntry], media: Sequence[Path]) -> None:
        self.included = included
        self._settings = settings
        self.tops = outermost(path for each in included for path in each.paths)
        self.is_excluded = excluded_by_links(matcher(settings.exclude, Path("/")), included)
        self.avoid = frozenset(name for folder in media for name in _names_of(folder, self.tops))
        """Folders of the media, by each path that a walk may come by them at."""
        self._media = media

    def tree(
        self, out: StreamWriter, *, listing: ListingWriter | None = None, comparison: ListingComparison | None = None
    ) -> TreeWriter:
        """Return what writes it into a stream."""
        return TreeWriter(
            out,
            is_excluded=self.is_excluded,
            avoid=self.avoid,
            avoid_folders=_folders_of(self._media),
            one_file_system=self._settings.one_file_system,
            exclude_caches=self._settings.exclude_caches,
            hollow_inode=None if self._settings.snapshot is None else HOLLOW_INODE,
            listing=listing,
            comparison=comparison,
        )


def lacking(settings: Settings) -> Lack | None:
    """Return which of the files and folders are not there, or of which no snapshot can be made, if any."""
    included = _included(settings)
    try:
        for path in (each for entry in included for each in entry.paths if settings.snapshot is not None):
            top_of("", path)
    except SourceUnavailable as error:
        cause = error.message.values["cause"]
        return Lack(cause if isinstance(cause, Message) else error.message)
    is_partial = any(each.has_data and not each.is_excluded for each in included)
    causes = [each.problem for entry in included for each in entry.leads if each.problem is not None]
    if absent := absent_of(included):
        causes.insert(0, _nothing_at(absent))
    if not is_partial and not causes:
        causes += [msg("exclude leaves out all of {path}", path=each.text) for each in included]
    return Lack(together(causes, 3), is_partial=is_partial) if causes else None


def remarks(settings: Settings) -> tuple[SourceRemark, ...]:
    """Return which links are followed, and what of `include` is left out by `exclude`."""
    included = _included(settings)
    followed = [each for entry in included for each in entry.leads if each.way]
    return (
        *(
            SourceRemark(msg("exclude leaves out all of {path}", path=each.text), True)
            for each in included
            if each.is_excluded
        ),
        *(
            SourceRemark(msg("{path} is a link; {place} is backed up with it", path=each.path, place=each.place))
            for each in followed
        ),
    )


def _included(settings: Settings) -> list[IncludeEntry]:
    """Return what the source stands for now."""
    return find_included(settings.include, matcher(settings.exclude, Path("/")))


def _names_of(folder: Path, tops: Sequence[str]) -> Iterator[str]:
    """Yield each path that a walk from one of the tops may come by a folder at."""
    yield os.path.abspath(folder)
    real = os.path.realpath(folder)
    for top in tops:
        real_top = os.path.realpath(top)
        if lies_in(real, real_top):
            yield os.path.normpath(top + "/" + real[len(real_top.rstrip("/")) :])


def _folders_of(media: Sequence[Path]) -> frozenset[tuple[int, int]]:
    """Return what the folders of the media are to the system, wherever else they are mounted too."""
    found = []
    for folder in media:
        with suppress(OSError):
            status = os.stat(folder)
            found.append((status.st_dev, status.st_ino))
    return frozenset(found)


def _nothing_at(absent: Sequence[str]) -> Message:
    return msg("there is no {path}", path=", ".join(absent)[:300])


SOURCE = SourceKind(settings=Settings, build=build, lacking=lacking, remarks=remarks)
