"""Which programs run on this machine, and ending one with all that it started."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

import psutil

MARK = "PORTALOPS_STARTED"
"""A variable of the environment; what a program starts inherits it, also in a session of its own and behind its parent's end."""


def is_running(names: Collection[str]) -> bool | None:
    """Say whether a process has one of the names; None where processes cannot be listed."""
    try:
        return any(process.info["name"] in names for process in psutil.process_iter(["name"]))
    except (psutil.Error, OSError):
        return None


def end_with_all(pid: int, mark: str, grace_seconds: float) -> None:
    """End a program and all that it started, also what left its session or lost its parent.

    Args:
        pid: the program's, which leads its own group.
        mark: the value of `MARK` in its environment, which no other program has.
        grace_seconds: how long it may take to stop in order, before it is killed.
    """
    found = _family(pid, mark)
    for process in found:
        with suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(found, grace_seconds)
    for process in {*found, *_family(pid, mark)}:  # what was started meanwhile too
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, grace_seconds)


def _family(pid: int, mark: str) -> list[psutil.Process]:
    """Return a program that leads its group, those below it or in its group, and those that have its mark."""
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        found += [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == pid or process.environ().get(MARK) == mark:
                found.append(process)
    return list(dict.fromkeys(found))
