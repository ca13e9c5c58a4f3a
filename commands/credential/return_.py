"""Record that a credential was returned and opens nothing any more

Lock the account or remove the key first; 'credential audit' shows whether it is still there.

Example: portalops credential return web1-an --received-by 'Trần Thị Bình' --reason 'left the unit'

EXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.credential.options import On
from commands.credential.steps import CredentialStep, recorded_result
from commands.jobs.credentials import IdArgument, Reason, active, past_day, refuse_extra, typed, typed_id
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import CredentialReturn
from portalops.model.message import msg
from portalops.registers.credentials import RETURN, RETURNED, Body, CredentialRegister


def return_(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    received_by: Annotated[
        str,
        typer.Option(
            "--received-by", metavar="NAME", help=_("Who took it back and made sure that the access is closed")
        ),
    ],
    on: On = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result[CredentialStep]:
    refuse_extra(ctx)
    session = open_session(ctx)
    body = CredentialReturn(
        typed_id(credential),
        past_day(session.today, on, "--on"),
        typed(received_by, "--received-by"),
        typed(reason, "--reason", needed=False),
    )

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, body.id).credential
        if before.issued_on is not None and body.on < before.issued_on:
            raise UsageError(
                msg("the credential was issued on {day}, after that day", day=before.issued_on),
                msg("Give the right day by --on."),
            )
        return RETURNED, RETURN, body

    return recorded_result(session, body.id, decide, dry_run=dry_run)


VERB = Verb(return_, is_strict=True)
