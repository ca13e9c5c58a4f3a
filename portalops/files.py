"""Files that are whole or not there: written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portalops.errors import FileUnwritable
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.private_folder import OTHERS, make_private_folder


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old file or the whole new one.

    It belongs to its writer, or to `owner`: user and group.

    Raises:
        FileUnwritable: the folder is missing, the disk is full, or access is refused.
    """
    try:
        if mode & OTHERS:
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            make_private_folder(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except FileExistsError as error:  # a file stands where the folder would be
        raise unwritable(path, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))) from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # a disk that takes nothing lets nothing go either
            Path(name).unlink(missing_ok=True)
        raise unwritable(path, error) from error
    except BaseException:  # an interrupt too
        Path(name).unlink(missing_ok=True)
        raise


def append_whole(path: Path, data: bytes) -> None:
    """Put bytes behind those of a file that is there, which keeps its owner and mode: whole, or not at all.

    Behind a last line without an end they begin a new one. A symbolic link stays one.

    Raises:
        FileUnwritable: the file is missing, the disk is full, or access is refused.
    """
    place = Path(os.path.realpath(path))
    try:
        known, before = place.stat(), place.read_bytes()
    except OSError as error:
        raise unwritable(path, error) from error
    glue = b"" if before.endswith(b"\n") or not before else b"\n"
    write_atomically(place, before + glue + data, mode=stat.S_IMODE(known.st_mode), owner=(known.st_uid, known.st_gid))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a folder beside its place and put it there when the block ends well: it is whole or not there.

    What a process that was killed left beside the place is removed first; a lock on the folder itself, which the
    kernel frees with the process, tells it from one that is being filled.

    Args:
        path: where the folder shall be: nothing, or an empty folder.

    Raises:
        FileUnwritable: it cannot be made, the disk is full, or something lies in its place meanwhile.
    """
    part: Path | None = None
    descriptor = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(path)
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART))
        descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield part
        os.chmod(part, 0o755)  # noqa: S103  # mkdtemp made it for its owner alone, and others read what is in it
        os.sync()  # one for all files: a call for each takes minutes where there are many
        os.rename(part, path)
        part = None
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        if descriptor >= 0:
            os.close(descriptor)


def _remove_dead(path: Path) -> None:
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_PART}"):
        if left.is_symlink() or not left.is_dir():
            continue
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass  # another process is filling it
        finally:
            os.close(descriptor)


_PART = ".part"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_writable(folder: Path) -> None:
    """Make sure that files can be made in a folder, without making any.

    Raises:
        FileUnwritable: its file system is read-only, or this account has no right to; root meets the former alone.
    """
    if os.access(folder, os.W_OK | os.X_OK):
        return
    try:
        code = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
    except OSError as error:
        code = error.errno or errno.EACCES
    raise FileUnwritable(
        msg("cannot write {path}: {cause}", path=str(folder), cause=cause_of(OSError(code, os.strerror(code)))),
        msg("Check how {folder} is mounted, and its owner; then run the command again.", folder=str(folder)),
    )


def unwritable(path: Path, error: OSError) -> FileUnwritable:
    """Say that a file cannot be written, and what the system says of it."""
    return FileUnwritable(
        msg("cannot write {path}: {cause}", path=str(path), cause=cause_of(error)),
        msg("Name a place in a folder: {folder} is none.", folder=str(path.parent))
        if isinstance(error, NotADirectoryError)
        else msg("Check the free space and the owner of the folder {folder}.", folder=str(path.parent)),
    )
