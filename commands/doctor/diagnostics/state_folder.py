"""The ledger can be written, by nobody else, and has room."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext
from commands.doctor.places import folder_seen


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the state folder can be written, and by nobody else."""
    yield from folder_seen(look.session.settings.state_folder, private=True)


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
