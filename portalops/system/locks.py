"""Locks that the kernel frees when their holder dies: flock on a file that names the holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portalops.errors import Locked
from portalops.model.message import msg


@contextmanager
def locked(path: Path, *, holder: str) -> Iterator[None]:
    """Hold a resource's lock for as long as the block runs.

    Args:
        path: the lock file; it stays, empty of meaning, after the block.
        holder: who holds it and since when, for the person who is refused.

    Raises:
        Locked: another process holds it; the message says who.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "?"
            raise Locked(
                msg("{lock} is held by {holder}", lock=path.stem, holder=other),
                msg("Wait until it has ended, or see what it does: ps -fp PID."),
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> str | None:
    """Return what the holder of a lock says of itself, or None if nobody holds it or it cannot be found out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)
    return None
