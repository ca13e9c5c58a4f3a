"""How far the clock is from its source: `chronyc -c tracking`, as chronyc(1) has it, and what the sources are that agree.

Told of each source that chronyd selects, combines or finds right (`*`, `+`, `-`): whether its address is one of the host itself, by
ip-route(8), or of another machine, or whether it is a reference clock. `unset`: chronyd runs with `-x` and sets nothing, where root
could set the clock; in a container the machine does so.

    A29FC87B,162.159.200.123,4,1795571234.120651,-0.000012,...,Normal
    source other
    end
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v chronyc >/dev/null || exit 127
chronyc -c tracking || exit $?
chronyc -n -c sources | while IFS=, read -r m s a x; do
  case $s in '*'|+|-) ;; *) continue ;; esac
  [ "$m" != '#' ] || { echo 'source clock'; continue; }
  o=$(ip -o address) || continue
  case "$(ip route get "$a" 2>/dev/null) $o" in local*|*" ${a%%%*}/"*) echo 'source own' ;; *) echo 'source other' ;; esac
done
case $(sed -n 's/^CapBnd:[ \t]*//p' /proc/1/status) in *[2367abef]??????)  # CAP_SYS_TIME
  for p in $(pidof chronyd); do tr '\0' '\n' <"/proc/$p/cmdline" | grep -qE '^-[A-Za-z46]*x' && { echo 'source unset'; break; }; done
esac 2>/dev/null
echo end
"""


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
    sources: frozenset[str]
    """Of what kinds the sources are that agree: `other` machines, the host's `own` addresses, a reference `clock`; `unset` where chronyd sets nothing."""


def parse(output: Output) -> Tracking:
    """Read the first, the fourth, the fifth and the last of the 14 fields."""
    first, *told = output.lines() or ("",)
    if not told or told[-1].strip() != "end":
        raise Unparseable(msg("chronyc printed {seen}", seen=shown(output.text, 60)))
    fields = first.strip().split(",")
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
        sources=frozenset(line.strip().removeprefix("source ") for line in told[:-1]),
    )


PROBE = Probe("time.chrony", ("sh", "-c", _SCRIPT), parse)
