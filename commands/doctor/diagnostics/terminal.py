"""Vietnamese can be shown."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note
from portalops.model.message import msg


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the locale of whoever asks shows Vietnamese."""
    environment = look.session.environment
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    if "utf" in locale.lower():
        yield good("", msg("the locale is {locale}", locale=locale[:40]))
    else:
        yield note(
            "",
            msg("the locale is {locale}, which may not show Vietnamese", locale=locale[:40] or "C"),
            msg("Run 'export LC_ALL=C.UTF-8'."),
        )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
