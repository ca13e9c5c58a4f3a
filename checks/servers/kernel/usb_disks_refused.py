"""The kernel takes no USB disks.

A USB disk in a server's front brings malware in and carries data out, past every firewall. Article 12.4 asks for security
mechanisms.

The rule: the driver `usb_storage` is not loaded, and loading it is blocked by `install usb-storage /bin/false`, or the
kernel has none. A `blacklist` line alone only stops the kernel from loading it by itself, so it does not count.

Source: modprobe.d(5). Debian 13, where nothing blocks it:

    insmod /lib/modules/6.12.48+deb13-amd64/kernel/drivers/usb/storage/usb-storage.ko.xz
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import usb_storage
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="kernel.usb-storage",
    clause="12.4",
    severity=Severity.LOW,
    needs=(usb_storage.PROBE,),
    title=msg("the kernel accepts no USB disks"),
    remedy=msg("Write 'install usb-storage /bin/false' into a file in /etc/modprobe.d, and unload the driver."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[usb_storage.PROBE]
    if seen.is_loaded:
        return failed("loaded", msg("the driver of USB disks is loaded"))
    if not seen.is_blocked:
        return failed("allowed", msg("the driver of USB disks may be loaded"))
    return passed(msg("the driver of USB disks is not loaded, and can't be"))
