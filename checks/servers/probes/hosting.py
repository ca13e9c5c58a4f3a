"""On what the machine runs: the maker that its firmware names, and `systemd-detect-virt`, as its manual page has it.

On hardware systemd-detect-virt prints `none` and ends with 1, which is an answer and no error. A container has no firmware.

    vendor=QEMU
    virtualization=kvm
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v systemd-detect-virt >/dev/null || exit 127
f=/sys/class/dmi/id/sys_vendor
v=
if [ -e "$f" ]; then v=$(head -n 1 "$f" | cut -c 1-200) || exit $?; fi
printf 'vendor=%s\nvirtualization=%s\n' "$v" "$(systemd-detect-virt)"
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What carries the host."""

    vendor: str
    """Empty where no firmware names one."""
    virtualization: str
    """`none` for hardware."""


def parse(output: Output) -> Ground:
    """Read both lines."""
    found = re.fullmatch(r"vendor=(.*)\nvirtualization=([a-z0-9-]+)", "\n".join(output.lines()).replace("\r", ""))
    if found is None:
        raise Unparseable(msg("the platform of the host cannot be parsed: {seen}", seen=shown(output.text, 80)))
    return Ground(found[1].strip(), found[2])


PROBE = Probe("inventory.hosting", ("sh", "-c", _SCRIPT), parse)
