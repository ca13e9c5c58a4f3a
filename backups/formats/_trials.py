"""What trials of dumps share."""

from __future__ import annotations

import signal
from pathlib import Path

from portalops.errors import BackupError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.ports import Completed


def counts(tables: int, rows: int) -> str:
    """Return how much of a database was asked.

    >>> counts(1, 120344)
    '1 table, 120344 rows'
    """
    return f"{nmsg('{n} table', '{n} tables', tables)}, {nmsg('{n} row', '{n} rows', rows)}"


def was_stopped(done: Completed) -> bool:
    """Say whether a program was ended from outside, at its deadline or the limit of its output: it says nothing of the dump."""
    return done.truncated or done.exit_code in {124, -signal.SIGKILL, -signal.SIGTERM}


def not_readable(what: Message) -> Message:
    """Say that this user may not read what was restored: with which rights a drill runs is no fault of the copy."""
    return msg("the user of the drill may not read what was restored: {what}", what=what)


def require_readable(path: Path) -> None:
    """Require that this user may read a restored file.

    Raises:
        BackupError: it may not.
    """
    try:
        with path.open("rb"):
            return
    except PermissionError as error:
        raise BackupError(
            not_readable(msg("{path}: {cause}", path=path.name, cause=cause_of(error))),
            msg("Run the drill as an ordinary user, or as root with CAP_DAC_OVERRIDE."),
        ) from error
    except OSError:
        return  # what is wrong with it is found by reading it


def cannot_try(program: str, done: Completed, *, package: str) -> BackupError:
    """Return the error of a trial that says nothing of the dump: a program is missing or does not run here."""
    said = show_text(" ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())[-300:], 300)
    if done.exit_code == 124:
        said = f"it did not end in time; {said}" if said else "it did not end in time"
    return BackupError(
        msg(
            "the restored dump cannot be tested here: {program} ended with exit code {exit_code}: {said}",
            program=program,
            exit_code=done.exit_code,
            said=said or "-",
        ),
        msg(
            "Install {package} on this machine, and let the test user read and write the scratch folder.",
            package=package,
        ),
    )
