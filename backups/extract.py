"""Members of an archive into a folder, and never out of it, whatever names, links and devices say.

Every folder on the way to a member is opened by itself without following links (openat(2), O_NOFOLLOW), beginning at the
target; so a link inside the archive leads nowhere, and a name with `..` is refused. Owners are restored when run as root.
Devices, set-user-ID and set-group-ID bits of files, capabilities and other attributes that give rights are not, but named
and counted: an archive can be written by anyone who has the public keys, and must not bring programs that run as root. Who
trusts it asks for them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from backups.tar import TarEntry
from backups.targets import require_no_server
from backups.undressed import UndressedFolders
from backups.unfinished import UNFINISHED, begin_unfinished, is_marker
from portalops.errors import UnsafeTarget
from portalops.model.backups import MemberType
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_NAMED = 1000
"""An archive can give cause for a line with each member: what is kept of them is bounded."""
MAX_HELD_BYTES = 128 << 20
"""Attributes of folders that wait for the end of the archive, where folders get theirs. Honest ones have some bytes each."""
HOLE_BYTES = 16 << 10
"""From this length on zeros are not written but left out: a sparse file, such as an image of a disk, takes about the room it had."""
BLOCK_BYTES = 4 << 10
"""Holes begin and end at multiples of it, as they do in file systems."""
_ZEROS = bytes(BLOCK_BYTES)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RESTORED_ATTRIBUTES = ("user.", "system.posix_acl_")
"""Others, such as `security.capability`, give rights on this host: they are named and not set unless asked for."""
_MAX_UNMADE = 100_000
"""So many devices that were not made are remembered, for their further names."""


@dataclass(slots=True)
class Extracted:
    """What was done with an archive's members."""

    files: int = 0
    members: int = 0
    content_bytes: int = 0
    refused: list[str] = field(default_factory=list)
    """Members that would have led out of the folder, or could not be made."""
    notes: list[str] = field(default_factory=list)
    """What was left out on purpose, or could not be set."""
    withheld: int = 0
    """Devices, bits and attributes that were left out because they give rights; each has a note, up to the bound of notes."""


class _Refused(Exception):
    """A member that is not made."""


_FAILURES = (_Refused, OSError, ValueError, OverflowError)
"""Of a member: the last two are what Python says of a NUL in a name and of a number that no system call takes."""


class Extractor:
    """Makes members below one folder. Close it, so that folders get their modes and times."""

    def __init__(self, folder: Path, *, as_root: bool = False) -> None:
        """Begin.

        Args:
            folder: to extract into.
            as_root: give back what gives rights on this host too; only root can.
        """
        self.done = Extracted()
        self._gives_rights = as_root
        self._refusals: list[tuple[str, str]] = []
        """The path and the line of each member that was refused, as far as lines are kept."""
        self._unmade: set[str] = set()
        """Devices that were not made."""
        self._root = os.open(folder, _FOLDER)
        self._parent: tuple[str, int] | None = None
        """The folder of the last member: most members lie in the same one as the one before."""
        self._folders = UndressedFolders()
        self._held_bytes = 0
        """Of the attributes of folders."""
        self._is_root = os.geteuid() == 0
        self._unfinished = f".{secrets.token_hex(8)}.incomplete"
        """The name of a file until it is whole."""
        self.into_own_folder = False
        """Whether all that is in the folder was made by this restore; then an older file goes where a newer one cannot be made, and
        what an older member made goes where a newer one of its name is something else."""

    def remove(self, path: str, *, folders: bool = True) -> bool:
        """Remove what a base had and a differential has no more, folders too unless told; say whether anything was removed."""
        self._forget_parent()  # it may be what is removed
        self._forget_folder(path)
        try:
            parts = _parts(path)
            parent = self._open_folder(parts[:-1], make=False)
            try:
                found = os.stat(parts[-1], dir_fd=parent, follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    if not folders:
                        return False
                    self._remove_tree(parent, path)
                else:
                    os.unlink(parts[-1], dir_fd=parent)
                    self._uncount(found)
            finally:
                os.close(parent)
        except FileNotFoundError:
            return False
        except (*_FAILURES, RecursionError) as error:  # the last from a thousand folders, one in the other
            self._tell(self.done.refused, f"{path}: not removed: {_cause(error)}")
            return False
        return True

    def _remove_tree(self, parent: int, path: str) -> None:
        top = path.rpartition("/")[2]
        for folder, _inside, names, descriptor in os.fwalk(top, dir_fd=parent):
            self._forget_folder(path + folder[len(top) :])
            for name in names:
                self._uncount(os.stat(name, dir_fd=descriptor, follow_symlinks=False))
        shutil.rmtree(top, dir_fd=parent)

    def _remove_older_folder(self, parent: int, name: str) -> None:
        """Remove the folder that an older member made where a newer one is something else.

        Raises:
            _Refused: others may have made it.
        """
        if not self.into_own_folder or self._parent is None:
            raise _Refused("a folder of this name was made before")
        self._remove_tree(parent, f"{self._parent[0]}/{name}".lstrip("/"))

    def remove_older(self, path: str) -> bool:
        """Remove a file that was made before under the name of one that cannot be made, and say whether there was one.

        It would pass for the newer one. A folder stays, with what is in it.
        """
        problems = len(self.done.refused)
        is_removed = self.remove(path, folders=False)
        del self.done.refused[problems:]  # that the newer one is missing is told already
        return is_removed

    def add(self, entry: TarEntry, content: Iterable[memoryview]) -> None:
        """Make one member; a problem is kept in `done`."""
        try:
            self._add(entry, content)
            self.done.members += 1
        except _FAILURES as error:
            if self._tell(self.done.refused, f"{entry.path}: {_cause(error)}"):
                self._refusals.append((entry.path, self.done.refused[-1]))
            if self.into_own_folder:
                self.remove_older(entry.path)

    def forget_refused(self, is_missed: Callable[[str], bool]) -> None:
        """Forget which members could not be made, but for the paths that are missed all the same."""
        over = {line for path, line in self._refusals if not is_missed(path)}
        self.done.refused = [line for line in self.done.refused if line not in over]

    def link(self, first: str, name: str) -> None:
        """Give a member that was made a second name; a problem is kept in `done`."""
        self.add(TarEntry(MemberType.HARDLINK, name, link=first), ())

    def close(self) -> None:
        """Give folders their modes and times, innermost first."""
        self._forget_parent()
        try:
            for entry in self._folders:
                self._dress_folder(entry)
        except sqlite3.Error as error:
            self._tell(self.done.notes, f"folders: not all have their mode and time: {error}")
        finally:
            self._folders.close()
            os.close(self._root)

    def _dress_folder(self, entry: TarEntry) -> None:
        try:
            descriptor = self._open_folder(_parts(entry.path), make=False)
            try:
                self._dress(descriptor, entry, stat.S_IMODE(entry.mode))
            finally:
                os.close(descriptor)
        except _FAILURES as error:
            self._tell(self.done.notes, f"{entry.path}: its mode and time were not set: {_cause(error)}")

    def _add(self, entry: TarEntry, content: Iterable[memoryview]) -> None:
        if entry.type is MemberType.FOLDER and entry.path in {".", "./"}:
            return
        parent, name = self._place(entry.path)
        match entry.type:
            case MemberType.FILE:
                self._file(parent, name, entry, content)
            case MemberType.FOLDER:
                self._folder(parent, name)
                self._hold(entry)
            case MemberType.SYMLINK:
                self._make_room(parent, name)
                os.symlink(entry.link, name, dir_fd=parent)
                self._dress_link(parent, name, entry)
            case MemberType.HARDLINK:
                self._hard_link(parent, name, entry)
            case MemberType.FIFO:
                self._make_room(parent, name)
                os.mkfifo(name, 0o600, dir_fd=parent)
                self._dress_node(parent, name, entry)
            case MemberType.CHARACTER_DEVICE | MemberType.BLOCK_DEVICE:
                self._device(parent, name, entry)

    def _device(self, parent: int, name: str, entry: TarEntry) -> None:
        major, minor = entry.device
        if not self._gives_rights:
            self._withhold(f"{entry.path}: a device ({major}:{minor}) is not made")
            if len(self._unmade) < _MAX_UNMADE:
                self._unmade.add(entry.path)
            return
        kind = stat.S_IFCHR if entry.type is MemberType.CHARACTER_DEVICE else stat.S_IFBLK
        self._make_room(parent, name)
        os.mknod(name, kind | 0o600, os.makedev(major, minor), dir_fd=parent)
        self._dress_node(parent, name, entry)

    def _withhold(self, line: str) -> None:
        self.done.withheld += 1
        self._tell(self.done.notes, line)

    def _file(self, parent: int, name: str, entry: TarEntry, content: Iterable[memoryview]) -> None:
        """Make a file, which gets its name when it is whole."""
        try:
            self._fill(parent, entry, content)
            self._give_name(parent, name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(self._unfinished, dir_fd=parent)
            raise
        self.done.files += 1
        self.done.content_bytes += entry.size

    def _fill(self, parent: int, entry: TarEntry, content: Iterable[memoryview]) -> None:
        descriptor = os.open(self._unfinished, _NEW_FILE, 0o600, dir_fd=parent)
        try:
            size = written = 0
            for piece in content:
                for part, is_hole in _parts_of(piece, size):
                    size += len(part)
                    if is_hole:
                        os.lseek(descriptor, len(part), os.SEEK_CUR)
                        continue
                    rest = part
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                        written = size
            if written < size:
                os.truncate(descriptor, size)  # a hole at the end gives a file no length
            mode = stat.S_IMODE(entry.mode)
            if mode & (stat.S_ISUID | stat.S_ISGID) and not self._gives_rights:
                self._withhold(f"{entry.path}: its set-user-ID or set-group-ID bit was not restored")
                mode &= ~(stat.S_ISUID | stat.S_ISGID)
            self._dress(descriptor, entry, mode)
        finally:
            os.close(descriptor)

    def _give_name(self, parent: int, name: str) -> None:
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            pass
        else:  # an earlier member; the later one counts
            if stat.S_ISDIR(found.st_mode):
                self._remove_older_folder(parent, name)
            else:
                self._uncount(found)
        os.rename(self._unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)

    def _folder(self, parent: int, name: str) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                return
            if not self.into_own_folder:
                raise
            os.unlink(name, dir_fd=parent)  # an older member was something else
            self._uncount(found)
            os.mkdir(name, 0o700, dir_fd=parent)

    def _hold(self, entry: TarEntry, *, replaces: bool = True) -> None:
        """Keep a folder until the end; without its attributes where too many are kept already."""
        self._held_bytes += sum(len(key) + len(value) for key, value in entry.attributes.items())
        if entry.attributes and self._held_bytes > MAX_HELD_BYTES:
            self._tell(self.done.notes, f"{entry.path}: its attributes were not restored: the archive has too many")
            entry = replace(entry, attributes={})
        try:
            self._folders.add(entry, replaces=replaces)
        except sqlite3.Error as error:
            self._tell(self.done.notes, f"{entry.path}: its mode and time were not set: {error}")

    def _forget_folder(self, path: str) -> None:
        try:
            self._folders.forget(path)
        except sqlite3.Error as error:
            self._tell(self.done.notes, f"{path}: is to be forgotten and was not: {error}")

    def _hard_link(self, parent: int, name: str, entry: TarEntry) -> None:
        if entry.link in self._unmade:
            self._withhold(f"{entry.path}: a further name of the device {entry.link}, which is not made")
            return
        parts = _parts(entry.link)
        source = self._open_folder(parts[:-1], make=False)
        try:
            # A symbolic link has further names too, in what GNU tar writes; nothing is ever written through one.
            if stat.S_ISDIR(os.stat(parts[-1], dir_fd=source, follow_symlinks=False).st_mode):
                raise _Refused("a hard link to a folder")
            self._make_room(parent, name)
            os.link(parts[-1], name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    def _dress(self, descriptor: int, entry: TarEntry, mode: int) -> None:
        """Set owner, mode, attributes and time of an open file or folder."""
        if self._is_root:
            os.fchown(descriptor, entry.uid, entry.gid)
        os.fchmod(descriptor, mode)
        self._set_attributes(descriptor, entry)
        os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))

    def _set_attributes(self, place: int | str, entry: TarEntry) -> None:
        for key, value in entry.attributes.items():
            if not self._gives_rights and not key.startswith(_RESTORED_ATTRIBUTES):
                self._withhold(f"{entry.path}: attribute {key} was not restored")
                continue
            try:
                os.setxattr(place, key, value, follow_symlinks=isinstance(place, int))
            except (OSError, ValueError) as error:
                self._tell(self.done.notes, f"{entry.path}: attribute {key} was not set: {_cause(error)}")

    def _dress_node(self, parent: int, name: str, entry: TarEntry) -> None:
        """Dress a FIFO or a device, whose mode is set without opening it."""
        node = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            self._dress_link(parent, name, entry)
            os.chmod(f"/proc/self/fd/{node}", stat.S_IMODE(entry.mode) & 0o777)
        finally:
            os.close(node)

    def _dress_link(self, parent: int, name: str, entry: TarEntry) -> None:
        if self._is_root:
            os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        if entry.attributes:
            self._set_attributes(f"/proc/self/fd/{parent}/{name}", entry)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)

    def _make_room(self, parent: int, name: str) -> None:
        """Remove an earlier member of the same name; the later one counts."""
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            os.unlink(name, dir_fd=parent)
            self._uncount(found)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            self._remove_older_folder(parent, name)

    def _uncount(self, gone: os.stat_result) -> None:
        if stat.S_ISREG(gone.st_mode) and gone.st_nlink == 1:
            self.done.files -= 1
            self.done.content_bytes -= gone.st_size

    def _place(self, path: str) -> tuple[int, str]:
        """Return the open folder that a path lies in, and its last name."""
        parts = _parts(path)
        above = "/".join(parts[:-1])
        if self._parent is None or self._parent[0] != above:
            descriptor = self._open_folder(parts[:-1], make=True)
            self._forget_parent()
            self._parent = above, descriptor
        return self._parent[1], parts[-1]

    def _open_folder(self, parts: list[str], *, make: bool) -> int:
        descriptor = os.dup(self._root)
        for number, part in enumerate(parts, start=1):
            try:
                inner = self._inner(descriptor, parts[:number], make=make)
            except (FileExistsError, NotADirectoryError) as error:
                raise _Refused(f"{part!r} on the way is not a folder") from error
            finally:
                os.close(descriptor)
            descriptor = inner
        return descriptor

    def _inner(self, descriptor: int, way: list[str], *, make: bool) -> int:
        """Open the last folder of a way inside the one before it."""
        try:
            return os.open(way[-1], _FOLDER, dir_fd=descriptor)
        except FileNotFoundError:
            if not make:
                raise
            self._folder(descriptor, way[-1])
            return os.open(way[-1], _FOLDER, dir_fd=descriptor)

    def _forget_parent(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    @staticmethod
    def _tell(lines: list[str], line: str) -> bool:
        if len(lines) < MAX_NAMED:
            lines.append(show_text(line, 500))
            return True
        if len(lines) == MAX_NAMED:
            lines.append("... and more")
        return False


def _parts_of(piece: memoryview, at: int) -> Iterator[tuple[memoryview, bool]]:
    """Yield the parts of a piece of a file, and whether each is a hole.

    Args:
        piece: of the content.
        at: where in the file it begins.
    """
    # Among nearly all bytes a run of zeros this long has two zeros at this distance, and none that is shorter matters.
    if len(piece) < HOLE_BYTES or b"\0\0" not in bytes(piece[:: HOLE_BYTES // 2]):
        yield piece, False
        return
    written = here = 0
    while here < len(piece):
        end = run = here
        while end < len(piece):
            step = min(len(piece), end + BLOCK_BYTES - (at + end) % BLOCK_BYTES)
            if bytes(piece[end:step]) != _ZEROS[: step - end]:
                break
            end = step
        # At an edge of the piece a run may go on in the piece beside it.
        if end - run >= (BLOCK_BYTES if run == 0 or end == len(piece) else HOLE_BYTES):
            if run > written:
                yield piece[written:run], False
            yield piece[run:end], True
            written = end
        here = end + BLOCK_BYTES - (at + end) % BLOCK_BYTES  # behind the block that is no zeros
    if written < len(piece):
        yield piece[written:], False


def prepare_target(target: Path) -> None:
    """Make the folder to restore into, with a file in it that marks the restore as incomplete.

    Raises:
        UnsafeTarget: it is a file, a link, a folder with something in it, or lies in a database server's data folder.
    """
    require_no_server(target)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = not target.is_symlink() and all(
            each.name == UNFINISHED and is_marker(each) for each in target.iterdir()
        )
    except FileExistsError:
        is_empty = False
    except OSError as error:
        raise UnsafeTarget(
            msg("cannot make {folder}: {cause}", folder=str(target), cause=cause_of(error)),
            msg("Name a folder that you may write to."),
        ) from error
    if not is_empty:
        raise UnsafeTarget(
            msg("{folder} is not an empty folder", folder=str(target)),
            msg("Name a folder that is empty or does not exist yet; a restore overwrites nothing."),
        )
    try:
        begin_unfinished(target)
    except OSError as error:
        raise UnsafeTarget(
            msg("cannot write into {folder}: {cause}", folder=str(target), cause=_cause(error)),
            msg("Name a folder that you may write to."),
        ) from error


def _cause(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its folders are nested too deeply"
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise _Refused("its name would lead out of the folder")
    return parts
