"""The machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portalops.model.values import dataclass

STEP = timedelta(minutes=2)
"""A smaller step of the clock is no more than a time service's setting right."""


class SystemClock:
    """Reads the machine's clock, in UTC with whole milliseconds."""

    def now(self) -> datetime:
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class BootMark:
    """When this machine was booted, by its clock: the same at each look, unless the clock was set meanwhile."""

    boot: str
    """The kernel's id of this boot, random(4)."""
    booted_at: datetime


def boot_mark(now: datetime) -> BootMark | None:
    """Return when the machine was booted, if its clock shows `now`; None where the kernel does not tell.

    Time that it slept counts, clock_gettime(2); a time service that lets the clock run faster or slower moves both alike.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        up = timedelta(seconds=round(time.clock_gettime(time.CLOCK_BOOTTIME)))
    except (OSError, ValueError, AttributeError):
        return None
    return BootMark(boot, now - up)


def step_between(before: BootMark, after: BootMark) -> timedelta | None:
    """Return by how much the clock was set between two looks, negative for back; None for not at all, or if the machine was booted anew."""
    step = after.booted_at - before.booted_at
    return step if before.boot == after.boot and abs(step) > STEP else None
