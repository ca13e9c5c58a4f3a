"""Every disk says that it is healthy.

Disks count their own faults and tell before many of them break. Article 12.3 asks that servers run continuously.

The rule: smartctl names at least one disk, could ask all of them, and each says that its health check passed. That check passes until the
disk's maker gives it up: sectors that cannot be read now, or an NVMe's warning, are a fail. A disk that
can't be asked, as one behind a RAID controller, leaves it unknown. Virtual machines and containers have no disks of their
own: the roles `virtual` and `container` exempt them, and nothing else does.

Source: smartctl(8), "EXIT STATUS". smartmontools 7.4:

    {"smart_status":{"passed":true},"smartctl":{"exit_status":0}}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import smart
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="storage.smart",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(smart.PROBE,),
    title=msg("every disk reports that it is healthy"),
    remedy=msg("Replace the disk; see 'smartctl -x' for what it counts."),
    exempt_roles=("container", "virtual"),
)
def judge(facts: Facts) -> CheckOutcome:
    disks = facts[smart.PROBE]
    ill = [disk.name for disk in disks if disk.passed is False]
    if ill:
        return failed("disk-ill", msg("disks that report a failure: {names}", names=listed(ill)))
    if losing := [f"{disk.name} ({disk.lost})" for disk in disks if disk.lost]:
        return failed("losing-data", msg("disks with unreadable sectors or a warning: {names}", names=listed(losing)))
    if not disks:
        return unknown("no-disk", msg("smartctl lists no disk"))
    silent = [f"{disk.name} ({disk.code})" for disk in disks if disk.passed is None or disk.code & smart.NOT_ASKED]
    if silent:
        return unknown(
            "not-asked", msg("disks that did not answer (smartctl's exit code): {names}", names=listed(silent))
        )
    return passed(msg("disks that report that they are healthy: {names}", names=listed(disk.name for disk in disks)))
