"""Correct what the register says of a credential

Makes a new record; the earlier one stays. What is not given stays as it was. A later event is no correction: record
it by 'rotate', 'hand-over' or 'return'. Each recorded holder and deputy counts as knowing the secret until it is
changed, also after a correction.

Example: portalops credential correct web1-an --place 'Két sắt phòng 206' --reason 'wrong room'

EXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from checks.servers.declared import Declared
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.credential.options import Fingerprint, Given, RotateBy, typed_fingerprint
from commands.credential.steps import CredentialStep, last_day, recorded_result, require_there, require_two
from commands.jobs.credentials import (
    IdArgument,
    Reason,
    active,
    past_day,
    refuse_extra,
    typed,
    typed_id,
    typed_kind,
    typed_person,
    typed_system,
)
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import is_fingerprint
from portalops.model.message import msg
from portalops.registers.credentials import CORRECTED, CREDENTIAL, Body, CredentialRegister


def correct(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    reason: Reason,
    system: Annotated[Given, typer.Option(metavar="KIND:NAME", help=_("The system that it opens"))] = None,
    account: Annotated[Given, typer.Option(metavar="NAME", help=_("The account that it opens"))] = None,
    kind: Annotated[
        Given, typer.Option(metavar="password|key|token|certificate", help=_("password, key, token or certificate"))
    ] = None,
    holder: Annotated[Given, typer.Option(metavar="MEMBER", help=_("Who keeps it and answers for it"))] = None,
    deputy: Annotated[Given, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence"))] = None,
    place: Annotated[Given, typer.Option(metavar="TEXT", help=_("Where it is kept"))] = None,
    issued: Annotated[Given, typer.Option(metavar="DAY", help=_("When it was issued"))] = None,
    rotate_by: RotateBy = None,
    mfa: Annotated[
        bool | None, typer.Option("--mfa/--no-mfa", help=_("It opens nothing without a second factor"))
    ] = None,
    shared: Annotated[
        bool | None, typer.Option("--shared/--personal", help=_("Several people use the account"))
    ] = None,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
) -> Result[CredentialStep]:
    refuse_extra(ctx)
    session = open_session(ctx)
    declared, warn = session.settings.declared.parse(Declared), session.warnings.append
    name, why = typed_id(credential), typed(reason, "--reason")
    issued_on = None if issued is None else past_day(session.today, issued, "--issued")
    given: dict[str, object] = {
        "system": None if system is None else typed_system(session.settings.hosts, system),
        "account": None if account is None else typed(account, "--account"),
        "kind": None if kind is None else typed_kind(kind),
        "holder": None if holder is None else typed_person(declared, holder, "--holder", warn=warn),
        "deputy": None if deputy is None else typed_person(declared, deputy, "--deputy", warn=warn, needed=False),
        "place": None if place is None else typed(place, "--place", needed=False),
        "issued_on": issued_on,
        "mfa": mfa,
        "shared": shared,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes and rotate_by is None and fingerprint is None:
        raise UsageError(msg("no change is given"), msg("Give what was wrong, such as --place."))

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = active(register, name).credential
        body = replace(before, **changes, reason=why)  # type: ignore[arg-type]  # each is of its field's type
        if issued_on is not None and (before.rotated_on is None or before.rotated_on == before.issued_on):
            body = replace(body, rotated_on=issued_on)
        is_later = rotate_by is not None or body.kind is not before.kind or body.rotated_on != before.rotated_on
        if is_later:
            body = replace(body, rotate_by=last_day(body.kind, body.rotated_on, rotate_by))
        if fingerprint is not None:
            body = replace(body, fingerprint=typed_fingerprint(body.kind, fingerprint))
        elif not is_fingerprint(body.kind, before.fingerprint):  # it is that of another kind
            body = replace(body, fingerprint="")
        require_two(body.holder, body.deputy)
        require_there(register, session.today, *(one for one in (changes.get("holder"), changes.get("deputy")) if one))
        if body.issued_on is not None and body.rotated_on is not None and body.rotated_on < body.issued_on:
            raise UsageError(
                msg("the secret was changed on {day}, before that day of issue", day=body.rotated_on),
                msg("Give the right day by --issued."),
            )
        return CORRECTED, CREDENTIAL, body

    return recorded_result(session, name, decide, dry_run=dry_run)


VERB = Verb(correct, is_strict=True)
