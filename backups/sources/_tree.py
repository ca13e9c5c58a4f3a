"""Folders and files into a tar stream, with a line of the index each.

A file is read once, and its digest taken from the same bytes. One that changes meanwhile is read once more; if it
changes again it is kept and named. What cannot be read is named, and the walk goes on. Sockets hold no data and are
named as left out.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from backups.sources._listing import Comparison, ListingWriter
from backups.sources._settings import cause_of
from backups.tar import BLOCK_BYTES, END_BYTES, Entry, header, padding
from portalops.model.backups import Member, MemberType
from portalops.model.record import Digest
from portalops.ports import StreamWriter

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
_NO_ATTRIBUTES: Mapping[str, bytes] = {}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class TreeWriter:
    """Writes paths into one tar stream."""

    def __init__(
        self,
        out: StreamWriter,
        *,
        is_excluded: Callable[[str], bool] = lambda _path: False,
        avoid: frozenset[str] = frozenset(),
        one_file_system: bool = False,
        listing: ListingWriter | None = None,
        comparison: Comparison | None = None,
    ) -> None:
        """Begin an archive.

        Args:
            out: the stream.
            is_excluded: says what to leave out, by absolute path.
            avoid: folders of backup media.
            one_file_system: leave out what is mounted inside.
            listing: is told of every member as it was read.
            comparison: says which members are as they were in the base; those are left out, but for the topmost
                folders and for folders on the way to a member, whose times a restore would else change.
        """
        self._out = out
        self._listing = listing
        self._comparison = comparison
        self._outer: list[_Folder] = []
        """The folders that the walk is in."""
        self._in_doubt = ""
        """The path that something could not be read of last."""
        self._is_excluded = is_excluded
        self._avoid = avoid
        self._one_file_system = one_file_system
        self._scratch = bytearray(SMALL_BYTES + 1)
        self._linked: dict[tuple[int, int], str] = {}
        self.files = 0
        """Regular files that were found, written or unchanged."""
        self.content_bytes = 0
        """Bytes of their content."""
        self._unchanged = 0
        self._unchanged_bytes = 0

    def add_tree(self, path: str, *, name: str | None = None) -> None:
        """Write a path and everything below it.

        Args:
            path: absolute.
            name: what it is called in the tar; the path itself, without the leading slash, if not given.
        """
        top = path
        try:
            status = os.lstat(path)
        except OSError as error:
            self._unread(path, error)
            return
        device = status.st_dev
        pending: list[Iterator[tuple[str, os.stat_result | OSError]]] = [iter([(path, status)])]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
                if self._outer:
                    self._outer.pop()
                continue
            path, status_or_error = found
            if isinstance(status_or_error, OSError):
                self._unread(path, status_or_error)
            elif self._is_wanted(path, status_or_error, device):
                self._come_by(
                    path, path if name is None else name + path[len(top) :], status_or_error, is_top=path == top
                )
                if stat.S_ISDIR(status_or_error.st_mode):
                    pending.append(self._inside(path))

    def _come_by(self, path: str, name: str, status: os.stat_result, *, is_top: bool) -> None:
        """Write a member of a walk, or pass over it because the base has it as it is."""
        is_folder = stat.S_ISDIR(status.st_mode)
        is_unchanged = self._comparison is not None and self._comparison.is_unchanged(path, status)
        if is_unchanged and not (is_top and is_folder):
            self._unchanged += 1
            self._unchanged_bytes += HEADER_BYTES + (status.st_size if stat.S_ISREG(status.st_mode) else 0)
            if stat.S_ISREG(status.st_mode):
                self.files += 1
                self.content_bytes += status.st_size
        else:
            for folder in self._outer:
                if not folder.is_written:
                    self.add(folder.path, folder.name, folder.status)
                    folder.is_written = True
            self.add(path, name, status)
        if is_folder:
            self._outer.append(_Folder(path, name, status, is_written=is_top or not is_unchanged))

    def add(self, path: str, name: str, status: os.stat_result) -> None:
        """Write one path under a name."""
        name = name.strip("/") or "."
        if stat.S_ISREG(status.st_mode):
            self._add_file(path, name, status)
            return
        kind = _TYPES.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            self._out.add_skipped(f"{path}: a socket holds no data")
            return
        link = ""
        if kind is MemberType.SYMLINK:
            try:
                link = os.readlink(path)
            except OSError as error:
                self._unread(path, error)
                return
        self._put(_entry(kind, name, status, attributes=self._attributes(path, path), link=link))
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
        if self._is_excluded(path):
            return False
        if path in self._avoid:
            self._out.add_skipped(f"{path}: a folder of backup sets")
            return False
        if self._one_file_system and status.st_dev != device:
            self._out.add_skipped(f"{path}: another file system")
            return False
        return True

    def _inside(self, path: str) -> Iterator[tuple[str, os.stat_result | OSError]]:
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield path, error
            return
        for entry in entries:
            try:
                yield entry.path, entry.stat(follow_symlinks=False)
            except OSError as error:
                yield entry.path, error

    def _add_file(self, path: str, name: str, listed: os.stat_result) -> None:
        if listed.st_nlink > 1 and (first := self._linked.get((listed.st_dev, listed.st_ino))) is not None:
            self._note(path, listed)
            self._put(_entry(MemberType.HARDLINK, name, listed, link=first))
            return
        for is_last_try in (False, True):
            try:
                descriptor = os.open(path, _OPEN)
            except FileNotFoundError:
                self._out.add_skipped(f"{path}: removed before it was read")
                if self._comparison is not None:
                    self._comparison.vanished(path)
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
            is_torn = len(content) != before.st_size or _changed(before, os.fstat(descriptor))
            if is_torn and not is_last_try:
                return False
            self._put_small(_entry(MemberType.FILE, name, before, attributes=attributes), content)
        else:
            is_torn = self._put_large(_entry(MemberType.FILE, name, before, attributes=attributes), descriptor, path)
            is_torn = is_torn or _changed(before, os.fstat(descriptor))
            if is_torn and not is_last_try:
                return False  # the second try is written behind it; the last member of a name counts
        if is_torn:
            self._out.add_changed(f"{path}: changed while it was read, twice")
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

    def _put_small(self, entry: Entry, content: memoryview) -> None:
        body = content[: entry.size]
        if len(body) < entry.size:  # it shrank, twice: the header promises this size
            body = memoryview(bytes(body) + bytes(entry.size - len(body)))
        self._put(entry, sha256=Digest(hashlib.sha256(body).hexdigest()))
        self._out.write(body)
        self._out.write(padding(entry.size))

    def _put_large(self, entry: Entry, descriptor: int, path: str) -> bool:
        """Write a file straight into the stream's buffers and say whether it had less than it promised."""
        offset = self._put_header(entry)
        content = hashlib.sha256()
        left = entry.size
        failure: OSError | None = None
        while left:
            room = self._out.room()[:left]
            try:
                got = os.readv(descriptor, [room])
            except OSError as error:
                failure, got = error, 0
            if not got:
                break
            self._out.filled(got, content=content)
            left -= got
        is_short = left > 0
        while left:  # the header promised this size; the archive must stay whole
            room = self._out.room()[:left]
            room[:] = bytes(len(room))
            self._out.filled(len(room), content=content)
            left -= len(room)
        self._out.write(padding(entry.size))
        self._out.add_member(_member(entry, offset, None), content=content)
        if failure is not None:
            self._unread(path, failure)
            return False
        return is_short

    def _put(self, entry: Entry, *, sha256: Digest | None = None) -> None:
        offset = self._put_header(entry)
        self._out.add_member(_member(entry, offset, sha256))

    def _put_header(self, entry: Entry) -> int:
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

    def _lacks(self, path: str, what: str, error: OSError) -> None:
        """Name a part of a member that could not be read."""
        self._out.add_unread(f"{path} ({what}): {cause_of(error)}")
        self._in_doubt = path


@dataclass(slots=True)
class _Folder:
    """A folder that a walk is in."""

    path: str
    name: str
    status: os.stat_result
    is_written: bool


def _entry(
    kind: MemberType,
    name: str,
    status: os.stat_result,
    *,
    attributes: Mapping[str, bytes] = _NO_ATTRIBUTES,
    link: str = "",
) -> Entry:
    is_device = kind in {MemberType.CHARACTER_DEVICE, MemberType.BLOCK_DEVICE}
    return Entry(
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


def _member(entry: Entry, offset: int, sha256: Digest | None) -> Member:
    return Member(
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


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )


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
