"""The stock programs are there that restore a set without portalops."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note
from portalops.model.message import msg

STOCK_PROGRAMS = ("age", "zstd", "tar", "sha256sum")
"""What a restore without portalops takes (RESTORE.en.md in each set)."""


def diagnose(_look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which of the programs are not here."""
    absent = [name for name in STOCK_PROGRAMS if shutil.which(name) is None]
    if absent:
        yield note(
            "",
            msg("not here for restoring without portalops: {programs}", programs=", ".join(absent)),
            msg("Install them where sets are restored: apt install age zstd tar coreutils"),
        )
    else:
        yield good("", msg("age, zstd, tar and sha256sum are here"))


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
