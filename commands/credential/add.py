"""Add a credential to the register

The register says who holds the credential, what it opens and where it is kept; never the secret. What looks like a
secret is refused. Holder and deputy are members that the configuration names.

Example: portalops credential add web1-an --system host:web1 --account an --kind key --holder nguyen-van-an --deputy
tran-thi-binh --place 'Két sắt phòng 204' --issued 2026-11-02 --fingerprint SHA256:...

EXIT STATUS: 0 added or shown, 2 wrong usage, something looks like a secret, or the id is in the register already
"""

from __future__ import annotations

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
from portalops.model.credentials import Credential
from portalops.model.message import msg
from portalops.registers.credentials import ADDED, CREDENTIAL, Body, CredentialRegister


def add(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    system: Annotated[
        str,
        typer.Option(
            metavar="KIND:NAME",
            help=_("The system that it opens: host, database, portal, bucket or other, and its name"),
        ),
    ],
    account: Annotated[str, typer.Option(metavar="NAME", help=_("The account that it opens"))],
    kind: Annotated[
        str, typer.Option(metavar="password|key|token|certificate", help=_("password, key, token or certificate"))
    ],
    holder: Annotated[str, typer.Option(metavar="MEMBER", help=_("Who keeps it and answers for it"))],
    deputy: Annotated[str, typer.Option(metavar="MEMBER", help=_("Who has it in the holder's absence"))] = "",
    place: Annotated[str, typer.Option(metavar="TEXT", help=_("Where it is kept"))] = "",
    issued: Annotated[Given, typer.Option(metavar="DAY", help=_("When it was issued"))] = None,
    rotate_by: RotateBy = None,
    mfa: Annotated[bool, typer.Option("--mfa", help=_("It opens nothing without a second factor"))] = False,
    shared: Annotated[bool, typer.Option("--shared", help=_("Several people use the account"))] = False,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
) -> Result[CredentialStep]:
    refuse_extra(ctx)
    session = open_session(ctx)
    declared, warn = session.settings.declared.parse(Declared), session.warnings.append
    chosen = typed_kind(kind)
    made = None if issued is None else past_day(session.today, issued, "--issued")
    body = Credential(
        typed_id(credential),
        typed_system(session.settings.hosts, system),
        typed(account, "--account"),
        chosen,
        typed_person(declared, holder, "--holder", warn=warn),
        typed_person(declared, deputy, "--deputy", warn=warn, needed=False),
        typed(place, "--place", needed=False),
        made,
        made,
        last_day(chosen, made, rotate_by),
        mfa,
        shared,
        typed_fingerprint(chosen, fingerprint),
    )
    require_two(body.holder, body.deputy)

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        before = register.credentials.get(body.id)
        if before is not None and before.is_active:
            raise UsageError(
                msg("credential {id} is in the register already, by record {seq}", id=body.id, seq=before.steps[0].seq),
                msg("Correct it by 'portalops credential correct {id}', or choose an id that is free.", id=body.id),
            )
        require_there(register, session.today, body.holder, body.deputy)
        return ADDED, CREDENTIAL, body

    return recorded_result(session, body.id, decide, dry_run=dry_run)


VERB = Verb(add, is_strict=True)
