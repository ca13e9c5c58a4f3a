"""Back up now, to all media

Reads every source once, writes one set to all media, and reads each copy back. With backup.full_every it is
differential where there is a verified full set of the span.

Example: portalops backup run; portalops backup run --full; portalops backup run --dry-run

EXIT STATUS: 0 complete and verified on every medium, 3 a source, path or medium failed, 4 no set was made, 5 a copy
is damaged, 78 configuration
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from commands.backup.steps import planned_run
from commands.backup.views import (
    MAX_LISTED,
    MediumHints,
    copies_table,
    copy_data,
    next_for_failed,
    shrink_sentence,
    signed_by,
    signed_sentence,
)
from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.backup import backup_work
from commands.jobs.runner import perform_now
from portalops.locale import _
from portalops.model.backups import BackupResult, SetKind
from portalops.model.runs import JobKind
from portalops.reports.document import Block, Notice, Paragraph, Tone


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
) -> Result[JsonValue]:
    session = open_session(ctx)
    accepted = tuple(accept_shrink or ())
    kind = None if full is None else SetKind.FULL if full else SetKind.DIFF
    if dry_run:
        return planned_run(session, kind)
    hints = MediumHints()
    work = partial(backup_work, set_kind=kind, accept_shrink=accepted, on_error=hints.note)
    done = perform_now(session, JobKind.BACKUP, work)
    notices: list[Block] = [Notice(problem, Tone.BAD) for problem in done.said[:MAX_LISTED]]
    if not isinstance(done.result, BackupResult):
        return Result(done.data(), notices, exit_code=done.exit_code)
    view: list[Block] = [Paragraph(done.summary), copies_table(done.result.copies), *notices]
    view += hints.blocks()
    if done.result.set is not None:
        view += next_for_failed(done.result.copies)
        view.insert(1, Paragraph(signed_sentence(done.result.set.id, done.result.set.signer)))
    data: JsonValue = {
        **_fields(done.data()),
        "set": done.result.set.id if done.result.set else None,
        "signed_by": signed_by(done.result.set.signer) if done.result.set else None,
        "copies": [copy_data(copy) for copy in done.result.copies],
        "accepted_shrinks": [asdict(shrink) for shrink in done.result.accepted_shrinks],
    }
    view += [Paragraph(shrink_sentence(shrink)) for shrink in done.result.accepted_shrinks[:MAX_LISTED]]
    return Result(data, view, exit_code=done.exit_code)


def _fields(data: JsonValue) -> dict[str, JsonValue]:
    return dict(data) if isinstance(data, dict) else {}


VERB = Verb(run)
