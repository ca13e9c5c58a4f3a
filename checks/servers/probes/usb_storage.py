"""Whether the kernel may load the driver of USB disks: `modprobe -n -v usb-storage`, as modprobe(8) has it.

insmod /lib/modules/6.12.48+deb13-amd64/kernel/drivers/usb/storage/usb-storage.ko.xz
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v modprobe >/dev/null || exit 127
[ -d "/lib/modules/$(uname -r)" ] || { echo 'no modules of the running kernel' >&2; exit 1; }
printf 'would: '
modprobe -n -v usb-storage 2>&1 | head -n 5
echo
grep -E '^(usb_storage|uas) ' /proc/modules
[ ! -e /sys/bus/usb/drivers/usb-storage ] || echo 'usb_storage registered'
echo end
"""

_LOADED = ("usb_storage ", "uas ")


@dataclass(frozen=True, slots=True)
class UsbStorage:
    """The driver `usb_storage`."""

    is_loaded: bool
    is_blocked: bool
    """Loading it runs a program that does nothing, or the kernel has no such driver."""


def parse(output: Output) -> UsbStorage:
    """Read what would be done, and what is loaded."""
    lines = [line.strip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end" or not lines[0].startswith("would:"):
        raise Unparseable(msg("modprobe printed {seen}", seen=shown(output.text, 60) or "-"))
    loaded = any(line.startswith(_LOADED) for line in lines)
    does = " ".join(line for line in lines[:-1] if not line.startswith(_LOADED)).removeprefix("would:").strip()
    blocked = does in {"install /bin/false", "install /bin/true", "install /usr/bin/false", "install /usr/bin/true"}
    absent = "Module usb-storage not found" in does
    return UsbStorage(loaded, blocked or absent)


PROBE = Probe("kernel.usb-storage", ("sh", "-c", _SCRIPT), parse)
