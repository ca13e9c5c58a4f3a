"""Whose unfinished set it is: a mark that a run leaves beside what it writes, and whether that run is still alive.

A medium far away has no lock that dies with its holder. So what is unfinished there carries the run's process. On the
machine itself that tells the dead from the living at once; anywhere else what was not touched for `DEAD_AFTER` is dead.
"""

from __future__ import annotations

from datetime import timedelta

from portalops.system.marks import is_alive, this_run

__all__ = ["DEAD_AFTER", "is_alive", "this_run"]

DEAD_AFTER = timedelta(hours=24)
"""No pack takes that long, and no source is silent for as long."""
