"""What a stream can be, one file each: how people restore it with stock programs, and how a drill tries it out.

A module of this folder is the format of its name, such as `tar`, and registers as `FORMAT`, a `Format`.

A stream of a format that this version does not know is restored as a plain file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backups.formats._parts import Step
from portalops.model.backups import Stream, StreamMember, VerifyLevel
from portalops.plugins import Door
from portalops.ports import Runner

UNKNOWN = "raw"


@dataclass(frozen=True, slots=True)
class Restored:
    """A stream that was restored, its bytes found to be those that were read."""

    stream: Stream
    place: Path
    """The folder of a tar, the file of a dump."""
    scratch: Path
    """An empty folder for whatever the trial needs, such as a server's data; removed afterwards."""
    members: Callable[[], Iterator[StreamMember]]
    """Reads the stream's index; nothing for a stream without one."""
    runner: Runner
    """Runs programs as an unprivileged user where portalops itself runs as root."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying out a restored stream."""

    level: VerifyLevel
    """L3 if it was only restored, L4 if it was queried as well."""
    problems: tuple[str, ...] = ()
    """One bounded, escaped English line each; none if all was found as it was backed up."""
    asked: str = ""
    """What was asked of it, such as `41 tables, 120,344 rows`; empty for L3."""
    not_tried: str = ""
    """Why it could not be tested here: an obstacle of this machine, not a problem of the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of streams."""

    place: Callable[[Stream], str]
    """Returns where the stream goes below a restore's target: its folder if it becomes many files, else its file."""
    guide: Callable[[Stream, str, str], Iterator[Step]]
    """Yields the paragraphs and commands that restore a stream, of whose ids none needs quoting: for RESTORE.md and restore.sh.

    The second text is a command that gives the stream's bytes to the program that is written behind it, and fails where any of
    them is missing or different; the third is what `place` gave.
    """
    is_needed_first: bool = False
    """Whether other streams need what is in one of this format: it is restored before them."""
    try_out: Callable[[Restored], Trial]
    """Uses what was restored, and compares it with what was backed up; never raises for what is wrong with it.

    It raises `PortalOpsError` where it cannot be tried out here, such as without the server's programs.
    """


FORMATS: Final = Door("backups.formats", "FORMAT", Format)


def format_of(stream: Stream) -> Format:
    """Return the format of a stream."""
    return FORMATS.load(stream.format if stream.format in FORMATS.names() else UNKNOWN)
