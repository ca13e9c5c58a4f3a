"""What media that keep sets in folders have in common: names, file systems, and a removal after which a set is gone whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from backups.media._errors import medium_unavailable, not_made_yet
from portalops.errors import MediumUnavailable
from portalops.files import sync_folder
from portalops.model.backups import SetId
from portalops.model.message import Message, msg

INCOMING, REMOVING, PROBE = ".incoming-", ".removing-", ".probe-"
_NAME_OF_SET = re.compile(r".+-[0-9]{8}T[0-9]{6}Z-(?:full|diff)-[0-9a-f]{6}")


def is_name(set_id: SetId) -> bool:
    """Say whether a set can have this name: it leads nowhere else, and is none of what media keep beside sets."""
    return bool(set_id) and "/" not in set_id and not set_id.startswith(".")


def marks_of(name: str) -> tuple[str, ...]:
    """Return the files of which any one makes a folder a set: one with the name of a set may have lost some of them."""
    return ("bagit.txt", "set.json", "tagmanifest-sha256.txt") if _NAME_OF_SET.fullmatch(name) else ("bagit.txt",)


def nearest(folder: Path) -> Path:
    """Return a folder, or the one that it will be made in."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def free_bytes(folder: Path) -> int:
    """Return how much room is left for this user."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def lies_beside(device: int, sources: Sequence[Path]) -> bool:
    """Say whether a source lies on a file system, given by its `st_dev`; a source that cannot be asked does not."""
    return any(_device(source) == device for source in sources)


def ready_folder(
    medium: str, folder: Path, sources: Sequence[Path], *, create: bool, allow_same_filesystem: bool
) -> bool:
    """Make a medium's folder if that is wanted, and say whether it lies on the file system of a source.

    Raises:
        MediumUnavailable: it does, and must not.
        OSError: it cannot be made or looked at.
    """
    if create:
        folder.mkdir(parents=True, exist_ok=True)
    return require_folder(medium, folder, sources, create=False, allow_same_filesystem=allow_same_filesystem)


def require_folder(
    medium: str, folder: Path, sources: Sequence[Path], *, create: bool, allow_same_filesystem: bool
) -> bool:
    """Do as `ready_folder` and make nothing: a folder that is to be made lies where the innermost one lies that is there."""
    there = nearest(folder) if create else folder
    found = os.stat(there)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    shares = lies_beside(found.st_dev, sources)
    if shares and not allow_same_filesystem:
        raise medium_unavailable(
            medium,
            msg("{folder} is on the same file system as the data that it would copy", folder=str(folder)),
            msg("Name a folder on another disk, or set allow_same_filesystem = true; reports then show this."),
        )
    return shares


def folder_unavailable(
    medium: str, folder: Path, error: OSError, no_folder_hint: Message, *, create: bool
) -> MediumUnavailable:
    """Return the error of a medium whose folder, or what is in it, cannot be used; `create` as configured."""
    if isinstance(error, FileNotFoundError) and not folder.exists():
        if create:
            return not_made_yet(medium, msg("there is no folder {folder}", folder=str(folder)))
        return medium_unavailable(medium, msg("there is no folder {folder}", folder=str(folder)), no_folder_hint)
    return medium_unavailable(medium, error)


def put_away(folder: Path, set_id: SetId) -> bool:
    """Take a set out of a folder, free what it took as far as the disk lets, and say whether there was anything of it.

    Raises:
        OSError: the folder cannot be used; the set is there still.
    """
    os.stat(folder)
    going = folder / f"{REMOVING}{set_id}"
    is_there = _is_folder(folder / set_id)
    was_going = going.exists()
    if is_there:
        os.rename(folder / set_id, _free_name(going))
        sync_folder(folder)
    free_removed(folder)
    return is_there or was_going


def free_removed(folder: Path) -> None:
    """Free what was removed, as far as the disk lets; it is no set any more."""
    for path in folder.glob(f"{REMOVING}*"):
        shutil.rmtree(path, ignore_errors=True)


def _free_name(going: Path) -> Path:
    """Return a name that nothing has: a set of this name may have been half removed, made up again, and go again."""
    number = 1
    while os.path.lexists(going):
        number += 1
        going = going.with_name(f"{going.name.partition('~')[0]}~{number}")
    return going


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _device(path: Path) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None
