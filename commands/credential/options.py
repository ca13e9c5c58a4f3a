"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.credentials import LONGEST_DAYS, CredentialKind, fingerprint_in
from portalops.model.message import msg
from portalops.registers.credentials import Body, CredentialRegister

Given = str | None
Fingerprint = Annotated[
    Given, typer.Option(metavar="TEXT", help=_("Of a key or certificate, as 'ssh-keygen -l' prints it: SHA256:..."))
]
RotateBy = Annotated[
    Given,
    typer.Option(
        metavar="DAY",
        help=_(
            "Last day on which it may be used unchanged; at most {password} days for a password, {key} for a key or token,"
            " {certificate} for a certificate"
        ).format_map(LONGEST_DAYS),
    ),
]
On = Annotated[Given, typer.Option("--on", metavar="DAY", help=_("When it happened; today by default"))]
Decide = Callable[[CredentialRegister], tuple[str, str, Body] | None]


def typed_fingerprint(kind: CredentialKind, text: str | None) -> str:
    """Return a fingerprint; empty if none was given.

    Raises:
        UsageError: this kind has none, or it is not of the form; what it is instead is not repeated.
    """
    if not text:
        return ""
    if kind in {CredentialKind.PASSWORD, CredentialKind.TOKEN}:
        raise UsageError(
            msg("no fingerprint of a {kind} is kept: the secret could be guessed from it", kind=kind.value),
            msg("Leave --fingerprint out."),
        )
    found = fingerprint_in(kind, text)
    if found is None:
        raise UsageError(
            msg("--fingerprint does not have the form SHA256:..."),
            msg(
                "'ssh-keygen -l -f FILE.pub' prints it; of a certificate 'openssl x509 -noout -fingerprint -sha256' does."
            ),
        )
    return found
