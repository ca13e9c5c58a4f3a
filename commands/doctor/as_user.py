"""What another account may do with files: asked as that account itself, so that groups, folders above and access lists all count."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portalops.ports import Runner

SECONDS = 10
READ = "-r"
WRITE = "-w"
ENTER = "-x"
"""As test(1) asks."""

_WAYS = {READ: os.R_OK, WRITE: os.W_OK, ENTER: os.X_OK}
_SCRIPT = 'while [ $# -gt 1 ]; do if [ "$1" "$2" ]; then echo yes; else echo no; fi; shift 2; done'


def allowed(runner: Runner, user: str, wanted: Sequence[tuple[str, Path]]) -> tuple[bool, ...] | None:
    """Say of each file whether an account may read, write or enter it; None where that cannot be asked.

    Only root can become somebody else (setpriv(1)), and only the account itself can ask for itself.

    Raises:
        KeyError: there is no such account.
    """
    entry = pwd.getpwnam(user)
    if entry.pw_uid == os.geteuid():
        return tuple(os.access(path, _WAYS[way]) for way, path in wanted)
    if os.geteuid() != 0:
        return None
    become = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups", "--no-new-privs", "--")
    arguments = [text for way, path in wanted for text in (way, str(path))]
    done = runner.run((*become, "sh", "-c", _SCRIPT, "sh", *arguments), timeout_seconds=SECONDS)
    answers = done.stdout.decode("ascii", "replace").split()
    if done.exit_code != 0 or len(answers) != len(wanted):
        return None
    return tuple(answer == "yes" for answer in answers)
