"""What the machine says that it is: /etc/machine-id and its name, as machine-id(5) and proc(5) have them.

e08d2021fbdd6f894fde550c98aff54d
portal
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Names:
    """Two names of one installation."""

    machine_id: str
    hostname: str


def parse(output: Output) -> Names:
    """Read both; a machine that was never started has `uninitialized` or nothing in the place of its id."""
    lines = [line.strip() for line in output.lines()]
    if len(lines) != 2 or not re.fullmatch(r"[0-9a-f]{32}", lines[0]):
        raise Unparseable(msg("the machine has no machine id: {seen}", seen=shown(output.text, 60) or "-"))
    return Names(lines[0], lines[1])


PROBE = Probe("inventory.identity", ("cat", "/etc/machine-id", "/proc/sys/kernel/hostname"), parse)
