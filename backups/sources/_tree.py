"""Folders and files into a tar stream, with a line of the index each.

A file is read once, and its digest taken from the same bytes. One that changes meanwhile is read once more; if it
changes again it is kept and named with both times. What cannot be read is named, and the walk goes on. What was removed
between being listed and being read is named as gone: a portal at work does that all the time. Sockets hold no data and are
named as left out.

Everything below a walk's top is opened from the folder that it was listed in, and no link is followed (openat(2),
O_NOFOLLOW). So whoever may write into a folder that is backed up cannot put a link in a folder's place at the right moment
and have files from elsewhere read with the rights of this process.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from backups.sources._listing import ListingComparison, ListingWriter
from backups.sources._settings import cause_of
from backups.tar import BLOCK_BYTES, END_BYTES, TarEntry, header, padding
from portalops.model.backups import MemberType, StreamMember
from portalops.model.record import Digest
from portalops.ports import Hash, StreamWriter

SMALL_BYTES = 256 << 10
"""Files up to this size are read before their header is written, so that a second try leaves no trace."""

HEADER_BYTES = 4 * BLOCK_BYTES
"""What a member takes beside its content, with its pax header and its padding: rather too much."""

_TYPES = {
    stat.S_IFREG: MemberType.FILE,
    stat.S_IFDIR: MemberType.FOLDER,
    stat.S_IFLNK: MemberType.SYMLINK,
    stat.S_IFIFO: MemberType.FIFO,
    stat.S_IFCHR: MemberType.CHARACTER_DEVICE,
    stat.S_IFBLK: MemberType.BLOCK_DEVICE,
}
_ZEROS = memoryview(bytes(1 << 20))
_NO_ATTRIBUTES: Mapping[str, bytes] = {}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""A file may become a link or a pipe between listing and opening: no link is followed, no writer of a pipe is waited for."""
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_PATH_BYTES = 64 << 10
"""What has a longer name is named as unread: a line of the index must hold it. One system call takes 4,096 bytes, but here
none takes more than a name."""
CACHE_TAG = "CACHEDIR.TAG"
CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""What a tag begins with by the Cache Directory Tagging Specification; without it the file says nothing."""
_OPEN_ENDS = 32
"""So many outermost and so many innermost folders that a walk is in stay open: a deep tree must not use up the files that
the process may open."""


class TreeWriter:
    """Writes paths into one tar stream."""

    def __init__(
        self,
        out: StreamWriter,
        *,
        is_excluded: Callable[[str], bool] = lambda _path: False,
        avoid: frozenset[str] = frozenset(),
        avoid_folders: frozenset[tuple[int, int]] = frozenset(),
        one_file_system: bool = False,
        exclude_caches: bool = False,
        hollow_inode: int | None = None,
        listing: ListingWriter | None = None,
        comparison: ListingComparison | None = None,
    ) -> None:
        """Begin an archive.

        Args:
            out: the stream.
            is_excluded: says what to leave out, by absolute path.
            avoid: folders of backup media.
            avoid_folders: the same by `st_dev` and `st_ino`: whatever leads to them.
            one_file_system: leave out what is mounted inside.
            exclude_caches: of a folder with a valid CACHEDIR.TAG write the tag alone.
            hollow_inode: of folders that stand for what a snapshot does not hold.
            listing: is told of every member as it was read.
            comparison: says which members are as they were in the base; those are left out, but for the topmost
                folders and for folders on the way to a member, whose times a restore would else change.
        """
        self._out = out
        self._listing = listing
        self._comparison = comparison
        self._outer: list[_Folder] = []
        """The folders that the walk is in, from its top."""
        self._in_doubt = ""
        """The path that something could not be read of last."""
        self._is_excluded = is_excluded
        self._avoid = avoid
        self._avoid_folders = avoid_folders
        self._one_file_system = one_file_system
        self._exclude_caches = exclude_caches
        self._hollow_inode = hollow_inode
        self._scratch = bytearray(SMALL_BYTES + 1)
        self._linked: dict[tuple[int, int], str] = {}
        self.files = 0
        """Regular files that were found, written or unchanged."""
        self.content_bytes = 0
        """Bytes of their content."""
        self.gone = 0
        """Members that were removed between being listed and being read."""
        self._unchanged = 0
        self._unchanged_bytes = 0

    def add_tree(self, path: str, *, name: str | None = None, at: str | None = None) -> None:
        """Write a path and everything below it.

        Args:
            path: absolute.
            name: what it is called in the tar; the path itself, without the leading slash, if not given.
            at: where it is read, such as in a snapshot; at the path itself if not given.
        """
        at = path if at is None else at
        try:
            status = os.lstat(at)
        except OSError as error:
            self._unread(path, error)
            return
        device = status.st_dev
        try:
            if not self._is_excluded(path) and self._is_wanted(path, status, device):
                self._come_by(_Spot(path, path if name is None else name, None, at), status, device)
            while self._outer:
                spot = self._outer[-1].next_spot()
                if spot is None:
                    self._step_out()
                elif not self._is_excluded(spot.path):
                    self._read_member(spot, device)
        finally:
            for folder in self._outer:
                folder.close()
            self._outer.clear()

    def _read_member(self, spot: _Spot, device: int) -> None:
        if len(spot.path) > _MAX_PATH_BYTES // 4 and len(os.fsencode(spot.path)) >= _MAX_PATH_BYTES:
            self._unread(spot.path, OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)))
            return
        try:
            status = os.stat(spot.base, dir_fd=spot.at, follow_symlinks=False)
        except FileNotFoundError:
            self._gone(spot.path)
            return
        except OSError as error:
            self._unread(spot.path, error)
            return
        if self._is_wanted(spot.path, status, device):
            self._come_by(spot, status, device)

    def _come_by(self, spot: _Spot, status: os.stat_result, device: int) -> None:
        """Write a member of a walk, or pass over it because the base has it as it is; be in it if it is a folder."""
        if stat.S_ISDIR(status.st_mode):
            self._step_into(spot, status, device)
        elif not self._is_unchanged(spot, status):
            self._write_outer()
            self._add(spot, status)

    def _step_into(self, spot: _Spot, status: os.stat_result, device: int) -> None:
        if status.st_ino == self._hollow_inode:
            self._out.add_unread(f"{spot.path}: a subvolume of its own, which the snapshot does not hold")
            return
        descriptor = -1
        names: Sequence[str] = ()
        attributes = _NO_ATTRIBUTES
        failure: OSError | None = None
        try:
            descriptor = os.open(spot.base, _OPEN_FOLDER, dir_fd=spot.at)
            opened = os.fstat(descriptor)
            names = sorted(os.listdir(descriptor))
        except FileNotFoundError:
            self._gone(spot.path)
            return
        except OSError as error:
            failure = error
        else:
            if not os.path.samestat(opened, status):  # another one took its place, or something was mounted on it
                status = opened
                if not self._is_wanted(spot.path, status, device):
                    os.close(descriptor)
                    return
            attributes = self._attributes(descriptor, spot.path)
            if self._exclude_caches and CACHE_TAG in names and _is_cache(descriptor):
                self._out.add_skipped(f"{spot.path}: a cache, by its {CACHE_TAG}")
                names = (CACHE_TAG,)
        is_unchanged = self._is_unchanged(spot, status)
        self._outer.append(_Folder(spot, status, attributes, names, descriptor))
        if len(self._outer) > 2 * _OPEN_ENDS:
            self._outer[-1 - _OPEN_ENDS].close()
        if not is_unchanged:
            self._write_outer()
        if failure is not None:
            self._unread(spot.path, failure)

    def _step_out(self) -> None:
        """Go back to the folder above, by `..` if it was closed meanwhile."""
        left = self._outer.pop()
        above = self._outer[-1] if self._outer else None
        if above is not None and above.descriptor < 0:
            above.open_again(left.descriptor)
            if above.descriptor < 0:
                self._unread(above.spot.path, OSError(errno.ESTALE, "moved while it was read"))
        left.close()

    def _is_unchanged(self, spot: _Spot, status: os.stat_result) -> bool:
        """Say whether the base has a member as it is, and count it if so; the top folder is written in any case."""
        if self._comparison is None or not self._comparison.is_unchanged(spot.path, status):
            return False
        is_file = stat.S_ISREG(status.st_mode)
        if spot.at is None and stat.S_ISDIR(status.st_mode):
            return False
        self._unchanged += 1
        self._unchanged_bytes += HEADER_BYTES + (status.st_size if is_file else 0)
        if is_file:
            self.files += 1
            self.content_bytes += status.st_size
        return True

    def _write_outer(self) -> None:
        """Write the folders on the way that were passed over so far."""
        for folder in self._outer:
            if not folder.is_written:
                name = folder.spot.name.strip("/") or "."
                self._put(_entry(MemberType.FOLDER, name, folder.status, attributes=folder.attributes))
                self._note(folder.spot.path, folder.status)
                folder.is_written = True

    def add(self, path: str, name: str, status: os.stat_result) -> None:
        """Write one path under a name; of a folder nothing that is in it."""
        self._add(_Spot(path, name, None, path), status)

    def _add(self, spot: _Spot, status: os.stat_result) -> None:
        path, name = spot.path, spot.name.strip("/") or "."
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            first = self._linked.get((status.st_dev, status.st_ino))
            if first is not None:
                self._note(path, status)
                self._put(_entry(MemberType.HARDLINK, name, status, link=first))
                return
        if stat.S_ISREG(status.st_mode):
            self._add_file(spot, name)
            return
        kind = _TYPES.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            self._out.add_skipped(f"{path}: a socket holds no data")
            return
        link = ""
        if kind is MemberType.SYMLINK:
            try:
                link = os.readlink(spot.base, dir_fd=spot.at)
            except FileNotFoundError:
                self._vanished(path)
                return
            except OSError as error:
                self._unread(path, error)
                return
        self._put(_entry(kind, name, status, attributes=self._attributes(spot.nameable(), path), link=link))
        if status.st_nlink > 1 and kind is not MemberType.FOLDER:
            self._linked[status.st_dev, status.st_ino] = name
        self._note(path, status)

    def end(self) -> None:
        """End the archive."""
        if self._comparison is not None:
            self._comparison.end()
            self._out.add_unchanged(self._unchanged, self._unchanged_bytes)
        self._out.write(END_BYTES)

    def _note(self, path: str, status: os.stat_result, *, is_sure: bool = True) -> None:
        if self._listing is not None:
            self._listing.add(path, status, is_sure=is_sure and self._in_doubt != path)

    def _is_wanted(self, path: str, status: os.stat_result, device: int) -> bool:
        if path in self._avoid or (
            stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) in self._avoid_folders
        ):
            self._out.add_skipped(f"{path}: a folder of backup sets")
            return False
        if self._one_file_system and status.st_dev != device:
            self._out.add_skipped(f"{path}: another file system")
            return False
        return True

    def _add_file(self, spot: _Spot, name: str) -> None:
        path = spot.path
        for is_last_try in (False, True):
            try:
                descriptor = os.open(spot.base, _OPEN, dir_fd=spot.at)
            except FileNotFoundError:
                self._vanished(path)
                return
            except OSError as error:
                self._unread(path, error)
                return
            try:
                if self._read_file(descriptor, path, name, is_last_try=is_last_try):
                    return
            except OSError as error:
                self._unread(path, error)
                return
            finally:
                os.close(descriptor)

    def _read_file(self, descriptor: int, path: str, name: str, *, is_last_try: bool) -> bool:
        """Write a file's member and say whether that was it."""
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            self._out.add_unread(f"{path}: became something else than a file")
            return True
        attributes = self._attributes(descriptor, path)
        if before.st_size <= SMALL_BYTES:
            content = self._small(descriptor, before.st_size)
            after = os.fstat(descriptor)
            is_torn = len(content) != before.st_size or _changed(before, after)
            if is_torn and not is_last_try:
                return False
            self._put_small(_entry(MemberType.FILE, name, before, attributes=attributes), content)
        else:
            extents = _extents(descriptor, before)
            entry = _entry(MemberType.FILE, name, before, attributes=attributes)
            is_torn = self._put_large(entry, descriptor, path, extents)
            after = os.fstat(descriptor)
            is_torn = is_torn or _changed(before, after)
            if is_torn and not is_last_try:
                return False  # the second try is written behind it; the last member of a name counts
        if is_torn:
            times = f"{moment(before.st_mtime_ns)}, then {moment(after.st_mtime_ns)}"
            self._out.add_changed(f"{path}: changed while it was read, twice (modified {times})")
        if before.st_nlink > 1:
            self._linked[before.st_dev, before.st_ino] = name
        self._note(path, before, is_sure=not is_torn)
        self.files += 1
        self.content_bytes += before.st_size
        return True

    def _small(self, descriptor: int, size: int) -> memoryview:
        """Read a file, and one byte more if it has grown."""
        space = memoryview(self._scratch)[: size + 1]
        have = os.readv(descriptor, [space])
        while have < size and (got := os.readv(descriptor, [space[have:]])):
            have += got
        return space[:have]

    def _put_small(self, entry: TarEntry, content: memoryview) -> None:
        body = content[: entry.size]
        if len(body) < entry.size:  # it shrank, twice: the header promises this size
            body = memoryview(bytes(body) + bytes(entry.size - len(body)))
        self._put(entry, sha256=Digest(hashlib.sha256(body).hexdigest()))
        self._out.write(body)
        self._out.write(padding(entry.size))

    def _put_large(self, entry: TarEntry, descriptor: int, path: str, extents: Iterable[tuple[int, bool]]) -> bool:
        """Write a file straight into the stream's buffers and say whether it had less than it promised."""
        offset = self._put_header(entry)
        content = hashlib.sha256()
        at = 0
        failure: OSError | None = None
        try:
            for end, is_hole in extents:
                if is_hole:
                    self._put_zeros(end - at, content)
                    at = end
                while at < end and (got := os.readv(descriptor, [self._out.room()[: end - at]])):
                    self._out.filled(got, content=content)
                    at += got
                if at < end:
                    break
        except OSError as error:
            failure = error
        is_short = at < entry.size
        self._put_zeros(entry.size - at, content)  # the header promised this size; the archive must stay whole
        self._out.write(padding(entry.size))
        self._out.add_member(_member(entry, offset, None), content=content)
        if failure is not None:
            self._unread(path, failure)
            return False
        return is_short

    def _put_zeros(self, count: int, content: Hash) -> None:
        while count:
            room = self._out.room()[: min(count, len(_ZEROS))]
            room[:] = _ZEROS[: len(room)]
            self._out.filled(len(room), content=content)
            count -= len(room)

    def _put(self, entry: TarEntry, *, sha256: Digest | None = None) -> None:
        offset = self._put_header(entry)
        self._out.add_member(_member(entry, offset, sha256))

    def _put_header(self, entry: TarEntry) -> int:
        offset = self._out.position
        self._out.write(header(entry))
        return offset

    def _attributes(self, place: int | str, path: str) -> Mapping[str, bytes]:
        follows = isinstance(place, int)
        try:
            names = os.listxattr(place, follow_symlinks=follows)
        except OSError as error:
            if error.errno not in {errno.ENOTSUP, errno.ENODATA, errno.ENOENT, errno.EPERM}:
                self._lacks(path, "its attributes", error)
            return _NO_ATTRIBUTES
        found: dict[str, bytes] = {}
        for name in names:
            try:
                found[name] = os.getxattr(place, name, follow_symlinks=follows)
            except OSError as error:
                if error.errno not in {errno.ENODATA, errno.ENOTSUP}:
                    self._lacks(path, f"its attribute {name}", error)
        return found

    def _unread(self, path: str, error: OSError) -> None:
        """Name what could not be read; the base keeps what it has of it."""
        self._out.add_unread(f"{path}: {cause_of(error)}")
        self._in_doubt = path
        if self._comparison is not None:
            self._comparison.keep(path)

    def _gone(self, path: str) -> None:
        """Name what was removed since it was listed; to the base it is removed."""
        self.gone += 1
        self._out.add_gone(f"{path}: removed before it was read")

    def _vanished(self, path: str) -> None:
        """Name what was removed when the comparison had already come by it."""
        self._gone(path)
        if self._comparison is not None:
            self._comparison.vanished(path)

    def _lacks(self, path: str, what: str, error: OSError) -> None:
        """Name a part of a member that could not be read."""
        self._out.add_unread(f"{path} ({what}): {cause_of(error)}")
        self._in_doubt = path


class _Spot(NamedTuple):
    """Where something lies, and how it is reached."""

    path: str
    """Absolute."""
    name: str
    """What it is called in the tar."""
    at: int | None
    """The open folder that it lies in; None for a walk's top."""
    base: str
    """Its name in there; for a walk's top the path at which it is read."""

    def nameable(self) -> str:
        """Return a path for calls that take no open folder; it does not lead elsewhere when folders are moved."""
        return self.base if self.at is None else f"/proc/self/fd/{self.at}/{self.base}"


class _Folder:
    """A folder that a walk is in."""

    __slots__ = ("_inside", "_names", "_path", "attributes", "descriptor", "is_written", "spot", "status")

    def __init__(
        self,
        spot: _Spot,
        status: os.stat_result,
        attributes: Mapping[str, bytes],
        names: Sequence[str],
        descriptor: int,
    ) -> None:
        self.spot = spot
        self.status = status
        self.attributes = attributes
        self.descriptor = descriptor
        """Open, or -1."""
        self.is_written = False
        self._names = iter(names)
        self._path = spot.path.rstrip("/") + "/"
        self._inside = spot.name.rstrip("/") + "/"

    def next_spot(self) -> _Spot | None:
        """Return the next thing in it."""
        base = next(self._names, None)
        return None if base is None else _Spot(self._path + base, self._inside + base, self.descriptor, base)

    def open_again(self, inner: int) -> None:
        """Open it from a folder inside; if that lies elsewhere now, this stays closed and nothing more comes out of it."""
        with suppress(OSError):
            self.descriptor = os.open("..", _OPEN_FOLDER, dir_fd=inner)
            if os.path.samestat(os.fstat(self.descriptor), self.status):
                return
        self.close()
        self._names = iter(())

    def close(self) -> None:
        """Let go of it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _entry(
    kind: MemberType,
    name: str,
    status: os.stat_result,
    *,
    attributes: Mapping[str, bytes] = _NO_ATTRIBUTES,
    link: str = "",
) -> TarEntry:
    is_device = kind in {MemberType.CHARACTER_DEVICE, MemberType.BLOCK_DEVICE}
    return TarEntry(
        type=kind,
        path=name,
        size=status.st_size if kind is MemberType.FILE else 0,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        owner=_owner(status.st_uid),
        group=_group(status.st_gid),
        mtime_ns=status.st_mtime_ns,
        link=link,
        device=(os.major(status.st_rdev), os.minor(status.st_rdev)) if is_device else (0, 0),
        attributes=attributes,
    )


def _member(entry: TarEntry, offset: int, sha256: Digest | None) -> StreamMember:
    return StreamMember(
        type=entry.type,
        path=entry.path,
        size=entry.size,
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        mtime_ns=entry.mtime_ns,
        offset=offset,
        sha256=sha256,
        link=entry.link,
    )


def _extents(descriptor: int, status: os.stat_result) -> Iterator[tuple[int, bool]]:
    """Yield where each part of a file ends and whether it is a hole; what is to be read begins at the file's position.

    To read a hole takes the system ten times as long as to write zeros here, and pushes other files out of its memory.
    """
    at, size = 0, status.st_size
    while at < size and status.st_blocks * 512 < size:
        try:
            data = min(size, os.lseek(descriptor, at, os.SEEK_DATA))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a file system that does not know; all is read
                break
            data = size  # no data behind
        if data > at:
            yield data, True
            at = data
        if at < size:
            end = min(size, os.lseek(descriptor, at, os.SEEK_HOLE))
            os.lseek(descriptor, at, os.SEEK_SET)
            yield end, False
            at = end
    if at < size:
        os.lseek(descriptor, at, os.SEEK_SET)
        yield size, False


def _is_cache(folder: int) -> bool:
    """Say whether a folder's CACHEDIR.TAG is one."""
    try:
        descriptor = os.open(CACHE_TAG, _OPEN, dir_fd=folder)
    except OSError:
        return False
    try:
        return os.read(descriptor, len(CACHE_SIGNATURE)) == CACHE_SIGNATURE
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )


def moment(ns: int) -> str:
    """Return a file's time for people, in UTC; as seconds since 1970 where no calendar goes.

    >>> moment(1_764_464_400_250_000_000)
    '2025-11-30T01:00:00.250000Z'
    """
    try:
        shown = datetime.fromtimestamp(ns // 1_000_000_000, UTC).replace(microsecond=ns % 1_000_000_000 // 1000)
    except (OverflowError, ValueError, OSError):
        return f"{ns // 1_000_000_000} s"
    return shown.isoformat(timespec="microseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=1024)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
