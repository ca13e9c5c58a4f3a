"""Pieces of guides: what people read, and the commands that they or `restore.sh` run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from portalops.model.backups import Stream
from portalops.model.message import Message, msg


class CommandUse(Enum):
    """When `restore.sh` runs commands that the guides print."""

    ALWAYS = auto()
    DATABASES = auto()
    """With `--databases` alone: a dump is a program, and a person chooses the server that runs it."""
    BY_HAND = auto()
    """Never: a person has to decide something first."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands of POSIX sh, the same in `RESTORE.*.md` and in `restore.sh`. Each line fails where what it does fails.

    `$KEY`, `$SET`, `$TO`, `$BASE` and `$WORK` are absolute paths; `$PREFIX` and `$SUFFIX` letters, digits, `_` and `-`.
    """

    lines: tuple[str, ...]
    use: CommandUse = CommandUse.ALWAYS
    needs: tuple[str, ...] = ()
    """Programs beside those that every restore needs."""

    def __str__(self) -> str:
        """Return them as a block of Markdown."""
        return "\n".join(("```sh", *self.lines, "```"))


Step = str | Message | Commands
"""A list, a paragraph, or commands."""


def bullets(lines: tuple[str, ...]) -> str:
    """Return a list, every line of it as code."""
    return "\n".join(f"- `{line}`" for line in lines)


def code(*lines: str) -> Commands:
    """Return commands that every restore runs."""
    return Commands(lines)


def load(*lines: str, needs: tuple[str, ...]) -> Commands:
    """Return commands that load a dump into a server."""
    return Commands(lines, CommandUse.DATABASES, needs)


def by_hand(*lines: str) -> Commands:
    """Return commands that the guides alone have."""
    return Commands(lines, CommandUse.BY_HAND)


def file_place(stream: Stream, ending: str) -> str:
    """Return the place of a stream that becomes one file."""
    return f"{stream.source}/{stream.name}.{ending}"


def write_file(stream: Stream, command: str, place: str) -> Iterator[Step]:
    """Say how to write a stream to one file."""
    yield msg("Write it to a file:")
    yield code(f'mkdir -p "$TO/{stream.source}"', f'{command} cat > "$TO/{place}"')


def row_counts(stream: Stream) -> Iterator[Step]:
    """List the rows of each table, if the stream states them."""
    if stream.rows:
        yield msg("Rows of each table when it was backed up:")
        yield bullets(tuple(f"{rows.table.replace('`', chr(39))}: {rows.rows}" for rows in stream.rows))
