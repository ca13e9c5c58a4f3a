"""Files of a set back into a folder that has other files.

What is there already and is the same stays as it is. What is there and differs is kept, or overwritten where that was asked
for; each file gets its name by one rename when it is whole, so a restore that is killed leaves the old or the new one. Nothing
is removed, folders that are there keep their mode and time, and no link is followed on the way. A folder that is made has a mode
that no other has until it gets its own at the end; so the run behind one that was killed finds those that still wait for it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice, takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

from backups.age import PrivateKey
from backups.extract import Extractor
from backups.member_table import MemberTable, StreamToRead, add_stream
from backups.merged import CopyFault, MergedSet
from backups.paths import as_indexed, folders_above, is_pattern, matches
from backups.restore import unpack_members
from backups.tar import TAR, TarEntry
from backups.targets import SERVERS
from backups.unfinished import UNFINISHED, MissingPaths, begin_in_place, choose_marker
from portalops.errors import BackupError, SetDamaged, UnsafeTarget
from portalops.model.backups import MemberType, Stream, StreamMember
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text

BATCH = 10_000
"""Members that are unpacked at once: so many are held in memory."""
MAX_NAMED = 1000
"""Paths of one kind that are named; the others are counted."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNDRESSED = stat.S_ISVTX | stat.S_IRWXU
"""The mode of a folder that was made and waits for its own."""
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NO_NAMES = {"", ".", ".."}
"""What a path of an archive may hold to lead out of the folder."""
_NO_SUCH_PATH = msg("the set has no such path")
_DEVICES = {MemberType.CHARACTER_DEVICE, MemberType.BLOCK_DEVICE}


@dataclass(frozen=True, slots=True)
class GuardedFolder:
    """A folder in which nothing may be written."""

    place: Path
    """Where it really is."""
    why: Message


@dataclass(frozen=True, slots=True)
class Overlay:
    """How to restore in place."""

    overwrites: bool = False
    is_dry: bool = False
    """Nothing is written."""
    guarded: Sequence[GuardedFolder] = ()


@dataclass(slots=True)
class Named:
    """Paths of one kind: the first of them by name, all of them counted."""

    paths: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str) -> None:
        self.count += 1
        if len(self.paths) < MAX_NAMED:
            self.paths.append(path)

    def take_back(self, path: str) -> None:
        self.count -= 1
        if path in self.paths:
            self.paths.remove(path)


@dataclass(slots=True)
class OverlayReport:
    """What was restored, or would be."""

    new: int = 0
    """Files, folders and links that were not there, and are now."""
    same: int = 0
    """That are there and are the same."""
    differing: Named = field(default_factory=Named)
    """That are there and differ: overwritten where that was asked for, else kept."""
    files: int = 0
    content_bytes: int = 0
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    missing: int = 0
    faults: tuple[CopyFault, ...] = ()
    marked: Path | None = None
    """The list of what is missing. It lies in the folder itself; where that cannot be written, in the innermost one that is
    there and holds all that was asked for."""


def restore_in_place(
    copies: MergedSet,
    identities: Sequence[PrivateKey],
    folder: Path,
    *,
    source: str | None,
    paths: Sequence[str],
    base: MergedSet | None,
    how: Overlay,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> OverlayReport:
    """Restore the files of one source into a folder, each at its path below it.

    Args:
        copies: the set.
        identities: private keys, at least one of a recipient.
        folder: is there, and may have other files.
        source: whose files; may be left out where one source alone has files.
        paths: only these files and folders, or patterns.
        base: the set that a differential builds on.
        how: whether to overwrite, and where never to write.
        on_bytes: told of every piece of plaintext.

    Raises:
        WrongKey: no key opens the set; nothing was made.
        UnsafeTarget: the folder is not there, or cannot be written.
        BackupError: the set has no such source or path, or the base is not given; nothing was made.
        SetDamaged: no copy has an index, or the list of what was removed; nothing was made.
        MediumUnavailable: no medium could be read any more; a file in the folder says so.
    """
    stream = _chosen(copies, source)
    if stream.differential and base is None:
        raise BackupError(
            msg(
                "set {set} needs its base {base}, which was not found",
                set=copies.content.id,
                base=copies.content.base_id or "-",
            ),
            msg("Attach a medium that has the base: 'portalops backup list' names the media."),
        )
    read = StreamToRead(copies, stream, identities, base)
    wanted = _Wanted(tuple(as_indexed(path) for path in paths))
    with MemberTable() as table, _LiveFolder(folder, how.guarded) as live:
        try:
            add_stream(table, 0, read)
        except SetDamaged as error:
            raise SetDamaged(
                error.message,
                msg("Restore into an empty folder: --to needs no list, and names what is missing or older."),
            ) from error
        absent = wanted.absent(table.members(0))
        if wanted.paths and len(absent) == len(wanted.paths):
            raise BackupError(
                msg("the set has no path {path}", path=show_text(", ".join(paths), 300)),
                msg("Write the path as in the index, such as etc/hosts; leave out --path to restore everything."),
            )
        work = _OverlayRestore(read, table, live, wanted, how, on_bytes)
        if how.is_dry:
            work.plan()
        else:
            work.restore(wanted.common(table.members(0)), absent)
    report = work.report
    report.faults = (*copies.faults, *(base.faults if base is not None else ()))
    return report


def _chosen(copies: MergedSet, source: str | None) -> Stream:
    """Return the one stream of files that is to be restored.

    Raises:
        BackupError: there is none, or there are several.
    """
    content = copies.content
    tars = [each for each in content.streams if each.format == TAR]
    found = [each for each in tars if source in {None, each.source}]
    names = ", ".join(each.source for each in tars) or "-"
    if len(found) == 1:
        return found[0]
    if found:
        raise BackupError(
            msg("{n} sources of the set have files", n=len(found)), msg("Name one by --source: {names}.", names=names)
        )
    raise BackupError(
        msg("the set has no files of source {source}", source=show_text(source or "-", 80)),
        msg("Sources with files are: {names}. Restore a dump by --to or --stdout.", names=names),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The paths that are asked for; none for all."""

    paths: tuple[str, ...]

    def has(self, path: str) -> bool:
        return not self.paths or any(matches(path, each) for each in self.paths)

    def absent(self, members: Iterable[StreamMember]) -> set[str]:
        """Return those that no member is, or lies below."""
        absent = set(self.paths)
        for member in members if absent else ():
            absent -= {each for each in absent if matches(member.path, each)}
            if not absent:
                break
        return absent

    def common(self, members: Iterable[StreamMember]) -> str:
        """Return the innermost folder that holds all members that are asked for."""
        found: str | None = None
        for member in members:
            if (found is not None and member.path.startswith(f"{found}/")) or not self.has(member.path):
                continue
            here = member.path if member.type is MemberType.FOLDER else member.path.rpartition("/")[0]
            found = here if found is None else _common(found, here)
        return found or ""

    def ancestors(self) -> frozenset[str]:
        """Return the folders above them, which get their mode and time where they have to be made."""
        return frozenset(each for path in self.paths if not is_pattern(path) for each in folders_above(path))


def _common(one: str, other: str) -> str:
    """Return the folder that holds both."""
    both = zip(one.split("/"), other.split("/"), strict=False)
    return "/".join(name for name, _other in takewhile(lambda pair: pair[0] == pair[1], both))


class _Standing(Enum):
    NEW = auto()
    SAME = auto()
    DIFFERENT = auto()


class _NotMade(Exception):
    """A member that cannot be made, whatever is asked."""


@dataclass(slots=True)
class _OverlayRestore:
    """One restore in place at work."""

    read: StreamToRead
    table: MemberTable
    live: _LiveFolder
    wanted: _Wanted
    how: Overlay
    on_bytes: Callable[[int], None]
    report: OverlayReport = field(default_factory=OverlayReport)
    missing: MissingPaths | None = None
    """None where nothing is written."""

    def plan(self) -> None:
        """Find out what would be done."""
        for is_of_base in (True, False):
            for _member in self._to_write(is_of_base=is_of_base):
                pass

    def restore(self, common: str, absent: Iterable[str]) -> None:
        """Restore, with a file that says so until nothing is missing.

        Args:
            common: the innermost folder that holds all members that are asked for.
            absent: the paths that no member is.
        """
        above = "" if os.access(self.live.place, os.W_OK | os.X_OK) else self.live.innermost(common)
        folder = self.live.place / above
        try:
            marker = choose_marker(folder, lambda name: self.table.find(0, f"{above}/{name}".strip("/")) is not None)
            begin_in_place(marker, self.wanted.paths or (common,))
        except OSError as error:
            raise UnsafeTarget(
                msg("cannot write into {folder}: {cause}", folder=str(folder), cause=cause_of(error)),
                msg("Name a folder that you may write to."),
            ) from error
        self.report.marked = marker
        with MissingPaths(folder, marker, lambda path, why: self._is_settled(path, why, common)) as missing:
            self.missing = missing
            extractor = _OverlayExtractor(self.live.place, overwrites=self.how.overwrites, on_failed=self._take_back)
            try:
                with MemberTable() as links:
                    self._write(extractor, links, missing)
            finally:
                extractor.close()
            done = extractor.done
            self.report.files, self.report.content_bytes = done.files, done.content_bytes
            self.report.refused += done.refused
            self.report.notes += done.notes
            for line in done.refused:
                path, _colon, why = line.partition(": ")
                missing.add(path, why)
            for path in sorted(absent):
                missing.add(path, _NO_SUCH_PATH)
            self.report.missing = missing.count
        if missing.older:
            self.report.notes.append(f"{marker.name} lists what earlier restores did not bring back: {missing.older}")
        if missing.count + missing.older and marker.name != UNFINISHED:
            self.report.notes.append(f"{marker} lists what is missing, since {UNFINISHED} is another file")

    def _take_back(self, path: str) -> None:
        """Count a member no more that was to be made and could not be: what is in its place stays."""
        if self.how.overwrites and self.live.has(path):
            self.report.differing.take_back(show_text(path, 4096))
        else:
            self.report.new -= 1

    def _is_settled(self, path: str, reason: str, common: str) -> bool:
        """Say whether this restore was to bring back what an earlier one lists, so that it need not be listed any more."""
        if path in {*self.wanted.paths, *(() if self.wanted.paths else (common,))} or reason == str(_NO_SUCH_PATH):
            return True
        if not self.wanted.has(path):
            return False
        if self.table.find(0, path) is not None or next(self.table.level(0, path), None) is not None:
            return True
        return is_pattern(path) and not _Wanted((path,)).absent(self.table.members(0))

    def _write(self, extractor: Extractor, links: MemberTable, missing: MissingPaths) -> None:
        for is_of_base in (True, False):
            pending = self._to_write(is_of_base=is_of_base)
            while batch := list(islice(pending, BATCH)):
                links.add(0, [each for each in batch if each.type is MemberType.HARDLINK], is_of_base=is_of_base)
                self._unpack(
                    extractor,
                    [each for each in batch if each.type is not MemberType.HARDLINK],
                    missing,
                    is_of_base=is_of_base,
                )
        for is_of_base in (True, False):
            for member in links.ordered_members(0, is_of_base=is_of_base):
                self._link(extractor, member, missing)

    def _unpack(
        self,
        extractor: Extractor,
        members: Sequence[StreamMember],
        missing: MissingPaths,
        *,
        is_of_base: bool,
        rename: str = "",
    ) -> None:
        if not members:
            return
        read = self.read
        if is_of_base:
            assert read.base is not None
            read = StreamToRead(read.base, read.base.stream_of(read.stream), read.identities, None)
        lost, damaged = unpack_members(read, extractor, members, rename=rename, on_bytes=self.on_bytes)
        for path, why in lost:
            missing.add(rename or path, why)
            self._take_back(rename or path)
        self.report.damaged += [line for line in damaged if line not in self.report.damaged]

    def _link(self, extractor: Extractor, member: StreamMember, missing: MissingPaths) -> None:
        """Give a file a further name; where what bears its first name is another one, or has another time or a set-user-ID bit, a file
        of its own."""
        first = self.table.find(0, member.link)
        if first is not None and first.type in _DEVICES:
            self.report.notes.append(
                show_text(f"{member.path}: a further name of the device {member.link}, which is not made", 500)
            )
            return
        if first is None or first.type not in {MemberType.FILE, MemberType.SYMLINK, MemberType.FIFO}:
            missing.add(
                member.path, msg("the set has no file {path}, whose further name it is", path=show_text(member.link))
            )
            self._take_back(member.path)
            return
        try:
            is_right = self.live.standing(first, first) is _Standing.SAME and self.live.is_as_dressed(first)
        except _NotMade:
            is_right = False
        if is_right:
            extractor.link(member.link, member.path)
        else:
            self._unpack(
                extractor, [first], missing, is_of_base=self.table.is_of_base(0, first.path), rename=member.path
            )

    def _to_write(self, *, is_of_base: bool) -> Iterator[StreamMember]:
        """Yield the members that are to be written, and count all that are asked for."""
        above = self.wanted.ancestors()
        for member in self.table.ordered_members(0, is_of_base=is_of_base):
            is_wanted = self.wanted.has(member.path)
            if not is_wanted and not (member.type is MemberType.FOLDER and member.path in above):
                continue
            if member.type in _DEVICES:
                self.report.notes.append(show_text(f"{member.path}: a device is neither made nor compared", 500))
                continue
            try:
                standing = self.live.standing(member, self._content(member))
            except _NotMade as error:
                if is_wanted and self.missing is not None:
                    self.missing.add(member.path, str(error))
                if is_wanted and len(self.report.refused) < MAX_NAMED:
                    self.report.refused.append(show_text(f"{member.path}: {error}", 500))
                continue
            match standing:
                case _Standing.SAME:
                    self.report.same += is_wanted
                    continue
                case _Standing.DIFFERENT:
                    self.report.differing.add(show_text(member.path, 4096))
                    if not self.how.overwrites:
                        continue
                case _Standing.NEW:
                    self.report.new += 1
            yield member

    def _content(self, member: StreamMember) -> StreamMember:
        """Return the member whose content counts: of a hard link that of its first name."""
        if member.type is not MemberType.HARDLINK:
            return member
        return self.table.find(0, member.link) or member


class _LiveFolder:
    """What is in the folder now, looked at without following a link."""

    def __init__(self, folder: Path, guarded: Sequence[GuardedFolder]) -> None:
        """Open it.

        Raises:
            UnsafeTarget: it is no folder, or cannot be read.
        """
        try:
            self.place = folder.resolve()
            self._root = os.open(self.place, _FOLDER)
        except (OSError, RuntimeError) as error:
            cause = cause_of(error) if isinstance(error, OSError) else str(error)
            raise UnsafeTarget(
                msg("cannot restore into {folder}: {cause}", folder=str(folder), cause=cause),
                msg("--into takes a folder that is there; --to makes a new one."),
            ) from error
        self._guarded = guarded
        self._is_root = os.geteuid() == 0
        self._at: tuple[str, int | None, str] | None = None
        """The folder looked into last, opened; None where it is not there; and why nothing can be made in it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._leave()
        os.close(self._root)

    def innermost(self, path: str) -> str:
        """Return as much of a folder's path as is there, and is no link."""
        there: list[str] = []
        descriptor = os.dup(self._root)
        for name in path.split("/"):
            if name in _NO_NAMES:
                break
            try:
                inner = os.open(name, _FOLDER, dir_fd=descriptor)
            except (OSError, ValueError):
                break
            os.close(descriptor)
            descriptor = inner
            there.append(name)
        os.close(descriptor)
        return "/".join(there)

    def has(self, path: str) -> bool:
        """Say whether something is at a path, which no link leads to."""
        above, _slash, name = path.rpartition("/")
        try:
            parent = self._enter(above)
        except _NotMade:
            return False
        return parent is not None and _is_there(parent, name)

    def is_as_dressed(self, member: StreamMember) -> bool:
        """Say whether what is at a member's path has its time, and no bit that gives rights."""
        above, _slash, name = member.path.rpartition("/")
        parent = self._enter(above)
        if parent is None:
            return False
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        return found.st_mtime_ns == member.mtime_ns and not found.st_mode & (stat.S_ISUID | stat.S_ISGID)

    def standing(self, member: StreamMember, content: StreamMember) -> _Standing:
        """Say how a member stands to what is there.

        Args:
            member: whose path and type count.
            content: whose content, mode and owner count.

        Raises:
            _NotMade: it cannot be made there.
        """
        above, _slash, name = member.path.rpartition("/")
        self._require_free(member.path)
        parent = self._enter(above)
        try:
            found = None if parent is None else os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            found = None
        except (OSError, ValueError) as error:
            raise _NotMade(cause_of(error) if isinstance(error, OSError) else str(error)) from error
        if found is None or parent is None:
            return _Standing.NEW
        if member.type is MemberType.FOLDER:
            if not stat.S_ISDIR(found.st_mode):
                raise _NotMade("something else than a folder is there")
            return _Standing.NEW if _is_undressed(found) else _Standing.SAME
        if stat.S_ISDIR(found.st_mode):
            raise _NotMade("a folder is there")
        return _Standing.SAME if self._is_same(parent, name, found, content) else _Standing.DIFFERENT

    def _is_same(self, parent: int, name: str, found: os.stat_result, content: StreamMember) -> bool:
        if self._is_root and (found.st_uid, found.st_gid) != (content.uid, content.gid):
            return False
        match content.type:
            case MemberType.SYMLINK:
                return stat.S_ISLNK(found.st_mode) and os.readlink(name, dir_fd=parent) == content.link
            case MemberType.FIFO:
                return stat.S_ISFIFO(found.st_mode) and stat.S_IMODE(found.st_mode) == content.mode & 0o777
            case MemberType.FILE:
                restored = content.mode & ~(stat.S_ISUID | stat.S_ISGID)
                looks_same = (found.st_size, stat.S_IMODE(found.st_mode)) in {
                    (content.size, restored),
                    (content.size, content.mode),
                }
                return stat.S_ISREG(found.st_mode) and looks_same and _digest(parent, name) == content.sha256
            case _:
                return False

    def _enter(self, above: str) -> int | None:
        """Return a folder, opened; None where it is not there.

        Raises:
            _NotMade: what is on the way is no folder, or holds the data of a database server.
        """
        if self._at is None or self._at[0] != above:
            self._leave()
            self._at = (above, *self._opened(above))
        _path, descriptor, problem = self._at
        if problem:
            raise _NotMade(problem)
        return descriptor

    def _opened(self, above: str) -> tuple[int | None, str]:
        descriptor = os.dup(self._root)
        for part in above.split("/") if above else ():
            if part in _NO_NAMES:
                os.close(descriptor)
                return None, "its name would lead out of the folder"
            try:
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
            except FileNotFoundError:
                return None, ""
            except (OSError, ValueError) as error:
                is_other = isinstance(error, OSError) and error.errno in {errno.ENOTDIR, errno.ELOOP}
                return None, f"{part!r} on the way is not a folder" if is_other else str(error)
            finally:
                os.close(descriptor)
            descriptor = inner
            server = next((SERVERS[name] for name in SERVERS if _is_there(descriptor, name)), None)
            if server is not None:
                os.close(descriptor)
                return None, f"{part!r} on the way holds the data of {server}"
        return descriptor, ""

    def _leave(self) -> None:
        if self._at is not None and self._at[1] is not None:
            os.close(self._at[1])
        self._at = None

    def _require_free(self, path: str) -> None:
        place = self.place / path if self._guarded else self.place
        for each in self._guarded:
            if place.is_relative_to(each.place):
                raise _NotMade(str(each.why))


class _OverlayExtractor(Extractor):
    """Makes members below a folder that has others: nothing is removed, and what is replaced is replaced by one rename."""

    def __init__(self, folder: Path, *, overwrites: bool, on_failed: Callable[[str], None]) -> None:
        super().__init__(folder)
        self._overwrites = overwrites
        self._on_failed = on_failed

    def add(self, entry: TarEntry, content: Iterable[memoryview]) -> None:
        made = self.done.members
        super().add(entry, content)
        if self.done.members == made:
            self._on_failed(entry.path)

    def _add(self, entry: TarEntry, content: Iterable[memoryview]) -> None:
        match entry.type:
            case MemberType.FOLDER:
                parent, name = self._place(entry.path)
                try:
                    os.mkdir(name, _UNDRESSED, dir_fd=parent)
                except FileExistsError:
                    if not _is_undressed(os.stat(name, dir_fd=parent, follow_symlinks=False)):
                        return  # it keeps its mode and time; what cannot be made in it is told member by member
                self._hold(entry)
            case MemberType.SYMLINK | MemberType.FIFO | MemberType.HARDLINK:
                parent, name = self._place(entry.path)
                try:
                    self._make_unfinished(parent, entry)
                    self._give_name(parent, name)
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self._unfinished, dir_fd=parent)
            case _:
                super()._add(entry, content)

    def _folder(self, parent: int, name: str) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, _UNDRESSED, dir_fd=parent)

    def _inner(self, descriptor: int, way: list[str], *, make: bool) -> int:
        inner = super()._inner(descriptor, way, make=make)
        if make and _is_undressed(found := os.fstat(inner)):
            # Its own entry may come before or after what lies in it, or never: a differential's base is unpacked first.
            plain = TarEntry(
                MemberType.FOLDER,
                "/".join(way),
                mode=stat.S_IRWXU,
                uid=found.st_uid,
                gid=found.st_gid,
                mtime_ns=found.st_mtime_ns,
            )
            self._hold(plain, replaces=False)
        return inner

    def _make_unfinished(self, parent: int, entry: TarEntry) -> None:
        if entry.type is MemberType.HARDLINK:
            *above, name = entry.link.split("/")
            source = self._open_folder(above, make=False)
            try:
                if stat.S_ISDIR(os.stat(name, dir_fd=source, follow_symlinks=False).st_mode):
                    raise ValueError("a hard link to a folder")
                os.link(name, self._unfinished, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
            finally:
                os.close(source)
            return
        if entry.type is MemberType.SYMLINK:
            os.symlink(entry.link, self._unfinished, dir_fd=parent)
            self._dress_link(parent, self._unfinished, entry)
        else:
            os.mkfifo(self._unfinished, 0o600, dir_fd=parent)
            self._dress_node(parent, self._unfinished, entry)

    def _give_name(self, parent: int, name: str) -> None:
        if not self._overwrites:
            self._give_free_name(parent, name)
            return
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise ValueError("a folder is there")
        except FileNotFoundError:
            pass
        else:
            self._sync(parent)
        os.rename(self._unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)

    def _give_free_name(self, parent: int, name: str) -> None:
        """Give a file a name that nothing has, without a moment in which something could be overwritten."""
        try:
            os.link(self._unfinished, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError as error:
            raise ValueError("something came to be there meanwhile; it was not overwritten") from error
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if _is_there(parent, name):  # this file system knows no hard links
                raise ValueError("something came to be there meanwhile; it was not overwritten") from error
            os.rename(self._unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
            return
        os.unlink(self._unfinished, dir_fd=parent)

    def _sync(self, parent: int) -> None:
        """Have the new bytes on the disk before they take the place of old ones."""
        with contextlib.suppress(OSError):  # a link or a FIFO has none
            descriptor = os.open(self._unfinished, _READ, dir_fd=parent)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _digest(parent: int, name: str) -> str | None:
    """Return the SHA-256 of a file; None where it cannot be read."""
    try:
        with open(os.open(name, _READ, dir_fd=parent), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _is_undressed(found: os.stat_result) -> bool:
    """Say whether it is a folder that this run made, or one that was killed; a folder may have its group's bit from above."""
    mode = stat.S_IMODE(found.st_mode) & ~stat.S_ISGID
    return stat.S_ISDIR(found.st_mode) and mode == _UNDRESSED and found.st_uid == os.geteuid()


def _is_there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return False
    return True
