"""The maker's number of the hardware: /sys/class/dmi/id/product_serial, as the kernel's sysfs-class-dmi has it.

Only root may read it. A container and many a virtual machine have none, or a word in its place.

    serial=CZ20390V9B
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
f=/sys/class/dmi/id/product_serial
[ -e "$f" ] || { echo serial=; exit 0; }
s=$(cat "$f") || exit $?
printf 'serial=%s\n' "$s" | head -n 1 | cut -c 1-200
"""
_PLACEHOLDERS = frozenset(
    {
        *("none", "not specified", "not available", "n/a", "na", "0", "default string", "system serial number"),
        *("to be filled by o.e.m.", "empty", "unknown", "123456789", "invalid"),
    }
)
"""What makers write where they write nothing; in lower case."""


def parse(output: Output) -> str:
    """Return the number; empty where the machine gives none."""
    lines = output.lines()
    if len(lines) != 1 or not lines[0].startswith("serial="):
        raise Unparseable(msg("the number of the hardware cannot be parsed"))
    serial = lines[0].removeprefix("serial=").strip()
    return "" if serial.lower() in _PLACEHOLDERS else serial


PROBE = Probe("inventory.serial", ("sh", "-c", _SCRIPT), parse, needs_root=True)
