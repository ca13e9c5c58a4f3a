"""The shared address is on exactly one member.

Users reach the portal by this address. On no member, nobody answers; on two, each takes a part of the requests and of the
writes (split brain), which happens where members no longer hear each other. Article 12.3 asks for standby systems.

The rule: of all members in one scan, exactly one holds the declared address on a device that is on. Each member alone would
see nothing wrong, so with one member out of reach the answer is unknown.

Source: ip-address(8); keepalived issues 166 and 2387 tell of addresses on both. On the member that holds it:

    "addr_info":[{"family":"inet","local":"198.18.0.100","prefixlen":32,"scope":"global","label":"host0"}]
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, failed, passed
from checks.servers.probes import addresses
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@group_check(
    id="ha.vip",
    kinds=("vip",),
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(addresses.PROBE,),
    title=msg("the shared address is on exactly one member"),
    remedy=msg(
        "Check that members receive each other's VRRP (protocol 112 in the firewall), and restart "
        "keepalived on one of them."
    ),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    address = facts.group.address
    holders = [
        member
        for member, held in facts[addresses.PROBE].items()
        if any(one.address == address and one.is_up for one in held)
    ]
    if not holders:
        return failed("nobody-holds", msg("{address} is on no member", address=str(address)))
    if len(holders) > 1:
        return failed(
            "several-hold",
            msg("{address} is on more than one member: {hosts}", address=str(address), hosts=listed(holders)),
        )
    return passed(msg("{address} is on {hosts} only", address=str(address), hosts=holders[0]))
