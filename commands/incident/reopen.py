"""Open a closed incident again

Makes a new record; the closing stays. Notes can be added again, and the incident is closed anew.

Example: portalops incident reopen IN-2026-001 --reason 'khóa cũ còn trên db1'

EXIT STATUS: 0 recorded or shown, 2 there is no such incident, or it is open
"""

from __future__ import annotations

import typer

from commands.cli.entries import DryRun, Reason
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.incident.steps import By, IdArgument, find_actor, guarded, step
from commands.incident.views import RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.model.incidents import IncidentReopened
from portalops.model.message import msg
from portalops.registers.incidents import REOPENED, Incident


def reopen(
    ctx: typer.Context, incident: IdArgument, *, reason: Reason, by: By = "", dry_run: DryRun = False
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    why, author = guarded(reason, "--reason"), find_actor(session, by)

    def made(known: Incident) -> IncidentReopened:
        if known.is_open and known.is_state_known:
            raise UsageError(
                msg("{id} is open (record {seq})", id=known.id, seq=known.state_seq),
                msg("'portalops incident note {id}' adds to it.", id=known.id),
            )
        return IncidentReopened(known.id, why, author)

    return step(session, REOPENED, incident, made, None, dry_run=dry_run)


VERB = Verb(reopen, is_strict=True)
