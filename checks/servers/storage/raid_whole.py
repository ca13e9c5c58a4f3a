"""Every software RAID array is whole.

A mirror with one half missing works until the other half breaks; nobody notices before. Article 12.3 asks for standby.

The rule: no array lacks a member, has a failed one or is inactive, by what the kernel and mdadm say of each. Every
declared array is there. A mirror of one member, or with two members on one disk, is none. Without mdadm, an array is
not known to be whole. Without a declaration it is not known whether an array is missing, nor whether a controller's own
RAID is complete: then the answer is unknown.

Sources: md(4), mdadm(8). Linux 6.1:

    md0 : active raid1 sdb1[1] sda1[0]
          1046528 blocks super 1.2 [2/2] [UU]
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import mdadm, mdstat
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="storage.raid",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(mdstat.PROBE,),
    uses=(mdadm.PROBE,),
    title=msg("every software RAID array is complete"),
    remedy=msg("Replace the failed disk and let the array rebuild; see 'mdadm --detail'."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    arrays = facts[mdstat.PROBE].arrays
    asked = facts.get(mdadm.PROBE)
    members = {} if isinstance(asked, MissingFact) else asked
    broken = [f"{array.name} ({array.problem})" for array in arrays if array.problem]
    told = {array.name for array in arrays if array.problem}
    broken += [
        f"{name} ({one.present}/{one.wanted})" for name, one in members.items() if not one.is_whole and name not in told
    ]
    if broken:
        return failed("degraded", msg("arrays that are degraded: {names}", names=listed(broken)))
    if alone := [name for name, one in members.items() if not one.survives]:
        return failed("one-disk", msg("arrays that do not survive the loss of one disk: {names}", names=listed(alone)))
    if facts.declared.raid is None:
        return unknown(
            "not-declared",
            msg(
                "the required arrays are not declared; seen: {names}",
                names=listed(array.name for array in arrays) or "-",
            ),
        )
    absent = sorted(set(facts.declared.raid) - {array.name for array in arrays})
    if absent:
        return failed("array-absent", msg("declared but missing: {names}", names=listed(absent)))
    if arrays and isinstance(asked, MissingFact):
        return missing(asked)
    unasked = [array.name for array in arrays if array.name not in members]
    if unasked:
        return unknown("array-not-asked", msg("mdadm reports nothing about {names}", names=listed(unasked)))
    return passed(nmsg("{n} array is present and complete", "{n} arrays are present and complete", len(arrays)))
