"""Show an incident: each step, with the record that made it and the digest of its document

Example: portalops incident show IN-2026-001

EXIT STATUS: 0 it was reported in time or has time left, 1 a report is late or missing, or it was closed with open
ends, 2 there is no such incident, 3 a paper is not kept, a report was recorded late, or a record cannot be read
"""

from __future__ import annotations

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.incident.steps import IdArgument, known_incident, register_of
from commands.incident.views import IncidentShape, code_of, incident_data, incident_view
from commands.jobs.credentials import refuse_extra


def show(ctx: typer.Context, incident: IdArgument) -> Result[IncidentShape]:
    refuse_extra(ctx)
    session = open_session(ctx)
    known = known_incident(register_of(session), incident)
    code = code_of(session, [known], is_whole=not known.lost)
    return Result(incident_data(session, known), incident_view(session, known), exit_code=code)


VERB = Verb(show, is_strict=True)
