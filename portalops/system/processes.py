"""Which programs run on this machine."""

from __future__ import annotations

from collections.abc import Collection

import psutil


def is_running(names: Collection[str]) -> bool | None:
    """Say whether a process has one of the names; None where processes cannot be listed."""
    try:
        return any(process.info["name"] in names for process in psutil.process_iter(["name"]))
    except (psutil.Error, OSError):
        return None
