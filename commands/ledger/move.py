"""Move the ledger to another store, every line and detail unchanged

From the state folder to what [ledger.store] and [ledger.blobs] name (--to store), or back (--to file). The move is
the ledger's next record; the old store takes no more records. Before that the target took every line, also with
--dry-run, which undoes it. Call it again after an interruption. Stop all runs and workers before.

Example: portalops ledger move --to store

EXIT STATUS: 0 moved, 4 the target cannot be written or holds another ledger, 5 what arrived differs from what was
there, 75 a run is at work, 78 the configuration names no store
"""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated

import typer

from commands.cli.ledger_store import kept_as_configured
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import ConfigurationError, LedgerError
from portalops.ledger.heeded import find_time_order, heeds_move
from portalops.ledger.ledger import KeptLedger, Ledger, kept_in
from portalops.ledger.moving import Moved, move, rehearse
from portalops.ledger.selection import Selection
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.registers.writers import WRITER_ADDED
from portalops.reports.document import Block, KeyValues, Notice, Paragraph, Tone


class MoveTarget(StrEnum):
    """Where to."""

    STORE = "store"
    FILE = "file"


@shape
class MovedShape:
    """A move of the ledger from one store to another, or what it would move."""

    from_: str
    to: str
    records: int
    blobs: int | None
    """Details that were copied; null, like all below, where nothing was done."""
    lost: tuple[str, ...] | None
    """Digests of details that were missing."""
    newest: int | None
    """The record of the move."""
    head: str | None
    """SHA-256 of the newest line that was moved."""


def move_ledger(
    ctx: typer.Context,
    *,
    to: Annotated[
        MoveTarget,
        typer.Option(help=_("store: where the configuration says; file: into the state folder")),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be moved, and do nothing"))] = False,
) -> Result[MovedShape]:
    session = open_session(ctx)
    settings = session.settings
    if settings.ledger_store is None and settings.ledger_blobs is None:
        raise ConfigurationError(
            msg("the configuration names no other store for the ledger"),
            msg("Add a table [ledger.store], and run 'portalops ledger prepare'."),
        )
    file = kept_in(settings.state_folder, writable=True)
    store = kept_as_configured(settings, session.environment, writable=True)
    source, target = (file, store) if to is MoveTarget.STORE else (store, file)
    source.records.check()
    if dry_run:
        return _planned(source, target)
    with ExitStack() as locks:
        locks.enter_context(file.locks.held("move", holder=session.holder))
        # Without a store the records, and their locks, are in the state folder before and after.
        if settings.ledger_store is not None:
            locks.enter_context(store.locks.held("move", holder=session.holder))
        return _done(source, target, _moved(session, source, target))


def _moved(session: Session, source: KeptLedger, target: KeptLedger) -> Moved:
    if target.records.place == source.records.place and source.blobs is target.blobs:
        raise LedgerError(msg("the ledger is there already"), msg("See 'portalops ledger show --last 1'."))
    ledger = Ledger(session.settings.state_folder, session.clock, writable=True, kept=source)
    ledger.heeds_move, ledger.find_time_order = heeds_move, find_time_order
    ledger.claimant = session.claimant
    ledger.claimant.is_awaited = next(ledger.records(kinds=(WRITER_ADDED,), limit=1), None) is not None
    target.records.create()
    total = ledger.count()
    with session.progress.task(msg("Moving the ledger"), total=total, unit="items") as task:
        try:
            return move(ledger, source, target, advance=task.advance)
        finally:
            session.claimant.close()


def _planned(source: KeptLedger, target: KeptLedger) -> Result[MovedShape]:
    if source.records.place != target.records.place:
        rehearse(source, target)
    records = source.records.count()
    there = nmsg("{n} record", "{n} records", records)
    said = msg(
        "{records} would go from {source} to {target}",
        records=there,
        source=source.records.place,
        target=target.records.place,
    )
    data = MovedShape(source.records.place, target.records.place, records, None, None, None, None)
    return Result(data, [Paragraph(said)])


def _done(source: KeptLedger, target: KeptLedger, moved: Moved) -> Result[MovedShape]:
    view: list[Block] = [
        KeyValues(
            [
                (msg("From"), source.records.place),
                (msg("To"), target.records.place),
                (msg("Records"), moved.records),
                (msg("Details moved"), moved.blobs),
                (msg("Newest line"), moved.head),
            ]
        )
    ]
    if moved.lost:
        lost = nmsg(
            "{n} detail was missing and was not moved", "{n} details were missing and were not moved", len(moved.lost)
        )
        view.append(Notice(lost, Tone.UNSURE))
    view.append(Paragraph(msg("Run 'portalops ledger verify', then start the schedule again.")))
    newest = next(target.records.records(Selection(newest_first=True, limit=1)))
    return Result(
        MovedShape(
            from_=source.records.place,
            to=target.records.place,
            records=moved.records,
            blobs=moved.blobs,
            lost=tuple(moved.lost),
            newest=newest.seq,
            head=moved.head,
        ),
        view,
    )


VERB = Verb(move_ledger)
