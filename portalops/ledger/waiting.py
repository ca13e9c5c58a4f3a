"""Backups that wait to be recorded: one file a run in the state folder, for times at which the ledger takes no record.

    <state folder>/unrecorded/*.json          one JSON object: `late_backup`, `circumstances`; 0600
    <state folder>/unrecorded/*.unreadable    what was not such a file; it is kept, and named once

Who may write here is the account that records, so such a file says no more than that account could record by itself.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from portalops import bodies
from portalops.errors import LedgerError
from portalops.files import write_atomically
from portalops.ledger.blobs import MAX_BLOB_BYTES
from portalops.ledger.circumstances import Circumstances
from portalops.model.late_backups import LATE_BACKUP, LateBackup
from portalops.model.message import Message, msg, verbatim
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.private_folder import FILE_MODE, OTHERS

FOLDER = "unrecorded"
SUFFIX = ".json"
UNREADABLE = ".unreadable"

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
    aside = file.path.with_name(f"{file.path.name}{UNREADABLE}")
    with suppress(OSError):
        if not aside.exists():
            os.rename(file.path, aside)
            return aside
    return file.path


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
