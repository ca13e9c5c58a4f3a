"""Record that the Committee approved a change

The time of this record counts, not the day on the document: record the approval before the change is begun. Keep the
decision itself by --file; without it the check change.order is unknown. Record the same document again with --file to
add it. An emergency that was already begun is regularised by its approval.

Example: portalops change approve CH-2026-001 --document '512/UBND-VX' --on 2026-11-24 --by 'Ủy ban nhân dân tỉnh'
--file 512-UBND-VX.pdf

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it was not notified, it was begun before, the day is
ahead, or the file cannot be read
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.change.options import IdArgument
from commands.change.steps import permitted, step
from commands.change.views import RecordedChangeShape
from commands.cli.entries import DocumentFile, DryRun, document_in, past_day, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.locale import _
from portalops.model.changes import ChangeApproval
from portalops.registers.changes import APPROVED, refuse_approval


def approve(
    ctx: typer.Context,
    change: IdArgument,
    *,
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number of the Committee's decision"))],
    on: Annotated[str, typer.Option(metavar="DAY", help=_("The day on the document, such as 2026-11-24"))],
    by: Annotated[str, typer.Option(metavar="NAME", help=_("Who signed it"))],
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    approval = ChangeApproval(
        change, written_text(document, "--document"), past_day(session, on, "--on"), written_text(by, "--by")
    )
    return step(
        session,
        APPROVED,
        change,
        permitted(approval, lambda known: refuse_approval(known, approval)),
        data=document_in(file),
        dry_run=dry_run,
    )


VERB = Verb(approve)
