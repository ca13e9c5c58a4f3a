"""What can go wrong with a ledger in a PostgreSQL database, in words."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import errors as pg

from portalops.errors import IntegrityError, LedgerError, LedgerFull, LedgerMissing, Locked, RunAlreadyRecorded
from portalops.ledger.postgresql_tables import (
    NEEDED,
    NOT_A_RECORD,
    NOT_ERASED,
    NOT_FOLLOWING,
    NOT_ITS_DIGEST,
    OLDEST_SERVER,
    PRUNER,
    SCHEMA,
    SCHEMA_VERSION,
    UNFIT,
    WRITER,
)
from portalops.model.message import msg
from portalops.model.record import Digest, Record
from portalops.model.text import show_text


def translated(place: str, error: psycopg.Error) -> LedgerError | Locked:
    """Turn the driver's error into ours."""
    # Without the lines in which a database says where in a function it was.
    cause = show_text(" ".join((error.diag.message_primary or str(error)).split()), 300)
    if isinstance(error, (pg.DiskFull, pg.ReadOnlySqlTransaction)):
        return LedgerFull(
            msg("cannot write to the ledger {path}: {cause}", path=place, cause=cause),
            msg("Read the database server's log: its disk is full, or it is a read-only standby."),
        )
    if isinstance(error, pg.InsufficientPrivilege):
        return LedgerError(
            msg("this account has no right to do this in the ledger {place}: {cause}", place=place, cause=cause),
            msg("Make the account a member of {role}, or use an account that is a member.", role=WRITER),
        )
    if isinstance(error, (pg.LockNotAvailable, pg.QueryCanceled)):
        return Locked(
            msg("the ledger {path} is locked by another process", path=place),
            msg("Wait until it ends, or find it in pg_stat_activity."),
        )
    if isinstance(error, (pg.UndefinedColumn, pg.UndefinedFunction)):
        return IntegrityError(
            msg("the tables of the ledger {place} lack a part: {cause}", place=place, cause=cause),
            msg(
                "Run 'portalops ledger prepare' as the owner of the database: it completes tables that were made between two releases, and"
                " changes no record. If the fault stays, restore the ledger from the newest backup set into another database."
            ),
        )
    if isinstance(error, (pg.UndefinedTable, pg.DataCorrupted, pg.IndexCorrupted)):
        return IntegrityError(
            msg("the tables of the ledger {place} were changed or are damaged: {cause}", place=place, cause=cause),
            msg("Keep the database as it is, and restore the ledger from the newest backup set into another database."),
        )
    if error.sqlstate == UNFIT:
        return LedgerError(
            msg("the database {place} cannot hold a ledger: {cause}", place=place, cause=cause),
            msg(
                "Create a database in UTF-8 on PostgreSQL {oldest} or newer: createdb --encoding=UTF8 "
                "--template=template0 NAME.",
                oldest=OLDEST_SERVER // 10_000,
            ),
        )
    if error.sqlstate == NOT_A_RECORD:
        return LedgerError(
            msg("the database refuses the record: {cause}", cause=cause),
            msg("Compare this machine's clock with the server's: portalops doctor --deep --only database."),
        )
    if error.sqlstate == NOT_ITS_DIGEST:
        return IntegrityError(
            msg("the database refuses the details: {cause}", cause=cause),
            msg("Run the command again; if it fails again, check this machine's memory and its network."),
        )
    if error.sqlstate in {NOT_ERASED, NEEDED}:
        return LedgerError(
            msg("the database refuses to remove details: {cause}", cause=cause),
            msg("Remove details with 'portalops ledger erase', which records who decided it."),
        )
    if error.sqlstate == NOT_FOLLOWING:
        return IntegrityError(
            msg("the database refuses the record: {cause}", cause=cause),
            msg("Run 'portalops ledger verify', and keep everything as it is. Until then nothing more is recorded."),
        )
    return LedgerError(
        msg("cannot reach or read the ledger {place}: {cause}", place=place, cause=cause),
        msg("Check that the database server is running and can be reached: pg_isready."),
    )


def not_taken(place: str, error: psycopg.Error) -> LedgerError | Locked:
    """Turn the driver's error into ours, where lines of another store are refused behind those that are there."""
    found = translated(place, error)
    if error.sqlstate != NOT_A_RECORD:
        return found
    return LedgerError(
        found.message,
        msg(
            "The database takes what was set aside or mended elsewhere from the owner of its tables alone: run the move once with the"
            " account that ran 'portalops ledger prepare'. Nothing was moved."
        ),
    )


def not_removed(place: str, digest: Digest, error: psycopg.Error) -> LedgerError | Locked:
    """Turn the driver's error into ours, where details are not removed: by whom they can be."""
    found = translated(place, error)
    if isinstance(error, pg.InsufficientPrivilege):
        hint = msg(
            "The erasure is recorded. Make the account a member of {role} too, and run the command again: it removes the details.",
            role=PRUNER,
        )
    elif error.sqlstate == NEEDED:
        hint = msg(
            "The erasure is recorded, and no record that counts needs these details. A database checks no signature, so it removes them for"
            " the owner of its tables alone: {statement} (docs/stopped.md).",
            statement=f"SELECT {SCHEMA}.remove('{digest}');",
        )
    else:
        return found
    return LedgerError(found.message, hint)


def unfit(seq: int) -> LedgerError:
    """Say that a database holds no line that is no record, also one that was set aside."""
    return LedgerError(
        msg("line {seq} is no record, and a database holds records alone", seq=str(seq)),
        msg(
            "The ledger stays where it is, and goes on there: take [ledger.store] out of the configuration again. To move it, restore the"
            " ledger of a backup set from before that line (docs/stopped.md)."
        ),
    )


def other_version(place: str, version: object) -> LedgerError:
    """Say that the tables are of a version that is not understood."""
    return LedgerError(
        msg(
            "{path} is a ledger of version {version}, not {ours}",
            path=place,
            version=str(version)[:20],
            ours=SCHEMA_VERSION,
        ),
        msg("Use the portalops that wrote it, or a newer one."),
    )


def older_version(place: str, version: int) -> LedgerError:
    """Say that the owner has to upgrade the tables before anything is appended."""
    return LedgerError(
        msg(
            "the tables in {path} are of version {version}, not {ours}",
            path=place,
            version=version,
            ours=SCHEMA_VERSION,
        ),
        msg("Run 'portalops ledger prepare' as the owner of the database: it changes no record."),
    )


def missing(place: str) -> LedgerMissing:
    """Return the error for tables without a record."""
    return LedgerMissing(
        msg("there is no ledger in {place}", place=place),
        msg("Run 'portalops run' to create the ledger with its first record."),
    )


def unprepared(place: str) -> LedgerMissing:
    """Return the error for missing tables."""
    return LedgerMissing(
        msg("there is no ledger in {place}", place=place),
        msg("Run 'portalops ledger prepare' as the owner of the database."),
    )


def reading_only(place: str) -> LedgerError:
    """Say that it was opened for reading."""
    return LedgerError(
        msg("the ledger {path} was opened for reading only", path=place),
        msg("Run the command as an account that may add records."),
    )


def already_recorded(records: Sequence[Record], error: pg.UniqueViolation) -> LedgerError:
    """Say that a run's record is there already."""
    runs = sorted({f"{record.run} {record.kind}" for record in records})
    if error.diag.constraint_name == "record_run":
        return RunAlreadyRecorded(
            msg("a record of one of these runs already exists: {runs}", runs=", ".join(runs)),
            msg("Run 'portalops ledger show --run RUN' to see what it recorded."),
        )
    return not_written(records[0].seq, error)


def not_written(seq: int, error: pg.UniqueViolation) -> LedgerError:
    """Say that a record, or one behind it, is there already."""
    return LedgerError(
        msg("record {seq} cannot be written: {cause}", seq=seq, cause=show_text(str(error.diag.message_primary), 200)),
        msg("Run 'portalops ledger verify'."),
    )
