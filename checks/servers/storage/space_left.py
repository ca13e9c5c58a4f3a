"""Every disk has room left and can be written.

A full disk stops databases, logs and backups at once; a disk that turned read-only by itself is about to fail.
Article 12.3 asks that the servers run continuously.

The rule: on every file system at least {space_percent} % of the space and {inode_percent} % of the inodes are free, and
no declared mount point is read-only. File systems in memory (tmpfs) and those that are full by nature (squashfs, ISO
images) do not count, nor does a mount of a single file. Where df is missing or too old, the kernel's own view by psutil serves on the machine that
portalops runs on.

Sources: df(1), proc(5). On Debian 13:

    /dev/vda       ext4   264212084 10866776  82428728      12% /
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import disk_inodes, disk_space, machine, mounts
from checks.servers.probes.disk_space import FIXED, Space
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

SPACE_PERCENT = 15
INODE_PERCENT = 10


@check(
    id="storage.space",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(mounts.PROBE,),
    uses=(disk_space.PROBE, disk_inodes.PROBE, machine.PROBE),
    title=msg("every disk has free space and is writable"),
    remedy=msg("Free space or extend the disk; check the hardware of a disk that turned read-only."),
    numbers={"space_percent": SPACE_PERCENT, "inode_percent": INODE_PERCENT},
)
def judge(facts: Facts) -> CheckOutcome:
    points = facts[mounts.PROBE]
    stuck = [point for point in facts.declared.writable if points.get(point, False)]
    if stuck:
        return failed("read-only", msg("read-only: {names}", names=listed(stuck)))
    space, inodes = _space(facts), facts.get(disk_inodes.PROBE)
    full = () if isinstance(space, MissingFact) else _list_below(space, SPACE_PERCENT)
    if full:
        return failed(
            "space-low", msg("less than {limit} % of the space free: {names}", limit=SPACE_PERCENT, names=listed(full))
        )
    crowded = () if isinstance(inodes, MissingFact) else _list_below(inodes, INODE_PERCENT)
    if crowded:
        return failed(
            "inodes-low",
            msg("less than {limit} % of the inodes free: {names}", limit=INODE_PERCENT, names=listed(crowded)),
        )
    if isinstance(space, MissingFact):
        return missing(space)
    if isinstance(inodes, MissingFact):
        return missing(inodes)
    absent = [point for point in facts.declared.writable if point not in points]
    if absent:
        return unknown("not-mounted", msg("declared but not mounted: {names}", names=listed(absent)))
    least = min(space, key=lambda one: one.free_percent)
    return passed(
        msg(
            "at least {percent} % of the space is free; the fullest is {mount}",
            percent=least.free_percent,
            mount=least.mount,
        )
    )


def _space(facts: Facts) -> tuple[Space, ...] | MissingFact:
    by_program = facts.get(disk_space.PROBE)
    if not isinstance(by_program, MissingFact):
        return by_program
    by_kernel = facts.get(machine.PROBE)
    if isinstance(by_kernel, MissingFact) or not by_kernel.disks:
        return by_program
    return tuple(
        Space(disk.mount, disk.used_bytes, disk.free_bytes) for disk in by_kernel.disks if disk.type not in FIXED
    )


def _list_below(spaces: tuple[Space, ...], limit: int) -> tuple[str, ...]:
    return tuple(f"{one.mount} {one.free_percent} %" for one in spaces if one.free_percent < limit)
