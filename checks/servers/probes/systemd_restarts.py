"""Services that systemd started again by itself, and since when they run, and units that have not ended their start or their stop:
`systemctl show`, as systemctl(1) has it.

Only those with a restart, or that wait for one, are told of the first. The moment is one of the kernel's clock since boot, as
is the first line.

    up 86400
    unit portal.service 1532 activating auto-restart exit-code on-failure 86391
    between news.service activating start notify 86000
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

_SCRIPT = r"""
command -v systemctl >/dev/null || exit 127
read -r u _ </proc/uptime
echo "up ${u%.*}"
S=$(systemctl show --no-pager -p Id,Type,NRestarts,ActiveState,SubState,Result,Restart,ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic \
  '*.service' '*.mount' '*.swap') || exit $?
printf '%s\n' "$S" | awk -F= '
  function told() {
    if ((0 < v["NRestarts"] + 0 || v["SubState"] ~ /^auto-restart/) && v["Type"] != "idle")
      printf "unit %s %d %s %s %s %s %d\n", v["Id"], v["NRestarts"], v["ActiveState"], v["SubState"], v["Result"], v["Restart"], \
        v["ActiveEnterTimestampMonotonic"] / 1000000
    else if (v["ActiveState"] ~ /^(de)?activating$/)
      printf "between %s %s %s %s %d\n", v["Id"], v["ActiveState"], v["SubState"], v["Type"] == "" ? "-" : v["Type"], \
        v["StateChangeTimestampMonotonic"] / 1000000
    split("", v)
  }
  NF == 0 { told(); next }
  { v[$1] = $2 }
  END { told() }'
echo end
"""
_UP = re.compile(r"up (\d{1,10})$")
_UNIT = re.compile(r"unit (\S+) (\d{1,10}) ([a-z]+) ([a-z-]+) ([a-z-]+) ([a-z-]+) (\d{1,10})$")
_BETWEEN = re.compile(r"between (\S+) ((?:de)?activating) ([a-z-]+) ([a-z-]+) (\d{1,10})$")


@dataclass(frozen=True, slots=True)
class RestartedUnit:
    """One service that was started again; those of consoles are left out."""

    name: str
    restarts: int
    """Since somebody started it."""
    is_waiting: bool
    """It ended, and systemd waits before it starts it again."""
    has_failed: bool
    """It ended badly; known only while it waits."""
    always: bool
    """systemd starts it again also where it ended well."""
    runs_seconds: int
    """Since when it was last active."""


@dataclass(frozen=True, slots=True)
class UnfinishedUnit:
    """One unit that neither runs nor is stopped."""

    name: str
    state: str
    """Such as `activating`."""
    is_job: bool
    """It runs once and ends: its start lasts as long as its work."""
    seconds: int
    """For how long."""


@dataclass(frozen=True, slots=True)
class UnsteadyUnits:
    """What was found."""

    restarted: tuple[RestartedUnit, ...]
    """None where none was started again."""
    unfinished: tuple[UnfinishedUnit, ...]


def parse(output: Output) -> UnsteadyUnits:
    """Read the units."""
    refuse_without_systemd(output)
    lines = output.lines()
    up = _UP.fullmatch(lines[0].strip()) if lines else None
    rows = [line.strip() for line in lines[1:-1]]
    found, between = [_UNIT.fullmatch(row) for row in rows], [_BETWEEN.fullmatch(row) for row in rows]
    if up is None or lines[-1].strip() != "end" or not all(map(any, zip(found, between, strict=True))):
        raise Unparseable(
            msg("systemd's list of restarts cannot be parsed: {seen}", seen=shown(output.text, 80) or "-")
        )
    restarted = tuple(
        RestartedUnit(
            one[1],
            int(one[2]),
            one[4].startswith("auto-restart"),
            one[5] != "success",
            one[6] == "always",
            int(up[1]) - int(one[7]),
        )
        for one in found
        if one
    )
    unfinished = tuple(
        UnfinishedUnit(one[1], one[2], one[4] == "oneshot", int(up[1]) - int(one[5])) for one in between if one
    )
    return UnsteadyUnits(restarted, unfinished)


PROBE = Probe("systemd.restarts", ("sh", "-c", _SCRIPT), parse, exit_codes=frozenset({0, 1}))
