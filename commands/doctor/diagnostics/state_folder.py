"""The ledger can be written, is open to nobody else, and has room."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad
from commands.doctor.places import folder_seen, mode_of
from portalops.config.layers import show_path
from portalops.model.message import msg, nmsg
from portalops.private_folder import open_to_others


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the state folder can be written, and whether it is closed to other accounts."""
    folder = look.session.settings.state_folder
    yield from folder_seen(folder)
    found = tuple(open_to_others(folder))
    if found:
        yield bad(
            "access",
            nmsg(
                "{n} path in {folder} is open to other accounts: {path}, mode {mode}",
                "{n} paths in {folder} are open to other accounts, first {path}, mode {mode}",
                len(found),
                folder=show_path(folder),
                path=show_path(found[0]),
                mode=mode_of(found[0].stat()),
            ),
            msg("Run 'portalops doctor --fix' as the user that portalops runs as."),
        )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
