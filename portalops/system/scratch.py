"""Temporary folders: gone after their block, and, if the process is killed, as soon as anybody makes the next one.

What lies in them may be a whole database in clear, or a password. Their names carry the mark of the process that made them,
so that folders of dead processes can be told apart from those of living ones. Those of another boot, or of a container that shares the folder,
cannot be told; they are dead when nothing was made in them for `DEAD_AFTER`.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from portalops.system.marks import is_alive, run_mark

DEAD_AFTER = timedelta(days=7)
"""Longer than any dump or drill takes."""

_NAME = re.compile(r"portalops-([0-9a-f]{12}-[0-9]+-[0-9]+-[0-9]+)-[a-z0-9_]+")


def scratch_folder(place: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """Make a folder for this process alone, of mode 0700, and remove those of processes that were killed.

    Args:
        place: where; the system's folder for temporary files if not given.

    Raises:
        OSError: it cannot be made.
    """
    return tempfile.TemporaryDirectory(prefix=_beginning(), dir=_cleared(place), ignore_cleanup_errors=True)


def kept_scratch_folder(place: Path | None = None) -> Path:
    """As `scratch_folder`, for one who removes it in a way of their own."""
    return Path(tempfile.mkdtemp(prefix=_beginning(), dir=_cleared(place)))


def _beginning() -> str:
    return f"portalops-{run_mark()}-"


def _cleared(place: Path | None) -> Path:
    """Return a folder after what the dead left there was removed, as far as this user may."""
    folder = place or Path(tempfile.gettempdir())
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found and _is_dead(Path(entry.path), found[1]):
                shutil.rmtree(entry.path, ignore_errors=True)
    return folder


def _is_dead(path: Path, mark: str) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        return False
    alive = is_alive(mark)
    return not alive if alive is not None else time.time() - status.st_mtime > DEAD_AFTER.total_seconds()
