"""What a stream can be, one file each: how people restore it with stock programs, and how a drill tries it out.

A module of this folder is the format of its name, such as `tar`. It has

    place(stream)                      where it goes below a restore's target
    guide(stream, command, place)      the part of RESTORE.md that follows its check, for people
    try_out(restored)                  whether what was restored can be used; see `Restored` and `Trial`

A stream of a format that this version does not know is restored as a plain file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from portalops.model.backups import Member, Stream, VerifyLevel
from portalops.model.message import Message
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
    members: Callable[[], Iterator[Member]]
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


class Format(Protocol):
    """A module of this folder."""

    def place(self, stream: Stream) -> str:
        """Return where the stream goes below a restore's target: its folder if it becomes many files, else its file."""
        ...

    def guide(self, stream: Stream, command: str, place: str) -> Iterator[str | Message]:
        """Yield the paragraphs and code blocks that say how to restore it.

        Args:
            stream: of whose ids none needs quoting.
            command: prints the stream's bytes.
            place: what `place` gave; `$TO` of the shell is the target.
        """
        ...

    def try_out(self, restored: Restored) -> Trial:
        """Use what was restored, and compare it with what was backed up; never raises for what is wrong with it.

        Raises:
            PortalOpsError: it cannot be tried out here, such as without the server's programs.
        """
        ...


def formats() -> tuple[str, ...]:
    """Return all formats, as streams name them."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in found))


def format_of(stream: Stream) -> Format:
    """Return the format of a stream."""
    name = stream.format if stream.format in formats() else UNKNOWN
    return cast("Format", importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))
