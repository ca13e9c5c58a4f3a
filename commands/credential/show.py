"""Show a credential, with every record of it

Example: portalops credential show web1-root

EXIT STATUS: 0 shown, 2 there is no such credential
"""

from __future__ import annotations

from datetime import datetime

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape, widened
from commands.cli.verb import Verb
from commands.credential.views import CredentialShape, credential_data, view_of
from commands.jobs.credentials import IdArgument, held, refuse_extra, typed_id
from portalops.model.message import msg, nmsg
from portalops.registers.credentials import ADDED, CORRECTED, HANDED_OVER, RETURNED, ROTATED, read_credentials
from portalops.reports.document import TableBlock

_KINDS = {
    ADDED: msg("added"),
    CORRECTED: msg("corrected"),
    ROTATED: msg("changed"),
    HANDED_OVER: msg("handed over"),
    RETURNED: msg("returned"),
}


@shape
class CredentialRecord:
    """One record of a credential."""

    id: str
    at: datetime
    kind: str
    """Of the record, such as `credential.rotated`."""
    reason: str | None


@shape
class CredentialHistory(CredentialShape):
    """A credential with its records, oldest first."""

    records: tuple[CredentialRecord, ...]


def show(ctx: typer.Context, credential: IdArgument) -> Result[CredentialHistory]:
    refuse_extra(ctx)
    session = open_session(ctx)
    register, today = read_credentials(session.reader), session.today
    each = held(register, typed_id(credential))
    rows = [
        (step.seq, step.at, _KINDS[step.kind], _read_field(step.body, "holder"), _read_field(step.body, "reason"))
        for step in each.steps
    ]
    headers = (msg("Record"), msg("Recorded on"), msg("What"), msg("Holder"), msg("Reason"))
    records = tuple(
        CredentialRecord(str(step.seq), step.at, step.kind, _read_field(step.body, "reason")) for step in each.steps
    )
    data = widened(CredentialHistory, credential_data(register, each, today), records=records)
    table = TableBlock(nmsg("{n} record", "{n} records", len(rows)), headers, rows)
    return Result(data, [view_of(register, each, today), table])


def _read_field(body: object, name: str) -> str | None:
    return getattr(body, name, "") or None


VERB = Verb(show, is_strict=True)
