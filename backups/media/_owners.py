"""Whose unfinished set it is: a mark that a run leaves beside what it writes, and whether that run is still alive.

A medium far away has no lock that dies with its holder. So what is unfinished there carries the run's process. On the
machine itself that tells the dead from the living at once; anywhere else what was not touched for `DEAD_AFTER` is dead.

What this process itself began and let go of is dead too, so it notes what it is writing.
"""

from __future__ import annotations

from datetime import timedelta

from portalops.system.marks import is_alive, run_mark

__all__ = ["DEAD_AFTER", "is_alive", "is_written", "note_written", "run_mark"]

DEAD_AFTER = timedelta(hours=24)
"""No pack takes that long, and no source is silent for as long."""

_written: set[str] = set()
"""The places that this process writes now; one step of a set each, so threads need no lock."""


def note_written(place: str, *, is_over: bool = False) -> None:
    """Note that this process writes a place, or does not any more.

    Args:
        place: unlike any other place on any medium, and ending with `@` and this run's mark.
        is_over: it is written no more.
    """
    if is_over:
        _written.discard(place)
    else:
        _written.add(place)


def is_written(place: str) -> bool | None:
    """Say whether a place is still written by the run whose mark ends it; None if that cannot be seen from here."""
    run = place.rpartition("@")[2]
    return place in _written if run == run_mark() else is_alive(run)
