"""A file that only this user can read, for what must not stand among a program's arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backups.sources._settings import cause_of, unavailable
from portalops.model.message import msg
from portalops.system.scratch import scratch_folder


@contextmanager
def private_file(source_id: str, data: bytes) -> Iterator[Path]:
    """Give a file with these bytes, of mode 0600 in a folder of its own; both are gone after the block.

    Raises:
        SourceUnavailable: it cannot be made.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
            path = Path(folder) / "options"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            raise unavailable(
                source_id, msg("cannot write its temporary options file: {cause}", cause=cause_of(error))
            ) from error
        yield path
