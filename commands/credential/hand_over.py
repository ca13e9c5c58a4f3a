"""Record that a credential went to another holder or deputy, or is kept elsewhere

The earlier holder still knows the secret: change it afterwards, and record that by 'credential rotate'.

Example: portalops credential hand-over web1-root --to tran-thi-binh --place 'Két sắt phòng 204'

EXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential
"""

from __future__ import annotations

from typing import Annotated

import typer

from checks.servers.declared import Declared
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.credential.options import On
from commands.credential.steps import CredentialStep, recorded_result, require_there, require_two
from commands.jobs.credentials import (
    IdArgument,
    Reason,
    active,
    past_day,
    refuse_extra,
    typed,
    typed_id,
    typed_person,
)
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import CredentialHandOver
from portalops.model.message import msg
from portalops.registers.credentials import HAND_OVER, HANDED_OVER, Body, CredentialRegister


def hand_over(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    to: Annotated[str, typer.Option("--to", metavar="MEMBER", help=_("Who holds it from now on"))] = "",
    deputy: Annotated[
        str, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence from now on"))
    ] = "",
    place: Annotated[str, typer.Option(metavar="TEXT", help=_("Where it is kept from now on"))] = "",
    on: On = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result[CredentialStep]:
    refuse_extra(ctx)
    session = open_session(ctx)
    declared, warn = session.settings.declared.parse(Declared), session.warnings.append
    body = CredentialHandOver(
        typed_id(credential),
        past_day(session.today, on, "--on"),
        typed_person(declared, to, "--to", warn=warn, needed=False),
        typed_person(declared, deputy, "--deputy", warn=warn, needed=False),
        typed(place, "--place", needed=False),
        typed(reason, "--reason", needed=False),
    )
    if not (body.holder or body.deputy or body.place):
        raise UsageError(msg("no change is given"), msg("Give --to, --deputy or --place."))

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, body.id).credential
        require_two(body.holder or before.holder, body.deputy)
        require_there(register, session.today, body.holder, body.deputy)
        return HANDED_OVER, HAND_OVER, body

    return recorded_result(session, body.id, decide, dry_run=dry_run)


VERB = Verb(hand_over, is_strict=True)
