"""Paths of this machine, as several examinations see them: who can change them, and what file system they lie on."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from commands.doctor.diagnosis import DiagnosticLine, bad, good, note, refused, warning
from portalops.config.layers import show_path
from portalops.config.secrets import check_private_file
from portalops.errors import ConfigurationError
from portalops.model.message import Message, msg
from portalops.system.accounts import account_name

if TYPE_CHECKING:
    from portalops.config import KindTable

LOW_SPACE_PERCENT = 10
LOW_SPACE_BYTES = 1 << 30
"""Less than both of these free is worth a warning."""

FULL_BYTES = 16 << 10
"""Less than this takes not even one more record: a page of the ledger, the same in its log, and the record's details."""

LOW_INODES_PERCENT = 5
"""Less than this is too few: each blob and each file of a set is one."""


def folder_seen(folder: Path, *, about: str = "") -> Iterator[DiagnosticLine]:
    """Say whether a folder can be written, and what room it has.

    Args:
        folder: which need not be there yet.
        about: of which medium or the like it is.
    """
    shown = (
        msg("{name}: {path}", name=about, path=show_path(folder)) if about else msg("{path}", path=show_path(folder))
    )
    if folder.exists() and not folder.is_dir():
        yield bad(about, msg("{folder} is not a folder", folder=shown), msg("Correct the path."))
        return
    existing = nearest(folder)
    facts = os.statvfs(existing)
    if facts.f_flag & os.ST_RDONLY:
        yield bad(
            about,
            msg("{folder} lies on a file system that is mounted read-only", folder=shown),
            msg(
                "See 'dmesg' for why, mend the disk, then run 'mount -o remount,rw {path}'.",
                path=show_path(mount_of(existing)),
            ),
        )
        return
    if not os.access(existing, os.W_OK | os.X_OK):
        yield bad(
            about,
            msg("{folder} cannot be written by this user", folder=shown),
            msg("Check the owner and mode: ls -ld {path}", path=show_path(existing)),
        )
        return
    few_inodes = tuple(_inodes(shown, facts, about))
    yield from few_inodes
    usage = psutil.disk_usage(str(existing))
    if usage.free < FULL_BYTES:
        yield bad(
            about,
            msg("{folder} lies on a file system that is full", folder=shown),
            msg("Free space, or move the folder to a larger disk."),
        )
    elif usage.free < LOW_SPACE_BYTES and usage.percent > 100 - LOW_SPACE_PERCENT:
        yield warning(
            about,
            msg("{folder} has little room: {percent} % used", folder=shown, percent=str(usage.percent)),
            msg("Free space, or move the folder to a larger disk."),
        )
    elif few_inodes:
        return
    elif folder.exists():
        yield good(about, msg("{folder} can be written; {free} MiB free", folder=shown, free=usage.free >> 20))
    else:
        yield note(
            about,
            msg("{folder} is not there yet and can be made; {free} MiB free", folder=shown, free=usage.free >> 20),
        )


def private_seen(path: Path, about: str = "") -> Iterator[DiagnosticLine]:
    """Say what is wrong with a file that its owner alone may read; nothing if all is well."""
    try:
        check_private_file(path)
    except ConfigurationError as error:
        yield refused(about, error)


def nearest(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def device_of(path: Path) -> int:
    """Return the file system of a path, or of the nearest folder above it that exists."""
    return nearest(path).stat().st_dev


def mount_of(path: Path) -> Path:
    """Return where the file system of a path that exists is mounted."""
    path = path.resolve()
    while not path.is_mount() and path != path.parent:
        path = path.parent
    return path


def path_of(table: KindTable, key: str) -> Path | None:
    """Return a path that a table names under a key."""
    value = table.values.get(key)
    return table.folder / Path(value).expanduser() if isinstance(value, str) else None


def mode_of(status: os.stat_result) -> str:
    """Return a mode in octal, such as `0644`."""
    return f"{stat.S_IMODE(status.st_mode):04o}"


def owner_of(status: os.stat_result) -> str:
    """Return the name of a file's owner, or the number of one without a name."""
    return account_name(status.st_uid) or str(status.st_uid)


def others_who_write(status: os.stat_result) -> str:
    """Return who beside the owner has the right to write: a group's name, `*` for everybody, or nobody.

    In a folder with the sticky bit everybody may make files, and none can replace another's (inode(7)). The group of root, and
    one that has the owner alone, as Debian and Red Hat make for each account, are nobody else.
    """
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "*"
    if not status.st_mode & stat.S_IWGRP or status.st_gid == 0:
        return ""
    try:
        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except KeyError:
        return str(status.st_gid)
    return "" if owner.pw_gid == status.st_gid and not set(group.gr_mem) - {owner.pw_name} else group.gr_name


def _inodes(shown: Message, facts: os.statvfs_result, about: str) -> Iterator[DiagnosticLine]:
    if facts.f_files and facts.f_favail * 100 < facts.f_files * LOW_INODES_PERCENT:
        seen = warning if facts.f_favail else bad
        yield seen(
            about,
            msg(
                "{folder} has little room for further files: {free} of {all} inodes are free",
                folder=shown,
                free=facts.f_favail,
                all=facts.f_files,
            ),
            msg("Remove small files there, or move the folder to a file system with more inodes: df -i"),
        )
