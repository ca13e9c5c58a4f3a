"""Back up now, to all media

Reads every source once, writes one set to all media, and reads each copy back. With backup.full_every the set is
differential once the span has a verified full set.

Example: portalops backup run; portalops backup run --full; portalops backup run --dry-run

EXIT STATUS: 0 complete and verified on every medium, 3 a source, path or medium failed, 4 no set was made, or it could
not be recorded, 5 a copy is damaged or the ledger was changed, 78 configuration
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from commands.backup.steps import planned_run
from commands.backup.views import (
    MAX_LISTED,
    CopyShape,
    MediumHints,
    PlannedRun,
    copies_data,
    copies_table,
    next_for_failed,
    shrink_sentence,
    signed_by,
    signed_sentence,
)
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.backup import backup_work, unrecorded_work
from commands.jobs.performed import ShownJob
from commands.jobs.runner import perform_now
from commands.jobs.standings import describe_change
from portalops.errors import ExitCode, LedgerError, worst
from portalops.ledger.newest import first_change
from portalops.locale import _
from portalops.model.backups import BackupResult, SetKind, Shrink
from portalops.model.runs import JobKind
from portalops.reports.document import Block, Notice, Paragraph, Tone


@shape
class BackupRun(ShownJob):
    """A backup run and what it made."""

    set: str | None
    """The set's name; null if none could be made."""
    signed_by: str | None
    """The fingerprint of the key that signed it; null for an unsigned set."""
    copies: tuple[CopyShape, ...]
    accepted_shrinks: tuple[Shrink, ...]
    """What --accept-shrink let pass."""


def run(
    ctx: typer.Context,
    full: Annotated[
        bool | None,
        typer.Option("--full/--diff", help=_("A full set, or a differential; without it as backup.full_every says")),
    ] = None,
    accept_shrink: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-shrink", metavar="SOURCE", help=_("This source may yield far less than before; recorded")
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[BackupRun | PlannedRun | ShownJob]:
    session = open_session(ctx)
    accepted = tuple(accept_shrink or ())
    kind = None if full is None else SetKind.FULL if full else SetKind.DIFF
    if dry_run:
        return planned_run(session, kind, accept_shrink=accepted)
    hints = MediumHints()
    work, unrecorded = (
        partial(each, set_kind=kind, accept_shrink=accepted, on_error=hints.note)
        for each in (backup_work, unrecorded_work)
    )
    done = perform_now(session, JobKind.BACKUP, work, unrecorded=unrecorded)
    code = worst((done.exit_code, _ledger_code(session)))
    notices: list[Block] = [Notice(problem, Tone.BAD) for problem in done.said[:MAX_LISTED]]
    if not isinstance(done.result, BackupResult):
        return Result(done.shown(), notices, exit_code=code)
    view: list[Block] = [Paragraph(done.summary), copies_table(done.result.copies), *notices]
    view += hints.blocks()
    if done.result.set is not None:
        view += next_for_failed(done.result.copies)
        view.insert(1, Paragraph(signed_sentence(done.result.set.id, done.result.set.signer)))
    data = BackupRun(
        **done.fields(),
        set=done.result.set.id if done.result.set else None,
        signed_by=signed_by(done.result.set.signer) if done.result.set else None,
        copies=copies_data(done.result.copies),
        accepted_shrinks=done.result.accepted_shrinks,
    )
    view += [Paragraph(shrink_sentence(shrink)) for shrink in done.result.accepted_shrinks[:MAX_LISTED]]
    return Result(data, view, exit_code=code)


def _ledger_code(session: Session) -> ExitCode:
    """Warn where the ledger was changed, as a mended clock that counts for nothing does, and return 5 then; else 0."""
    try:
        newest = session.ledger.last_in_order()
        change = first_change(session.ledger, newest.at) if newest is not None else None
    except LedgerError:  # which the job has told already
        return ExitCode.OK
    if change is None:
        return ExitCode.OK
    session.warnings.append(describe_change(change))
    return ExitCode.INTEGRITY


VERB = Verb(run, version=2)  # of --dry-run the reason was a bare sentence
