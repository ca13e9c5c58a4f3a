"""Record that the Department was notified of a change

Keep the letter itself by --file; without it the duty 12.2-notice is unknown. Record the same letter again with --file
to add it.

Example: portalops change notify CH-2026-001 --document '85/TTTT, 20/11/2026' --sent 2026-11-20T09:00 --how 'văn bản
điện tử' --to 'Sở Khoa học và Công nghệ' --file cong-van.pdf

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it is past this step, the time is ahead, or the file
cannot be read
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.change.options import IdArgument
from commands.change.steps import permitted, step
from commands.change.views import RecordedChangeShape
from commands.cli.entries import DocumentFile, DryRun, document_in, past_moment, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.locale import _
from portalops.model.changes import ChangeNotice
from portalops.registers.changes import NOTIFIED, refuse_notice


def notify(
    ctx: typer.Context,
    change: IdArgument,
    *,
    document: Annotated[str, typer.Option(metavar="TEXT", help=_("Number and date of the letter"))],
    sent: Annotated[str, typer.Option(metavar="MOMENT", help=_("When it was sent, such as 2026-11-20T09:00"))],
    how: Annotated[str, typer.Option(metavar="TEXT", help=_("How it was sent"))],
    to: Annotated[str, typer.Option(metavar="NAME", help=_("To whom"))],
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    notice = ChangeNotice(
        change,
        written_text(document, "--document"),
        past_moment(session, sent, "--sent"),
        written_text(how, "--how"),
        written_text(to, "--to"),
    )
    return step(
        session,
        NOTIFIED,
        change,
        permitted(notice, lambda known: refuse_notice(known, notice)),
        data=document_in(file),
        dry_run=dry_run,
    )


VERB = Verb(notify)
