"""Files that are whole or not there: written beside their place, synced, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from portalops.errors import FileUnwritable
from portalops.model.message import msg


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old file or the whole new one.

    Raises:
        FileUnwritable: the folder is missing, the disk is full, or access is refused.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
        sync_folder(path.parent)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise unwritable(path, error) from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: OSError) -> FileUnwritable:
    """Say that a file cannot be written, and what the system says of it."""
    return FileUnwritable(
        msg("cannot write {path}: {cause}", path=str(path), cause=error.strerror or str(error)),
        msg("Check the free space and the owner of the folder {folder}.", folder=str(path.parent)),
    )
