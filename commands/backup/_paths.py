"""Paths of sets, as `ls`, `find` and `diff` show them: names come from outside, so none reaches a terminal as it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.cli.shapes import ShownMessage, shape
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.backups import MemberType
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Block, ByteSize, Cell, Notice, Tone

if TYPE_CHECKING:
    from portalops.model.backups import StreamMember

MAX_PATH = 4 * 4096
"""Letters of a path that are shown: the longest there is, each byte escaped."""
MOST = 10_000
LimitOption = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=1, help=_("Show so many at most; the others are counted")),
]
SourceOption = Annotated[str | None, typer.Option("--source", help=_("Only this source"))]
_TYPES = {
    MemberType.FILE: "-",
    MemberType.FOLDER: "d",
    MemberType.SYMLINK: "l",
    MemberType.HARDLINK: "h",
    MemberType.FIFO: "p",
    MemberType.CHARACTER_DEVICE: "c",
    MemberType.BLOCK_DEVICE: "b",
}


@shape
class MemberShape:
    """A file, folder or link of a set."""

    type: MemberType
    size: int
    mode: str
    """Octal, such as 0644."""
    uid: int
    gid: int
    mtime_ns: int
    modified_at: datetime | None
    """The same as a moment; null where no calendar has it."""
    sha256: str | None
    """Of a file's content."""
    link: str
    """Where a link leads; empty for all else."""

    @classmethod
    def of(cls, member: StreamMember) -> MemberShape:
        """Return a member as `--json` shows it."""
        return cls(
            member.type,
            member.size,
            f"{member.mode:04o}",
            member.uid,
            member.gid,
            member.mtime_ns,
            moment_of(member.mtime_ns),
            member.sha256,
            printable(member.link),
        )


@shape
class UnknownPart:
    """What could not be looked into."""

    what: str
    """A set, a source, or a source and stream."""
    problem: ShownMessage


def printable(path: str) -> str:
    """Return a path as `--json` has it: as it is, or escaped where it is no UTF-8."""
    return path if _is_utf8(path) else show_text(path, MAX_PATH)


def hex_of(path: str) -> str | None:
    """Return a path's bytes in hexadecimal where they are no UTF-8, so that a program can name it all the same."""
    return None if _is_utf8(path) else os.fsencode(path).hex()


def path_cell(path: str, member: StreamMember | None = None) -> Cell:
    """Return a path for a terminal: a folder with a slash behind it, a link with where it leads."""
    shown = show_text(path, MAX_PATH)
    if member is None or member.type is MemberType.FOLDER:
        return verbatim(f"{shown}/")
    if member.link:
        return verbatim(f"{shown} -> {show_text(member.link, MAX_PATH)}")
    return verbatim(shown)


def size_cell(member: StreamMember | None) -> Cell:
    return ByteSize(member.size) if member is not None and member.type is MemberType.FILE else None


def mode_cell(member: StreamMember | None) -> Cell:
    """Return type and mode as `ls -l` has them."""
    if member is None:
        return None
    return verbatim(_TYPES[member.type] + stat.filemode(member.mode)[1:])


def owner_cell(member: StreamMember | None) -> Cell:
    return None if member is None else f"{member.uid}:{member.gid}"


def moment_of(mtime_ns: int) -> datetime | None:
    """Return a time of a file as a moment; None where no calendar has it."""
    try:
        return datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def left_off(count: int, shown: int) -> list[Block]:
    """Say how many are counted and not shown."""
    if count <= shown:
        return []
    more = nmsg("{n} more is not shown: raise --limit", "{n} more are not shown: raise --limit", count - shown)
    return [Notice(more, Tone.UNSURE)]


def unknown_blocks(unknown: Sequence[tuple[str, Message]]) -> list[Block]:
    """Say what could not be looked into."""
    return [
        Notice(msg("not known of {what}: {problem}", what=show_text(what, 200), problem=problem), Tone.BAD)
        for what, problem in unknown
    ]


def unknown_parts(unknown: Sequence[tuple[str, Message]]) -> tuple[UnknownPart, ...]:
    return tuple(UnknownPart(what, ShownMessage.of(problem)) for what, problem in unknown)


def each_once(messages: Iterable[Message]) -> list[Message]:
    """Return messages without repetitions."""
    return list({str(each): each for each in messages}.values())


def required_pattern(text: str, what: str) -> str:
    """Return a path or pattern as an index writes it.

    Raises:
        UsageError: nothing is left of it, or no file can have this name.
    """
    pattern = text.strip("/")
    if not pattern or "\0" in pattern:
        raise UsageError(
            msg("{what} is empty", what=what), msg("Give a name or a pattern, such as '*.conf' or etc/hosts.")
        )
    return pattern


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
