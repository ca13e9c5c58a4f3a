"""Record that a credential was changed: a new password, key, token or certificate

From then on only its holder and its deputy know it.

Example: portalops credential rotate web1-an --fingerprint SHA256:...

EXIT STATUS: 0 recorded or shown, 2 wrong usage, something looks like a secret, or there is no such credential
"""

from __future__ import annotations

import typer

from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.credential.options import Fingerprint, On, RotateBy, typed_fingerprint
from commands.credential.steps import CredentialStep, last_day, recorded_result
from commands.jobs.credentials import IdArgument, Reason, active, past_day, refuse_extra, typed, typed_id
from portalops.errors import UsageError
from portalops.model.credentials import CredentialRotation
from portalops.model.message import msg
from portalops.registers.credentials import ROTATED, ROTATION, Body, CredentialRegister


def rotate(
    ctx: typer.Context,
    credential: IdArgument,
    *,
    on: On = None,
    rotate_by: RotateBy = None,
    fingerprint: Fingerprint = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> Result[CredentialStep]:
    refuse_extra(ctx)
    session = open_session(ctx)
    name, why, day = typed_id(credential), typed(reason, "--reason", needed=False), past_day(session.today, on, "--on")

    def decide(register: CredentialRegister) -> tuple[str, str, Body]:
        known = active(register, name)
        before = known.credential
        if known.custody_on is not None and day < known.custody_on:
            raise UsageError(
                msg(
                    "the credential was handed over on {day}, after that change: its earlier holder still knows it",
                    day=known.custody_on,
                ),
                msg("Change it now, and record that."),
            )
        if before.rotated_on is not None and day < before.rotated_on:
            raise UsageError(
                msg("the credential was already changed on {day}", day=before.rotated_on),
                msg(
                    "Give the day of the newest change by --on, or correct the entry by 'portalops credential correct'."
                ),
            )
        mark = typed_fingerprint(before.kind, fingerprint)
        if mark and mark == before.fingerprint:
            raise UsageError(
                msg("the fingerprint is that of the present key: nothing was changed"),
                msg("Make a new key first; 'ssh-keygen -l -f FILE.pub' prints its fingerprint."),
            )
        last = last_day(before.kind, day, rotate_by)
        assert last is not None, "of a day that is known"
        return ROTATED, ROTATION, CredentialRotation(name, day, last, mark, why)

    return recorded_result(session, name, decide, dry_run=dry_run)


VERB = Verb(rotate, is_strict=True)
