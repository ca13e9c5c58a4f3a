"""What the power supplies that run on batteries say: `upsc` of each that this host's upsd knows, as upsc(8) has it.

ups portal
battery.charge: 100
ups.status: OL
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
command -v upsc >/dev/null || exit 127
upsc -l 2>/dev/null | head -n 16 | while read -r u; do
  printf 'ups %s\n' "$u"
  upsc "$u" 2>/dev/null | grep -E '^(battery.charge|battery.runtime|driver.name|ups.status): '
done
echo end
"""
_UPS = re.compile(r"ups (\S{1,64})$")
_CHARGE = re.compile(r"battery\.charge: (\d{1,3})(?:\.\d+)?$")
_RUNTIME = re.compile(r"battery\.runtime: (\d{1,9})(?:\.\d+)?$")
_DRIVER = re.compile(r"driver\.name: (\S{1,40})$")
_STATUS = re.compile(r"ups\.status: ([A-Z ]{1,60})$")


@dataclass(frozen=True, slots=True)
class Ups:
    """One of them."""

    name: str
    status: frozenset[str]
    """`OL` on line, `OB` on battery, `LB` battery low, `RB` battery to be replaced, ...; empty: it does not answer."""
    charge_percent: int | None
    runtime_seconds: int | None = None
    """For how long it would last by its own estimate; None where it tells of none."""
    driver: str = ""
    """NUT's program that speaks with it."""


def parse(output: Output) -> tuple[Ups, ...]:
    """Read each one's state."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the state of the power supplies is cut short"))
    found: list[Ups] = []
    for line in lines[:-1]:
        if match := _UPS.fullmatch(line):
            found.append(Ups(match[1], frozenset(), None))
        elif found and (match := _CHARGE.fullmatch(line)):
            found[-1] = replace(found[-1], charge_percent=int(match[1]))
        elif found and (match := _RUNTIME.fullmatch(line)):
            found[-1] = replace(found[-1], runtime_seconds=int(match[1]))
        elif found and (match := _DRIVER.fullmatch(line)):
            found[-1] = replace(found[-1], driver=match[1])
        elif found and (match := _STATUS.fullmatch(line)):
            found[-1] = replace(found[-1], status=frozenset(match[1].split()))
    return tuple(found)


PROBE = Probe("power.ups", ("sh", "-c", _SCRIPT), parse)
