"""Two different keys open the backup sets, no private one lies here, and the signing key is its owner's alone."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, refused, warning
from commands.doctor.places import private_seen
from portalops.config.keys import private_half
from portalops.config.layers import show_path
from portalops.errors import ConfigurationError
from portalops.model.message import msg, nmsg


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say how many keys open the sets, and which private ones lie here."""
    settings = look.session.settings
    public: set[str] = set()
    for setting in settings.backup.recipient_settings:
        try:
            public.add(setting.read().public_key)
        except ConfigurationError as error:
            yield refused(setting.name, error)
        if setting.file is None or setting.file.suffix != ".pub" or not private_half(setting.file).exists():
            continue
        private = private_half(setting.file)
        yield warning(
            setting.name,
            msg("the private key of {name} lies on this machine: {path}", name=setting.name, path=show_path(private)),
            msg(
                "Copy it to two USB sticks or paper, keep them apart, then run 'shred -u {path}'.",
                path=show_path(private),
            ),
        )
        yield from private_seen(private, setting.name)
    if len(public) >= 2:
        yield good("", nmsg("{n} key opens the sets", "{n} keys open the sets", len(public)))
    else:
        yield bad(
            "",
            nmsg(
                "{n} key opens the sets, and two are needed", "{n} keys open the sets, and two are needed", len(public)
            ),
            msg("Name the operator's key and the escrow key in backup.recipients; 'portalops init --keys' makes them."),
        )
    if settings.signing_key is not None and settings.signing_key.exists():
        yield from private_seen(settings.signing_key, "signing")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
