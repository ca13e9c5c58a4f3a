"""`backup restore --stdout`: one stream to the program behind the pipe, which does with it what it likes.

portalops itself loads nothing into a database: whoever writes the pipe chose where it goes.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from backups.stream_output import find_stream, stream_out
from commands.cli.printer import OutputError
from portalops.errors import UsageError
from portalops.model.causes import cause_of
from portalops.model.message import msg

if TYPE_CHECKING:
    from backups.age import PrivateKey
    from backups.merged import MergedSet
    from portalops.ports import Progress

PIPE_BYTES = 1 << 20
"""What a pipe may hold at most without privileges (pipe(7)); its reader waits less often then."""


def check_usage(*, stdout: bool, folders: int, has_path: bool, json: bool) -> None:
    """Refuse what does not go together, before anything is read.

    Raises:
        UsageError: neither or both places are named, or standard output is no place for a stream.
    """
    if stdout + folders != 1:
        raise UsageError(
            msg("a restore needs one target: a folder or standard output"),
            msg("Give --to FOLDER, --into FOLDER, or --stdout with a program behind a pipe."),
        )
    if has_path or json:
        raise UsageError(
            msg("--stdout does not go with {option}", option="--path" if has_path else "--json"),
            msg("Standard output carries the stream and nothing else. Restore a single path by --to FOLDER."),
        )
    if sys.stdout.isatty():
        raise UsageError(
            msg("standard output is a terminal, which is no place for a stream"),
            msg("Put a program behind it, such as | pg_restore -d scratch, or send it into a file by > FILE."),
        )


def stream_out_stream(
    copies: MergedSet,
    identities: Sequence[PrivateKey],
    *,
    source: str | None,
    name: str | None,
    compares: bool,
    progress: Progress,
) -> None:
    """Write the one stream that is asked for to standard output, compared with its index where nothing vouches for the set.

    Raises:
        BackupError: no stream fits, or several do.
        WrongKey: no key opens it.
        SetDamaged: it is not what was backed up.
        OutputError: the reader went away, or there is no room for it.
    """
    stream = find_stream(copies.content, source, name)
    try:
        with progress.task(msg("Restoring"), total=stream.plain_bytes, unit="bytes") as task:
            stream_out(copies, stream, identities, standard_output(), compares=compares, on_bytes=task.advance)
    except OSError as error:
        raise OutputError(
            msg("the stream did not get to its reader: {cause}", cause=cause_of(error)),
            msg("See why the program behind the pipe ended, or whether the disk is full; what it got is only a part."),
        ) from error


def standard_output() -> Callable[[bytes], None]:
    """Return what writes a piece to standard output, whole, past Python's own buffer; it raises OSError."""
    descriptor = sys.stdout.fileno()
    with suppress(OSError):  # no pipe, or more than this user may have
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def write(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return write
