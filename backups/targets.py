"""Where a restore may write: nowhere near what is alive. Nothing is written here.

A restore makes new files only, and still does harm in the wrong place: below a web root it publishes what it brings back,
inside a source it is backed up again, and a database server trips over strange files in its data folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from portalops.errors import UnsafeTarget
from portalops.model.message import Message, msg

SERVERS: Mapping[str, str] = {
    "PG_VERSION": "PostgreSQL",
    "ibdata1": "MariaDB / MySQL",
    "aria_log_control": "MariaDB",
    "mysql.ibd": "MySQL",
    "data.mdb": "OpenLDAP",
    "cn=config.ldif": "OpenLDAP",
    "WiredTiger": "MongoDB",
    "master.mdf": "SQL Server",
}
"""What lies at the top of a server's data, and whose it is."""

_HINT = msg("Restore into a new folder elsewhere, check the files there, and move what you need by hand.")


def require_no_server(target: Path) -> None:
    """Make sure that a folder lies in no data folder of a database server, whether the server runs or not.

    Raises:
        UnsafeTarget: it does, or cannot be looked at.
    """
    place = _real(target)
    for folder in (place, *place.parents):
        for name, server in SERVERS.items():
            if os.path.lexists(folder / name):
                raise UnsafeTarget(
                    msg(
                        "{target} is inside {folder}, which holds the data of {server}",
                        target=str(target),
                        folder=str(folder),
                        server=server,
                    ),
                    msg(
                        "Restore into a new folder elsewhere. The guide in the set describes how to load it into "
                        "another database."
                    ),
                )


def require_apart(target: Path, live: Iterable[tuple[Message, Path]]) -> None:
    """Make sure that a folder lies in none of some others.

    The top of the file system is no such place: a machine that is backed up whole could be restored nowhere on it.

    Args:
        target: to be restored into; need not be there.
        live: what each folder is, and where.

    Raises:
        UnsafeTarget: it does, or cannot be looked at.
    """
    place = _real(target)
    for what, folder in live:
        if _leads_nowhere(folder):
            continue
        there = _real(folder)
        if there != Path(there.anchor) and place.is_relative_to(there):
            raise UnsafeTarget(
                msg("{target} is inside {folder}: {what}", target=str(target), folder=str(folder), what=what), _HINT
            )


def _leads_nowhere(path: Path) -> bool:
    """Say whether links lead in a circle: nothing can lie in such a folder."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _real(path: Path) -> Path:
    """Return where a path leads to, as far as it is there."""
    try:
        place = path.resolve()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            place.stat()  # from Python 3.13 on, resolve() leaves a circle of links as it is
    except (OSError, RuntimeError) as error:  # before, it says RuntimeError of one
        cause = error.strerror or "" if isinstance(error, OSError) and error.errno != errno.ELOOP else ""
        cause = cause or "its links lead in a circle"
        raise UnsafeTarget(
            msg("cannot read {folder}: {cause}", folder=str(path), cause=cause.lower()),
            msg("Name a folder that you may write to."),
        ) from error
    return place
