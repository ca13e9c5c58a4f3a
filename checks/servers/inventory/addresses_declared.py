"""Every address of the host lies in the declared networks.

Article 12.1: the infrastructure stands at the Department, so its addresses are the Department's. An address of another
network is a second line past the firewall, or a host that moved.

The rule: every address of a network device that is neither of the host itself (loopback) nor of the link alone lies in a
network declared under `address_ranges`; bridges of containers count, and so do the ends of a network that a route of the type `local`
makes the host's own. Where there is an outside scan of the host, the names
of its pages must resolve to these networks too; without one, the message of the pass states that.

Source: ip-address(8). iproute2 6.15 on Debian 13:

    [{"ifname":"eth0","addr_info":[{"family":"inet","local":"192.0.2.10","prefixlen":24,"scope":"global"}]}]
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import addresses, outside_names
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="inventory.addresses",
    clause="12.1",
    severity=Severity.HIGH,
    needs=(addresses.PROBE,),
    uses=(outside_names.PROBE,),
    title=msg("every address of the host lies in the declared networks"),
    remedy=msg("Move the service back or turn the address off, or have the network approved and declare it."),
)
def judge(facts: Facts) -> CheckOutcome:
    held = sorted(
        {
            (str(one.address), shown(one.device, 20))
            for one in facts[addresses.PROBE]
            if not (one.address.is_loopback or one.address.is_link_local)
        }
    )
    if not held:
        return unknown("no-address", msg("the host has no address but its own loopback"))
    ranges = facts.declared.address_ranges
    if ranges is None:
        return unknown(
            "not-declared",
            msg(
                "the portal's networks are not declared; seen: {addresses}",
                addresses=listed(address for address, _ in held),
            ),
        )
    inside = {
        str(one.address)
        for one in facts[addresses.PROBE]
        if any(one.address.version == each.version and one.address in each for each in ranges)
    }
    outside = [f"{address} ({device})" for address, device in held if address not in inside]
    if outside:
        return failed(
            "address-outside", msg("addresses outside the declared networks: {addresses}", addresses=listed(outside))
        )
    names = facts.get(outside_names.PROBE)
    by_name = {} if isinstance(names, MissingFact) else names.by_name
    for name, led in by_name.items():
        if strange := [
            str(one) for one in led if not any(one.version == each.version and one in each for each in ranges)
        ]:
            return failed(
                "name-outside",
                msg(
                    "the name {name} resolves outside the declared networks: {addresses}",
                    name=shown(name, 80),
                    addresses=listed(strange),
                ),
            )
    for name, led in by_name.items():
        if not led:
            return unknown("name-not-found", msg("the name {name} resolves to no address", name=shown(name, 80)))
    told = nmsg(
        "the {n} address lies in the declared networks", "the {n} addresses lie in the declared networks", len(held)
    )
    if isinstance(names, MissingFact):
        return passed(msg("{told}; no outside scan has resolved the names of its pages", told=told))
    return passed(told)
