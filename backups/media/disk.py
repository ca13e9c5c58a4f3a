"""A folder on a disk: a mounted disk, a network share, a disk that is carried away.

    [[backup.medium]]
    id = "disk-a"
    kind = "disk"
    folder = "/mnt/disk-a/portal"
    mount_point = "/mnt/disk-a"

With `mount_point` nothing is written while the disk is not mounted. A folder on the file system of what it copies is
refused, because one broken disk would take both; `allow_same_filesystem = true` allows it, and reports show it.

A set is written into `.incoming-<set>`, every file is synced, and then the folder is renamed: a set is there whole or not
at all. A file is `NAME.part` until it is synced, so what has its name is whole. Folders of runs that died are removed by the
next run, or gone on with if a copy of their set is wanted; the kernel's lock on them shows whether their run is alive.
A set that is removed is first renamed to `.removing-<set>`, so that it goes as it came: whole.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field

from backups.media import MediumKind
from backups.media._errors import is_there_already, medium_unavailable, no_such_set
from backups.media._folders import (
    INCOMING,
    PROBE,
    folder_unavailable,
    free_bytes,
    free_removed,
    is_name,
    marks_of,
    nearest,
    put_away,
    ready_folder,
    require_folder,
)
from backups.media._throttled import MediumSettings
from portalops.config.tables import KindTable, LocalPath
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.files import sync_folder
from portalops.model.backups import SetId
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, kept, msg
from portalops.model.text import show_text
from portalops.ports import HeldFile, Readable, Room

logger = logging.getLogger(__name__)

PART = ".part"
"""What the name of a file ends with until it is whole."""
_WINDOW_BYTES = 16 << 20
"""Dropped from the cache behind the reading: a set must not push out what the host works with, and each call costs."""
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS})
"""What flock(2) says on a share that keeps no locks."""


class Settings(MediumSettings):
    """`kind = "disk"`."""

    folder: LocalPath = Field(description="Where the sets go.")
    create: bool = Field(default=False, description="Make the folder if it is not there.")
    mount_point: LocalPath | None = Field(default=None, description="Must be mounted, or nothing is written.")
    allow_same_filesystem: bool = Field(default=False, description="Allow the file system of what is copied.")


def build(table: KindTable) -> DiskMedium:
    """Return the medium that a configuration table describes."""
    return DiskMedium(table.id, table.parse(Settings))


class DiskMedium:
    """Keeps sets as folders."""

    kind = "disk"

    def __init__(self, medium_id: str, settings: Settings) -> None:
        self.id = medium_id
        self._settings = settings
        self._folder = settings.folder

    def places(self) -> Sequence[Path]:
        return (self._folder,)

    def require_place(self, sources: Sequence[Path]) -> None:
        """Require that `prepare` would find its folder, as far as that is seen without making or writing anything.

        Raises:
            MediumUnavailable: it would not.
        """
        self._require_mounted()
        settings = self._settings
        allows = settings.allow_same_filesystem
        try:
            require_folder(self.id, self._folder, sources, create=settings.create, allow_same_filesystem=allows)
        except OSError as error:
            raise self._unavailable(error) from error

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        self._require_mounted()
        try:
            shares = ready_folder(
                self.id,
                self._folder,
                sources,
                create=self._settings.create,
                allow_same_filesystem=self._settings.allow_same_filesystem,
            )
            self._remove_dead(wanted)
            self._try_writing()
        except OSError as error:
            raise self._unavailable(error) from error
        return shares

    def room(self, expected_bytes: int) -> Room:
        del expected_bytes
        self._require_mounted()
        try:
            return Room(free_bytes(nearest(self._folder)))
        except OSError as error:
            raise self._unavailable(error) from error

    def begin(self, set_id: SetId, *, expected_bytes: int) -> DiskSetWriter:
        self._require_mounted()
        try:
            self._require_room(set_id, expected_bytes)
            return DiskSetWriter(self.id, self._folder, set_id)
        except OSError as error:
            raise self._unavailable(error) from error

    def resume(self, set_id: SetId, *, expected_bytes: int) -> DiskSetWriter:
        self._require_mounted()
        try:
            there = (self._folder / f"{INCOMING}{set_id}").rglob("*")
            held_bytes = sum(path.lstat().st_size for path in there if path.is_file())
            self._require_room(set_id, max(0, expected_bytes - held_bytes))
            return DiskSetWriter(self.id, self._folder, set_id, resumes=True)
        except OSError as error:
            raise self._unavailable(error) from error

    def sets(self) -> tuple[SetId, ...]:
        self._require_mounted()
        try:
            with os.scandir(self._folder) as entries:
                found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            raise self._unavailable(error) from error
        return tuple(sorted(SetId(name) for name in found if not name.startswith(".") and self._is_bag(name)))

    def open_set(self, set_id: SetId) -> DiskStoredSet:
        self._require_mounted()
        folder = self._folder / set_id
        try:
            os.stat(self._folder)
            if not is_name(set_id) or not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise no_such_set(self.id, set_id)
        except FileNotFoundError as error:
            if not self._folder.exists():
                raise self._unavailable(error) from error
            raise no_such_set(self.id, set_id) from error
        except OSError as error:
            raise self._unavailable(error) from error
        return DiskStoredSet(self.id, folder)

    def remove(self, set_id: SetId) -> None:
        self._require_mounted()
        if not is_name(set_id):
            raise no_such_set(self.id, set_id)
        try:
            was_there = put_away(self._folder, set_id)
        except OSError as error:
            raise self._unavailable(error) from error
        if not was_there:
            raise no_such_set(self.id, set_id)

    def _require_room(self, set_id: SetId, needed_bytes: int) -> None:
        free = free_bytes(self._folder)
        if free < needed_bytes:
            raise medium_unavailable(
                self.id,
                msg(
                    "only {free} are free, but the set needs about {needed}",
                    free=ByteCount(free),
                    needed=ByteCount(needed_bytes),
                ),
                msg("Remove what is not needed, or use a larger disk."),
            )
        if os.path.lexists(self._folder / set_id):
            raise is_there_already(self.id, set_id)

    def _try_writing(self) -> None:
        """Write and remove a small file, so that a read-only disk is met before a source is read."""
        path = self._folder / f"{PROBE}{os.getpid()}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, b"portalops\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        finally:
            path.unlink(missing_ok=True)

    def _is_bag(self, name: str) -> bool:
        for mark in marks_of(name):
            try:
                if stat.S_ISREG(os.stat(self._folder / name / mark).st_mode):
                    return True
            except PermissionError:
                return True  # something is there that this user may not see; who reads it is told
            except OSError:
                continue
        return False

    def _require_mounted(self) -> None:
        mount_point = self._settings.mount_point
        if mount_point is not None and not os.path.ismount(mount_point):
            raise medium_unavailable(
                self.id,
                msg("nothing is mounted on {folder}", folder=str(mount_point)),
                msg("Attach and mount the disk, then run 'portalops backup run' again."),
            )

    def _unavailable(self, error: OSError) -> MediumUnavailable:
        hint = msg("Make the folder, or set create = true; for a mounted disk set mount_point too.")
        return folder_unavailable(self.id, self._folder, error, hint, create=self._settings.create)

    def _remove_dead(self, wanted: Collection[SetId]) -> None:
        kept = {f"{INCOMING}{each}" for each in wanted if not os.path.lexists(self._folder / each)}
        free_removed(self._folder)
        for path in self._folder.glob(f"{PROBE}*"):
            path.unlink(missing_ok=True)  # a run that is alive has it open, and needs no name of it
        for path in self._folder.glob(f"{INCOMING}*"):
            if path.name in kept:
                continue
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    logger.info("medium %s: removing %s of a run that died", self.id, path.name)
                    shutil.rmtree(path)
                except BlockingIOError:
                    logger.info("medium %s: %s belongs to a run at work", self.id, path.name)
                except OSError as error:
                    if error.errno not in NO_LOCKS:
                        raise
                    logger.warning(
                        "medium %s: %s is left, since nothing tells whether its run is alive", self.id, path.name
                    )
                finally:
                    os.close(descriptor)


class DiskSetWriter:
    """A set that is being written, in a folder that nobody takes for a set."""

    def __init__(self, medium: str, folder: Path, set_id: SetId, *, resumes: bool = False) -> None:
        self._medium = medium
        self._folder = folder
        self._set_id = set_id
        self._incoming = folder / f"{INCOMING}{set_id}"
        self._file = -1
        self._path = self._incoming
        self._folders: set[Path] = {self._incoming}
        self._held: dict[str, HeldFile] = {}
        is_new = not (resumes and self._incoming.is_dir())
        if is_new:
            self._incoming.mkdir(mode=0o700)
        self._lock = os.open(self._incoming, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._hold(is_new=is_new)
            if not is_new:
                self._take_over()
        except BaseException:  # an interrupt too: the lock would stay
            os.close(self._lock)
            raise
        self._has_whole = bool(self._held)

    def held(self) -> Mapping[str, HeldFile]:
        return self._held

    def open(self, path: str) -> None:
        with self._convert_errors():
            self._path = self._incoming / path
            self._make(self._path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(_unfinished(self._path), flags, 0o600)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        rest = memoryview(data)
        with self._convert_errors():
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        with self._convert_errors():
            os.fsync(self._file)
            self._close_file()
            os.rename(_unfinished(self._path), self._path)
            self._has_whole = True

    def discard(self, path: str) -> None:
        with self._convert_errors():
            (self._incoming / path).unlink(missing_ok=True)

    def seal(self) -> None:
        with self._convert_errors():
            # All is on the disk before the set gets its name: a power cut must leave no set without its files. The deepest folder first.
            for folder in sorted(self._folders, key=lambda each: len(each.parts), reverse=True):
                with suppress(OSError):
                    folder.rmdir()  # folders whose streams were all taken back
                    continue
                sync_folder(folder)
            os.rename(self._incoming, self._folder / self._set_id)
            self._incoming = self._folder / self._set_id  # if the sync fails, it is this that is taken back
            sync_folder(self._folder)
            os.close(self._lock)
            self._lock = -1

    def leave(self) -> None:
        if not self._has_whole:
            self.abandon()
            return
        with suppress(OSError):
            self._close_file()
        with suppress(OSError):
            if self._incoming.name == self._set_id:  # it has its name, but a sync failed
                os.rename(self._incoming, self._folder / f"{INCOMING}{self._set_id}")
            _unfinished(self._path).unlink(missing_ok=True)
        self._let_go()

    def abandon(self) -> None:
        with suppress(OSError):
            self._close_file()
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._let_go()

    def _make(self, folder: Path) -> None:
        """Make a folder in that of the set, and never that one again: where it is gone the disk is, and its mount point is bare."""
        if folder not in self._folders:
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)
            self._folders.add(folder)

    def _hold(self, *, is_new: bool) -> None:
        """Lock the folder, so that others see that it is written.

        Raises:
            MediumUnavailable: another run writes it, or nobody can tell.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if is_new:
                return  # a share without locks: then dead folders there are not told from living ones
            raise medium_unavailable(
                self._medium,
                msg(
                    "{folder} is left over from an interrupted copy, or is still being written",
                    folder=str(self._incoming),
                ),
                msg("If no run is active, remove that folder; then run 'portalops backup replicate' again."),
            ) from error
        if not is_new and os.fstat(self._lock).st_ino != os.stat(self._incoming).st_ino:
            raise FileNotFoundError(errno.ENOENT, "it was just removed", str(self._incoming))

    def _take_over(self) -> None:
        """Note what is whole, and remove what is not."""
        for path in list(self._incoming.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                self._folders.add(path)
            elif path.suffix == PART or path.is_symlink() or not path.is_file():
                path.unlink()
            else:
                self._held[str(path.relative_to(self._incoming))] = HeldFile(path.stat().st_size, None)

    def _let_go(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            with suppress(OSError):
                os.close(lock)

    def _close_file(self) -> None:
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            os.close(descriptor)

    @contextmanager
    def _convert_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise medium_unavailable(self._medium, error) from error


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + PART)


class DiskStoredSet:
    """A sealed set; what is read comes from the disk and not from the memory that caches it."""

    def __init__(self, medium: str, folder: Path) -> None:
        self._medium = medium
        self._folder = folder

    def sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        pending = [""]
        try:
            while pending:
                below = pending.pop()
                with os.scandir(self._folder / below) as entries:
                    for entry in entries:
                        path = f"{below}{entry.name}"
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(f"{path}/")
                        else:
                            found[path] = entry.stat(follow_symlinks=False).st_size
        except OSError as error:
            raise medium_unavailable(self._medium, error) from error
        return found

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        try:
            descriptor = os.open(self._folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except PermissionError as error:  # that this user may not read it says nothing of its bytes
            raise medium_unavailable(self._medium, error) from error
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(path, OSError(errno.EINVAL, "not a regular file"))
            # Pages of a synced file are clean, so the kernel lets go of them: what follows is read from the disk.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            yield _FileReader(descriptor, path)
        finally:
            os.close(descriptor)


class _FileReader:
    """Reads a file once and leaves nothing of it in the cache."""

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self._path = path
        self._at = self._dropped = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = os.read(self._descriptor, size)
            self._at += len(data)
            if self._at - self._dropped >= _WINDOW_BYTES or not data:
                os.posix_fadvise(self._descriptor, self._dropped, self._at - self._dropped, os.POSIX_FADV_DONTNEED)
                self._dropped = self._at
        except OSError as error:
            raise _unreadable(self._path, error) from error
        return data


def _unreadable(path: str, error: OSError) -> SetDamaged:
    cause = msg("the file is missing") if error.errno == errno.ENOENT else cause_of(error)
    return SetDamaged(
        msg("{path}: {cause}", path=show_text(path, 300), cause=kept(cause, 120)),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


MEDIUM = MediumKind(settings=Settings, build=build)
