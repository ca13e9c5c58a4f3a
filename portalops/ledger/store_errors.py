"""What can go wrong with the ledger's file, in words."""

from __future__ import annotations

import os
import resource
import sqlite3
from datetime import datetime
from pathlib import Path

from portalops.errors import (
    ClockJumped,
    ClockWentBack,
    IntegrityError,
    LedgerError,
    LedgerFull,
    LedgerMissing,
    Locked,
    RunAlreadyRecorded,
)
from portalops.ledger.tables import SCHEMA_VERSION
from portalops.model.message import ByteCount, Message, msg
from portalops.model.record import Record

_NEXT_TO_NOTHING = 64 << 10
"""Less space than this counts as a full disk: SQLite's journal of one record does not fit beside it."""

_FILES_OF_A_RECORD = 4
"""A record needs SQLite's journal, its details, and a folder or two for them."""


def clock_went_back(now: datetime, newest: datetime) -> ClockWentBack:
    """Say that the clock is earlier than the newest record."""
    return ClockWentBack(
        msg(
            "the clock shows {now}, earlier than the newest record of {newest}",
            now=now,
            newest=newest,
        ),
        msg(
            "Set the clock right, then run the command again: timedatectl status. If it is right, it had run ahead: portalops ledger mend-clock (docs/stopped.md)."
        ),
    )


def clock_jumped(now: datetime, newest: datetime) -> ClockJumped:
    """Say that the clock is far ahead of the newest record, and nothing vouches for it."""
    return ClockJumped(
        msg(
            "the clock shows {now}, more than a day after the newest record of {newest}, and no time service keeps it",
            now=now,
            newest=newest,
        ),
        msg(
            "Set it right: timedatectl status. If it is right, confirm it with what another clock shows:"
            " portalops ledger confirm-clock YYYY-MM-DDTHH:MM --by NAME."
        ),
    )


def already_recorded(record: Record, error: sqlite3.IntegrityError) -> LedgerError:
    """Say that a run's record is there already, or that the tables refuse it for another cause."""
    if "record_run" in str(error):
        return RunAlreadyRecorded(
            msg("run {run} already has a record of the kind {kind}", run=record.run, kind=record.kind),
            msg("Run 'portalops ledger show --run {run}' to see what it recorded.", run=record.run),
        )
    return LedgerError(
        msg("record {seq} cannot be written: {cause}", seq=record.seq, cause=str(error)),
        msg("Run 'portalops ledger verify'."),
    )


def translated(path: Path, error: sqlite3.Error) -> LedgerError | Locked:
    """Turn the driver's error into ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    text = str(error)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Locked(
            msg("the ledger {path} is locked by another process", path=str(path)),
            msg("Wait until it ends, or find the process: fuser {path}.", path=str(path)),
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}:
        return not_writable(path, text)
    if code == sqlite3.SQLITE_CANTOPEN and _fullness(path.parent):  # the file beside it that SQLite writes to
        return not_writable(path, text)
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_ledger(path)
    if code == sqlite3.SQLITE_CORRUPT:
        return IntegrityError(
            msg("the ledger {path} is damaged: {cause}", path=str(path), cause=text),
            msg("Keep the file as it is, and restore the ledger from the newest backup set into another folder."),
        )
    if code == sqlite3.SQLITE_ERROR:  # our statements are right, so the tables are not
        return IntegrityError(
            msg("the tables of the ledger {path} were changed: {cause}", path=str(path), cause=text),
            msg("Keep the file as it is, and restore the ledger from the newest backup set into another folder."),
        )
    return unreadable(path, text)


def other_version(path: Path, version: object) -> LedgerError:
    """Say that the file is of a version that is not understood."""
    return LedgerError(
        msg(
            "{path} is a ledger of version {version}, not {ours}",
            path=str(path),
            version=str(version)[:20],
            ours=SCHEMA_VERSION,
        ),
        msg("Use the portalops that wrote it, or a newer one."),
    )


def not_upgraded(path: Path, seq: int) -> IntegrityError:
    """Say that a ledger of version 1 is left as it is, since a record's line is not what stands beside it."""
    return IntegrityError(
        msg(
            "the ledger {path} was not upgraded: the columns of record {seq} contradict its line",
            path=str(path),
            seq=seq,
        ),
        msg("Nothing was changed. Run 'portalops ledger verify', and keep everything as it is."),
    )


def unreadable(path: Path, cause: str | Message) -> LedgerError:
    """Say that the file cannot be opened or read."""
    return LedgerError(
        msg("cannot open or read the ledger {path}: {cause}", path=str(path), cause=cause),
        msg("Check the owner of the folder {folder}.", folder=str(path.parent)),
    )


def not_writable(path: Path, cause: str | Message) -> LedgerFull:
    """Say that the file cannot be written; where its disk is full, which SQLite often calls an I/O error, that this is why."""
    full, limit = _fullness(path.parent), resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if (
        full is None
        and limit != resource.RLIM_INFINITY
        and path.exists()
        and path.stat().st_size + _NEXT_TO_NOTHING > limit
    ):
        return LedgerFull(
            msg(
                "cannot write to the ledger {path}: this process may write files up to {limit}",
                path=str(path),
                limit=ByteCount(limit),
            ),
            msg("Raise the limit of the process, such as with: ulimit -f unlimited."),
        )
    return LedgerFull(
        msg("cannot write to the ledger {path}: {cause}", path=str(path), cause=full or cause),
        msg("Check the free space and the owner of the folder {folder}.", folder=str(path.parent)),
    )


def _fullness(folder: Path) -> Message | None:
    """Say of what a folder's disk has none left; None if it has some, or cannot be asked."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    if size and free < _NEXT_TO_NOTHING:
        return msg("its disk is full, {free} of {size} are free", free=ByteCount(free), size=ByteCount(size))
    if disk.f_files and disk.f_favail < _FILES_OF_A_RECORD:
        return msg(
            "its disk has no room for more files, {free} of {size} inodes are free",
            free=disk.f_favail,
            size=disk.f_files,
        )
    return None


def missing(path: Path) -> LedgerMissing:
    """Return the error for a missing ledger."""
    return LedgerMissing(
        msg("there is no ledger at {path}", path=str(path)),
        msg("Run 'portalops run' to create the ledger with its first record."),
    )


def not_a_ledger(path: Path) -> LedgerError:
    """Say that the file is something else."""
    return LedgerError(
        msg("{path} is not a ledger", path=str(path)),
        msg(
            "Check the state folder in the configuration: portalops config show. If it was a ledger, keep the file as it is "
            "and restore the ledger from the newest backup set."
        ),
    )


def not_the_newest(seq: int) -> IntegrityError:
    """Return the error for a newest record that is not the one in the tail."""
    return IntegrityError(
        msg("the newest record {seq} is not the record that was added last", seq=seq),
        msg("Run 'portalops ledger verify', and keep everything as it is. Until then nothing more is recorded."),
    )


def does_not_follow(seq: int) -> IntegrityError:
    """Return the error for a copied line that is not chained to the one before."""
    return IntegrityError(
        msg("record {seq} is not chained to the record before it", seq=seq),
        msg("Nothing was moved. Run 'portalops ledger verify' on the old store."),
    )
