"""How far the clock is from its source: `chronyc -c tracking`, as chronyc(1) has it.

A29FC87B,162.159.200.123,4,1795571234.120651,-0.000012,...,Normal
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Tracking:
    """What chronyd says of itself."""

    offset_milliseconds: int
    """Of the system clock from the source's time; rounded away from zero."""
    leap: str
    """`Normal`, or `Not synchronised`, ..."""
    is_own: bool
    """It follows nobody but its own clock (`local stratum`), which has the reference 127.127.1.1."""
    heard_at: datetime
    """When its source was last heard."""


def parse(output: Output) -> Tracking:
    """Read the first, the fourth, the fifth and the last of the 14 fields."""
    fields = output.text.strip().split(",")
    try:
        offset = float(fields[4]) if len(fields) == 14 else float("nan")
        heard_at = datetime.fromtimestamp(float(fields[3]), UTC)
    except (ValueError, IndexError, OverflowError):
        offset = float("nan")
    if not abs(offset) < 1e9:  # true for what is no number
        raise Unparseable(msg("chronyc printed {seen}", seen=shown(output.text, 60)))
    return Tracking(
        int(offset * 1000) + (0 if offset == 0 else (1 if offset > 0 else -1)),
        fields[13].strip(),
        is_own=fields[0].upper().startswith("7F7F"),
        heard_at=heard_at,
    )


PROBE = Probe("time.chrony", ("chronyc", "-c", "tracking"), parse)
