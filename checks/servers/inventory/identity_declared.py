"""The machine that answers is the declared one.

An address says nothing about the machine behind it: disks are copied, machines exchanged, addresses moved. Article 12.1 asks
that the infrastructure is known.

The rule: the id of the installation (/etc/machine-id), the host's name and the maker's serial number are those declared
under `identity`. A copy has the same id on another machine, so the serial number is compared too; a machine that gives none
is declared with an empty one.

Sources: machine-id(5), proc(5), the kernel's sysfs-class-dmi. On Debian 13:

    972860a9754649d392ee73999fdac606
    portal
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import identity, serial
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="inventory.identity",
    clause="12.1",
    severity=Severity.MEDIUM,
    needs=(identity.PROBE, serial.PROBE),
    title=msg("the machine that answers is the declared one"),
    remedy=msg(
        "Find out whether the machine was exchanged or copied; correct the register, or have the change approved."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    names, number, declared = facts[identity.PROBE], facts[serial.PROBE], facts.declared.identity
    if declared is None:
        return unknown(
            "not-declared",
            msg(
                "the identity of the machine is not declared; seen: id {id}, name {name}, serial number {serial}",
                id=names.machine_id,
                name=shown(names.hostname, 60),
                serial=shown(number, 60) or "-",
            ),
        )
    if names.machine_id != declared.machine_id:
        return failed(
            "other-machine",
            msg("the id is {seen}, not {declared}", seen=names.machine_id, declared=declared.machine_id),
        )
    if number != declared.serial:
        return failed(
            "other-hardware",
            msg(
                "the serial number is {seen}, not {declared}: moved to other hardware, or copied",
                seen=shown(number, 60) or "-",
                declared=declared.serial or "-",
            ),
        )
    if names.hostname != declared.hostname:
        return failed(
            "other-name",
            msg("the name is {seen}, not {declared}", seen=shown(names.hostname, 60), declared=declared.hostname),
        )
    return passed(msg("id, name and serial number are the declared ones"))
