"""Files, folders and links: a POSIX pax archive with an index."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.contents import last_of_each
from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, code
from backups.formats._trials import not_readable
from portalops.model.backups import MemberType, Stream, StreamMember, VerifyLevel
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, together
from portalops.model.text import show_text

MAX_PROBLEMS = 20
_DEVICES = frozenset({MemberType.CHARACTER_DEVICE, MemberType.BLOCK_DEVICE})
_LONGEST_PATH = 4096
"""PATH_MAX of Linux, with the NUL behind it."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def place(stream: Stream) -> str:
    return stream.source


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    del stream
    yield msg("Unpack it. As root, owners and devices are restored too.")
    yield code(f'mkdir -p "$TO/{place}"', f'{command} unpack "$TO/{place}"')


def try_out(restored: Restored) -> Trial:
    """Read every file as it came out, and compare it with the index that was made while the original was read."""
    problems: list[str] = []
    unread: list[Message] = []
    not_read = compared = 0
    devices: set[str] = set()
    for member in last_of_each(restored.members()):
        if member.type in _DEVICES:
            devices.add(member.path)
        if member.link in devices and member.type is MemberType.HARDLINK:
            continue  # a restore makes no devices
        try:
            problem = _problem(restored.place, member)
        except PermissionError as error:  # of this user, such as a root that may not read what others own
            not_read += 1
            if len(unread) < MAX_PROBLEMS:
                unread.append(msg("{path}: {cause}", path=show_text(member.path, 200), cause=cause_of(error)))
            continue
        compared += member.type is MemberType.FILE
        if problem and len(problems) < MAX_PROBLEMS:
            problems.append(show_text(f"{member.path}: {problem}", 300))
    asked = f"{compared} files compared with the index"
    if not_read:
        return Trial(VerifyLevel.L3, tuple(problems), asked, str(not_readable(together(unread, 3))))
    return Trial(VerifyLevel.L4, tuple(problems), asked)


def _problem(folder: Path, member: StreamMember) -> str:
    try:
        with _reached(folder / member.path) as path:
            return _compared(path, member)
    except PermissionError:
        raise
    except OSError as error:
        return error.strerror or str(error)


@contextmanager
def _reached(path: Path) -> Iterator[Path]:
    """Give a path that leads to the same file and that a system call takes, however long the first one is."""
    if len(os.fsencode(path)) < _LONGEST_PATH:
        yield path
        return
    at = os.open("/", _FOLDER)
    try:
        for part in path.parts[1:-1]:
            inner = os.open(part, _FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        yield Path(f"/proc/self/fd/{at}", path.name)
    finally:
        os.close(at)


def _compared(path: Path, member: StreamMember) -> str:
    try:
        found = path.lstat()
    except PermissionError:
        raise
    except OSError as error:
        is_device = member.type in {*_DEVICES, MemberType.FIFO}
        return "" if is_device else (error.strerror or str(error))  # a restore makes no devices
    match member.type:
        case MemberType.FILE:
            if not stat.S_ISREG(found.st_mode):
                return "not a file"
            return "" if _digest(path) == member.sha256 else "its content is not what the index lists"
        case MemberType.FOLDER:
            return "" if stat.S_ISDIR(found.st_mode) else "not a folder"
        case MemberType.SYMLINK:
            return "" if stat.S_ISLNK(found.st_mode) and os.readlink(path) == member.link else "another link"
        case _:
            return ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


FORMAT = Format(place=place, guide=guide, try_out=try_out)
