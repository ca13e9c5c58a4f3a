"""Locks that the kernel frees when their holder dies: flock on a file that names the holder."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from portalops.errors import FileUnwritable, Locked
from portalops.files import unwritable
from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.private_folder import make_private_folder

_PROCESS = re.compile(r"process (?P<pid>\d{1,10}) since (?P<since>[\dT:+-]{19,32})(?: for (?P<job>\S{1,64}))?")
_RETRY_SECONDS = 0.2
_LOOKERS_SECONDS = 0.1
"""The shortest time that a lock is tried: reading its holder (`holder_of`) takes it for a moment too."""
_LOOKERS_TURN_SECONDS = 0.002


@contextmanager
def locked(path: Path, *, holder: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold a resource's lock for as long as the block runs.

    Args:
        path: the lock file; it stays, empty of meaning, after the block.
        holder: who holds it and since when, for the person who is refused.
        wait_seconds: how long to wait for another process to free it.

    Raises:
        Locked: another process holds it; the message says who.
        FileUnwritable: the lock file cannot be made or written: no right to, or no room.
    """
    try:
        make_private_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        _take(path, descriptor, wait_seconds)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        except OSError as error:
            raise unwritable(path, error) from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_to_read(path: Path, *, holder: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold a resource's lock for a block that changes nothing; also where its file cannot be written.

    There it is held beside others who only read; where there is no file, nobody holds the lock.

    Raises:
        Locked: another process holds it; the message says who.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, holder=holder, wait_seconds=wait_seconds))
        except FileUnwritable:
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                _take(path, descriptor, wait_seconds, fcntl.LOCK_SH)
        yield


def _take(path: Path, descriptor: int, wait_seconds: float, mode: int = fcntl.LOCK_EX) -> None:
    began = time.monotonic()
    until = began + max(wait_seconds, _LOOKERS_SECONDS)
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            now = time.monotonic()
            if now >= until:
                raise _refused(path, _read(descriptor)) from error
            pause = _LOOKERS_TURN_SECONDS if now < began + _LOOKERS_SECONDS else _RETRY_SECONDS
            time.sleep(min(until - now, pause))
        else:
            return


def holder_of(path: Path) -> str | None:
    """Return what the holder of a lock says of itself, or None if nobody holds it or it cannot be found out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def describe_process(now: datetime, job: str = "") -> str:
    """Return what this process says of itself as a holder from a moment on; with the job that it does."""
    said = f"process {os.getpid()} since {now.isoformat(timespec='seconds')}"
    return f"{said} for {job}" if job else said


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a lock, as `describe_process` writes it."""

    process: int
    since: datetime
    job: str
    """Empty for none."""


def read_holder(said: str) -> LockHolder | None:
    """Return who holds a lock, from what `holder_of` gave; None for a holder of another kind, such as a run."""
    found = _PROCESS.fullmatch(said)
    if found is None:
        return None
    return LockHolder(int(found["pid"]), datetime.fromisoformat(found["since"]), found["job"] or "")


def held_by(lock: str, holder: LockHolder) -> Message:
    """Say who holds a lock, and since when."""
    pid, since = holder.process, holder.since
    if not holder.job:
        return msg("the lock {lock} is held by process {pid}, since {moment}", lock=lock, pid=pid, moment=since)
    return msg(
        "the lock {lock} is held by job {job}, process {pid}, since {moment}",
        lock=lock,
        job=holder.job,
        pid=pid,
        moment=since,
    )


def _read(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()


def _refused(path: Path, holder: str) -> Locked:
    found = read_holder(holder)
    if found is not None:
        return Locked(
            held_by(path.stem, found),
            msg("Wait until it ends, or see what it is doing: ps -fp {pid}.", pid=found.process),
        )
    return Locked(
        msg("the lock {lock} is held by {holder}", lock=path.stem, holder=holder or "?"),
        msg("Wait until it ends, or find the process: fuser -v {path}.", path=str(path)),
    )
