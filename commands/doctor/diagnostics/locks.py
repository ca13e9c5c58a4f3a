"""Which locks are held, by whom and for how long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, warning
from portalops.config.layers import show_path
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.system.locks import held_by, holder_of, read_holder

LONG = timedelta(hours=24)
"""Longer than a run takes that is not stuck."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Name each lock that is held; raises OSError if one may not be looked at."""
    folder = look.session.settings.state_folder
    if not folder.is_dir():
        return
    held = 0
    for path in sorted({*folder.glob("*.lock"), *(folder / "locks").glob("*.lock")}):
        path.open("rb").close()  # whoever may not look sees nobody hold it; the error says so instead
        holder = holder_of(path)
        if holder is not None:
            held += 1
            yield _held(path, holder, look.session.clock.now())
    if not held:
        yield good("", msg("no lock is held"))


def _held(path: Path, holder: str, now: datetime) -> DiagnosticLine:
    """Judge a lock that is held: the kernel frees it with its process, so one of the dead is held by a child of that."""
    about, shown = path.stem, show_text(holder, 200) or "?"
    found = read_holder(holder)
    if found is None:
        return note(about, msg("the lock {lock} is held by {holder}", lock=about, holder=shown), _check_lock(path))
    pid, since = found.process, found.since
    if not _is_alive(pid):
        return warning(
            about,
            msg(
                "the lock {lock} is held by what process {pid} left running, which began at {moment} and has ended",
                lock=about,
                pid=pid,
                moment=since,
            ),
            msg("See which process it is and end it: fuser -v {path}", path=show_path(path)),
        )
    seen = held_by(about, found)
    return warning(about, seen, _check_lock(path)) if now - since > LONG else note(about, seen, _check_lock(path))


def _check_lock(path: Path) -> Message:
    return msg("See what it does: fuser -v {path}", path=show_path(path))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
