"""Whether the machine's clock was set since a run looked last: jobs may have been passed over by it, or come due too soon.

What a clock means that is behind the newest record, or far ahead of it, is told by the ledger, which then takes no record.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portalops.errors import FileUnwritable
from portalops.files import write_atomically
from portalops.model.message import Message, msg
from portalops.ports import Clock
from portalops.private_folder import FILE_MODE
from portalops.system.clock import BootMark, SystemClock, boot_mark, step_between

if TYPE_CHECKING:
    from pathlib import Path

    from portalops.ledger.circumstances import Surroundings

logger = logging.getLogger(__name__)

BOOTED_AT = "booted-at"
"""In the state folder: which boot a run saw last, and when it was by the clock."""


def clock_step(state_folder: Path, clock: Clock) -> timedelta | None:
    """Return by how much the clock was set since the last look, if it was; None also for the first look after a boot."""
    before, now = _noted(state_folder), present_mark(clock)
    return step_between(before, now) if before is not None and now is not None else None


def is_kept(state_folder: Path, clock: Clock, surroundings: Surroundings) -> bool:
    """Say whether something vouches for a clock: a time service, or the time since the boot that a run noted.

    A clock that is not the machine's is not judged, nor one of which the kernel does not tell, nor any before a first run has noted it.
    """
    now = present_mark(clock)
    if now is None or surroundings.clock_is_synchronised() is not False:
        return True
    before = _noted(state_folder)
    return before is None or (before.boot == now.boot and step_between(before, now) is None)


def note_clock(state_folder: Path, clock: Clock) -> Message | None:
    """Note when the machine was booted, by its clock; return what is to be told if the clock was set since the last look."""
    before, mark, step = _noted(state_folder), present_mark(clock), clock_step(state_folder, clock)
    if mark is not None and (before is None or step is not None or before.boot != mark.boot):
        try:
            write_atomically(
                state_folder / BOOTED_AT, f"{mark.boot} {mark.booted_at.isoformat()}\n".encode(), mode=FILE_MODE
            )
        except FileUnwritable as error:  # then it is told again
            logger.warning("it cannot be noted when the machine was booted: %s", error)
    if step is None:
        return None
    minutes = round(abs(step) / timedelta(minutes=1))
    if step > timedelta():
        return msg(
            "the machine's clock was set forward by {n} minutes since the last run: jobs may start too early or be skipped;"
            " see 'timedatectl'",
            n=minutes,
        )
    return msg(
        "the machine's clock was set back by {n} minutes since the last run: jobs may run twice; see 'timedatectl'",
        n=minutes,
    )


def present_mark(clock: Clock) -> BootMark | None:
    """Return when the machine was booted; None for a clock that is not the machine's."""
    return boot_mark(clock.now()) if isinstance(clock, SystemClock) else None


def _noted(state_folder: Path) -> BootMark | None:
    try:
        boot, booted_at = (state_folder / BOOTED_AT).read_text(encoding="ascii").split()
        moment = datetime.fromisoformat(booted_at)
    except (OSError, ValueError):
        return None
    return BootMark(boot, moment) if moment.tzinfo is not None else None
