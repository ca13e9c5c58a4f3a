"""Record what was found out or done about an incident

Put a long text into a file and give that by --file; it is kept by its digest. What looks like a secret is refused and
not repeated.

Example: portalops incident note IN-2026-001 --text 'đã gỡ khóa cũ khỏi web1' --at 2026-11-26T08:15

EXIT STATUS: 0 recorded or shown, 2 there is no such incident, it is closed, the time is ahead, or the text is too
long or looks like a secret
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, past_moment
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.incident.steps import By, IdArgument, OptionalText, find_actor, guarded, step
from commands.incident.views import RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentNote
from portalops.model.message import msg
from portalops.registers.incidents import NOTED, Incident


def note(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    text: Annotated[str, typer.Option(metavar="TEXT", help=_("What was found out or done"))],
    at: Annotated[
        OptionalText, typer.Option("--at", metavar="MOMENT", help=_("When, such as 2026-11-26T08:15; now by default"))
    ] = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    said, author, moment = guarded(text, "--text"), find_actor(session, by), past_moment(session, at, "--at")

    def made(known: Incident) -> IncidentNote:
        if (closed := known.closed) is not None:
            raise UsageError(
                msg("{id} is closed (record {seq})", id=known.id, seq=closed.seq),
                msg(
                    "To add to it, reopen it by 'portalops incident reopen {id} --reason TEXT', then record this note.",
                    id=known.id,
                ),
            )
        return IncidentNote(known.id, moment, said, author)

    return step(session, NOTED, incident, made, document_in(file), dry_run=dry_run)


VERB = Verb(note, is_strict=True)
