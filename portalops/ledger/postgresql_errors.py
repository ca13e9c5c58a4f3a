"""What can go wrong with a ledger in a PostgreSQL database, in words."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import errors as pg

from portalops.errors import IntegrityError, LedgerError, LedgerFull, LedgerMissing, Locked, RunAlreadyRecorded
from portalops.ledger.postgresql_tables import SCHEMA_VERSION, UNFIT, WRITER
from portalops.model.message import Message, msg
from portalops.model.record import Record
from portalops.model.text import show_text


def translated(place: str, error: psycopg.Error) -> LedgerError | Locked:
    """Turn the driver's error into ours."""
    cause = show_text(" ".join(str(error).split()), 300)
    if isinstance(error, (pg.DiskFull, pg.ReadOnlySqlTransaction)):
        return LedgerFull(
            msg("cannot write to the ledger {path}: {cause}", path=place, cause=cause),
            msg("See the server's log: its disk is full, or it is a standby that only reads."),
        )
    if isinstance(error, pg.InsufficientPrivilege):
        return LedgerError(
            msg("the ledger {place} may not be used so by this account: {cause}", place=place, cause=cause),
            msg("Make the account a member of {role}, or run the command as a member.", role=WRITER),
        )
    if isinstance(error, (pg.LockNotAvailable, pg.QueryCanceled)):
        return Locked(
            msg("the ledger {path} is kept busy by another process", path=place),
            msg("Wait until it has ended, or see which it is in pg_stat_activity."),
        )
    if isinstance(
        error, (pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedFunction, pg.DataCorrupted, pg.IndexCorrupted)
    ):
        return IntegrityError(
            msg("the tables of the ledger {place} were changed or are damaged: {cause}", place=place, cause=cause),
            msg("Keep the database as it is, and restore the ledger from the newest backup set beside it."),
        )
    if getattr(error, "sqlstate", None) == UNFIT:
        return LedgerError(
            msg("the database {place} cannot hold a ledger: {cause}", place=place, cause=cause),
            msg("Make one in UTF-8 on PostgreSQL 13 or newer: createdb --encoding=UTF8 --template=template0 NAME."),
        )
    if getattr(error, "sqlstate", None) == "PO001":
        return IntegrityError(
            msg("the database refuses the record: {cause}", cause=cause),
            msg("Nothing more is recorded. Run 'portalops ledger verify', and keep everything as it is."),
        )
    return LedgerError(
        msg("cannot reach or read the ledger {place}: {cause}", place=place, cause=cause),
        msg("Check that the server runs and can be reached: pg_isready."),
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


def too_many_rights(account: str, excess: Sequence[str]) -> tuple[Message, Message]:
    """Say that an account could change what is recorded, and what to do."""
    return (
        msg(
            "the database account {account} could change or delete records: {rights}",
            account=show_text(account, 60),
            rights=", ".join(excess),
        ),
        msg("Let portalops log in as an account that is a member of {role} and nothing else.", role=WRITER),
    )


def missing(place: str) -> LedgerMissing:
    """Say that there is no ledger."""
    return LedgerMissing(
        msg("there is no ledger in {place}", place=place),
        msg("Run 'portalops ledger prepare' as the owner of the database."),
    )


def reading_only(place: str) -> LedgerError:
    """Say that it was opened for reading."""
    return LedgerError(
        msg("the ledger {path} was opened for reading only", path=place),
        msg("Run the command as an account that may append."),
    )


def already_recorded(records: Sequence[Record], error: pg.UniqueViolation) -> LedgerError:
    """Say that a run's record is there already."""
    runs = sorted({f"{record.run} {record.kind}" for record in records})
    if error.diag.constraint_name == "record_run":
        return RunAlreadyRecorded(
            msg("one of the runs has left its record before: {runs}", runs=", ".join(runs)),
            msg("Run 'portalops ledger show --run RUN' to see what it recorded."),
        )
    return LedgerError(
        msg("record {seq} cannot be written: {cause}", seq=records[0].seq, cause=show_text(str(error), 200)),
        msg("Run 'portalops ledger verify'."),
    )
