"""Files, folders and links: a POSIX pax archive with an index."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, code
from portalops.model.backups import MemberType, Stream, StreamMember, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_PROBLEMS = 20


def place(stream: Stream) -> str:
    return stream.source


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    del stream
    yield msg("Unpack it. As root, owners and devices are restored too.")
    yield code(f'mkdir -p "$TO/{place}"', f'{command} unpack "$TO/{place}"')


def try_out(restored: Restored) -> Trial:
    """Read every file as it came out, and compare it with the index that was made while the original was read."""
    problems: list[str] = []
    files = 0
    for member in _last_of_each(restored.members()):
        if member.type is MemberType.FILE:
            files += 1
        problem = _problem(restored.place, member)
        if problem and len(problems) < MAX_PROBLEMS:
            problems.append(show_text(f"{member.path}: {problem}", 300))
    return Trial(VerifyLevel.L4, tuple(problems), f"{files} files compared with the index")


def _last_of_each(members: Iterator[StreamMember]) -> Iterator[StreamMember]:
    """Leave out a member that was written anew right behind itself because it changed meanwhile."""
    held: StreamMember | None = None
    for member in members:
        if held is not None and held.path != member.path:
            yield held
        held = member
    if held is not None:
        yield held


def _problem(folder: Path, member: StreamMember) -> str:
    path = folder / member.path
    try:
        found = path.lstat()
    except OSError as error:
        is_device = member.type in {MemberType.CHARACTER_DEVICE, MemberType.BLOCK_DEVICE, MemberType.FIFO}
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
