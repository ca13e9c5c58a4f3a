"""Pieces of guides."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.model.backups import Stream
from portalops.model.message import Message, msg


def bullets(lines: tuple[str, ...]) -> str:
    """Return a list, every line of it as code."""
    return "\n".join(f"- `{line}`" for line in lines)


def code(*lines: str) -> str:
    """Return commands for bash."""
    return "\n".join(("```sh", *lines, "```"))


def file_place(stream: Stream, ending: str) -> str:
    """Return the place of a stream that becomes one file."""
    return f"{stream.source}/{stream.name}.{ending}"


def write_file(stream: Stream, command: str, place: str) -> Iterator[str | Message]:
    """Say how to write a stream to one file."""
    yield msg("Then write it to a file:")
    yield code(f'mkdir -p "$TO/{stream.source}"', f'{command} > "$TO/{place}"')


def row_counts(stream: Stream) -> Iterator[str | Message]:
    """List the rows of each table, if the stream states them."""
    if stream.rows:
        yield msg("Rows of each table when it was backed up:")
        yield bullets(tuple(f"{rows.table.replace('`', chr(39))}: {rows.rows}" for rows in stream.rows))
