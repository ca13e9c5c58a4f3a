"""A folder that its owner alone may enter: mode 0700, its files 0600, whatever the umask says (umask(2)).

Whoever may open the ledger's file for reading can also lock it, by fcntl(2), and so stop what records. Windows and ACLs are not
looked at; links are not followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600

OTHERS = 0o077
"""What group and others may do."""
LEFT_OPEN = frozenset({"unrecorded"})
"""Folders whose files count only while nobody else may write them: closing one would hide that somebody could."""


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    for each in reversed([folder, *folder.parents]):
        if not each.is_dir():
            each.mkdir(mode=FOLDER_MODE, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that its owner alone may open; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))


def open_to_others(folder: Path) -> Iterator[Path]:
    """Yield a folder, and what lies in it and in its folders, that others than its owner may read, write or enter.

    What is deeper, such as each blob, is out of reach where those are closed.
    """
    try:
        if not folder.is_dir():
            return
    except OSError:  # a name that no file system takes: opening the ledger there says so
        return
    folders = [one for one in _entries(folder) if one.name not in LEFT_OPEN and _is_folder(one)]
    inside = [*_entries(folder), *(each for one in folders for each in _entries(one))]
    for path in (folder, *inside):
        with suppress(OSError):  # it went meanwhile
            status = path.lstat()
            if (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)) and status.st_mode & OTHERS:
                yield path


def close_to_others(folder: Path) -> tuple[Path, ...]:
    """Take from group and others what `open_to_others` finds; return what could not be closed, as it belongs to another account."""
    left: list[Path] = []
    for path in open_to_others(folder):
        try:
            os.chmod(path, stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
        except OSError:
            left.append(path)
    return tuple(left)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
