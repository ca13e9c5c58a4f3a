"""Backups that wait to be recorded: one file a run in the state folder, for times at which the ledger takes no record.

    <state folder>/unrecorded/*.json          one JSON object: `late_backup`, `circumstances`; 0600
    <state folder>/unrecorded/*.unreadable    what was not such a file; it is kept, and named once

Who may write here is the account that records, so such a file says no more than that account could record by itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from portalops import bodies
from portalops.errors import LedgerError
from portalops.files import write_atomically
from portalops.ledger.blobs import MAX_BLOB_BYTES
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.record import GENESIS, NO_RUN, Draft, encode
from portalops.model.late_backups import LATE, LATE_BACKUP, LateBackup
from portalops.model.message import Message, msg, verbatim
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.private_folder import FILE_MODE, OTHERS

FOLDER = "unrecorded"
SUFFIX = ".json"
UNREADABLE = ".unreadable"

LONGEST_UPTIME = 100 * 366 * 24 * 3600
"""Seconds for which no machine runs."""
CLOCKS_APART_SECONDS = 60
"""The kernel's two clocks are read one after the other, and rounded."""

MAX_WAITING = 100
"""Files at most: a daily backup for three months. Beyond that no backup is made before they are recorded."""


@dataclass(frozen=True, slots=True)
class WaitingBackup:
    """A backup that waits to be recorded."""

    path: Path
    late: LateBackup
    circumstances: Circumstances
    """Those under which it was made."""
    digest: Digest
    """SHA-256 of the file."""


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that lies where backups wait, and is none."""

    path: Path
    cause: Message


def new_path(state_folder: Path) -> Path:
    """Return where the next backup waits."""
    return state_folder / FOLDER / f"{secrets.token_hex(8)}{SUFFIX}"


def write_waiting(path: Path, late: LateBackup, circumstances: Circumstances) -> None:
    """Write what waits to be recorded; it survives a power cut.

    Raises:
        FileUnwritable: the folder cannot be written, or the disk is full.
    """
    write_atomically(path, bodies.write({LATE_BACKUP: late, "circumstances": circumstances}), mode=FILE_MODE)


def has_waiting(state_folder: Path) -> bool:
    """Say whether a backup waits to be recorded."""
    return any(_paths(state_folder))


def read_waiting(state_folder: Path) -> tuple[WaitingBackup | UnreadableFile, ...]:
    """Return what waits to be recorded, `MAX_WAITING` files at most, in the order in which it was begun by the clock; what is unreadable stands last."""
    found = [_read(path) for path in _paths(state_folder)[:MAX_WAITING]]
    good = sorted((each for each in found if isinstance(each, WaitingBackup)), key=lambda each: each.late.shown_at)
    return (*good, *(each for each in found if isinstance(each, UnreadableFile)))


def set_aside(file: UnreadableFile) -> Path:
    """Rename an unreadable file, so that it is named once; return its new path, or the old one where that fails."""
    for number in ("", *(f".{each}" for each in range(2, MAX_WAITING))):
        aside = file.path.with_name(f"{file.path.name}{number}{UNREADABLE}")
        with suppress(OSError):
            if not os.path.lexists(aside):
                os.rename(file.path, aside)
                return aside
    return file.path


def subject_of(late: LateBackup) -> str:
    """Return what the record of a late backup is about: the set, or the job that made none."""
    return late.backup.set.id if late.backup and late.backup.set else late.job


def find_flaw(waiting: WaitingBackup, *, up_seconds: int | None) -> Message | None:
    """Return why no record can hold what waits; None if one can.

    Args:
        waiting: as it was read.
        up_seconds: how long the machine has run, if it waits since this boot; None otherwise.
    """
    late = waiting.late
    most = LONGEST_UPTIME if up_seconds is None else up_seconds + CLOCKS_APART_SECONDS
    if not 0 <= late.up_seconds <= most:
        return msg("the machine had not run for {n} seconds", n=show_text(str(late.up_seconds), 40))
    if late.backup and late.backup.set and not _SET_NAME.fullmatch(late.backup.set.id):
        return msg("{id} is not the name of a set", id=repr(show_text(late.backup.set.id, 80)))
    try:
        encode(Draft(LATE, waiting.digest, NO_RUN, subject_of(late), late.duty), seq=1, at=late.shown_at, prev=GENESIS)
    except ValueError:  # also text that no UTF-8 can hold
        return msg("its job or its duty is too long, or holds a character that no record can hold")
    return None


_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A set is a folder of its name on each medium."""


def _paths(state_folder: Path) -> list[Path]:
    try:
        return sorted(
            each for each in (state_folder / FOLDER).iterdir() if each.suffix == SUFFIX and each.name[0] != "."
        )
    except OSError:
        return []


def _read(path: Path) -> WaitingBackup | UnreadableFile:
    try:
        data = _private_bytes(path)
        late = bodies.required_part(data, LATE_BACKUP, LateBackup)
        circumstances = bodies.required_part(data, "circumstances", Circumstances)
    except LedgerError as error:
        return UnreadableFile(path, error.message)
    except OSError as error:
        return UnreadableFile(path, verbatim(error.strerror or str(error)))
    except ValueError as error:
        return UnreadableFile(path, verbatim(str(error)))
    return WaitingBackup(path, late, circumstances, Digest(hashlib.sha256(data).hexdigest()))


def _private_bytes(path: Path) -> bytes:
    """Return a file's bytes, if it is a regular file that none but this account could write."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & OTHERS:
            raise _refused(msg("it is no file of this account alone"))
        if status.st_size > MAX_BLOB_BYTES:
            raise _refused(msg("it has {n} bytes, more than a record's details may have", n=status.st_size))
        return file.read(MAX_BLOB_BYTES)


def _refused(cause: Message) -> LedgerError:
    return LedgerError(cause, msg("Move the file away."))
