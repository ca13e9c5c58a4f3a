"""The firewall denies by default, over IPv4 and IPv6 alike.

A filter that lets in what its rules forgot is open to every new service. IPv6 is forgotten most often. Article 12.3.

The rule: for each of the two families, a chain at the input hook ends in drop or reject: by its policy, or by its last rule
without a condition, also in a chain that it jumps to without one. A rule that accepts what no rule names undoes the policy:
one without a condition, one that asks only for a protocol, for new connections or for the sender's port, which the sender
chooses, or one for a whole network device, as firewalld's zone `trusted` has it. Where a rule may accept, and whom it is
for cannot be judged (a limit, a mark, a match of iptables, an address that may be the host's own, a set that packets fill by
themselves), it is unknown whether the filter denies. What iptables put into nftables is read from `iptables-nft-save`, because nft leaves out what its matches
ask for. Devices from which everything may come, such as a VPN's, are declared as `trusted_devices`; loopback always is one.
Rules that let in parts of the Internet are added up: more public addresses than the largest network that anybody was
given ({most_millions} million of IPv4) are a default that accepts. So are ranges that together open more than half of the ports ({most_ports}). What conditions on fewer ports and addresses let in is a matter of
firewall.listeners.

Sources: nft(8), iptables(8), iptables-extensions(8). Policy accept with a final reject, as firewalld writes it, passes:

    chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ... reject with icmpx admin-prohibited }
"""

from __future__ import annotations

from collections.abc import Iterable

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.firewall._view import seen_ruleset
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, nft
from checks.servers.ruleset import ANY_DEVICE, MAX_DEVICES, MOST_ADDRESSES, MOST_PORTS, Entrance, PacketTarget
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

LEAST_SHOWN = 0.01
"""Of a percentage."""
_NAMES = {"ip": "IPv4", "ip6": "IPv6"}


@check(
    id="firewall.default-deny",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(nft.PROBE,),
    uses=(iptables_legacy.PROBE,),
    title=msg("the firewall denies by default, over IPv4 and IPv6"),
    remedy=msg(
        "Set the policy of the input chain to drop, for IPv6 as well; an 'inet' table serves both. Let in what is needed by port, not all that comes from a device, or declare the device in 'trusted_devices'."
    ),
    numbers={"most_millions": MOST_ADDRESSES["ip"] // 1_000_000, "most_ports": MOST_PORTS},
)
def judge(facts: Facts) -> CheckOutcome:
    ruleset = seen_ruleset(facts)
    if len(ruleset.devices()) > MAX_DEVICES:
        return unknown("too-many-devices", msg("the firewall's rules name more than {n} devices", n=MAX_DEVICES))
    every = [
        (name, each)
        for family, name in _NAMES.items()
        for each in ruleset.entrances(family, facts.declared.trusted_devices)
    ]
    entrances = [(name, each) for name, each in every if each.door is not PacketTarget.SHUT]
    if not entrances:
        four, six = (_percent(each for name, each in every if name == wanted) for wanted in _NAMES.values())
        return passed(
            msg(
                "incoming packets are denied by default; ports that no rule names are open to {four} % of public IPv4 "
                "and {six} % of public IPv6 addresses",
                four=four,
                six=six,
            )
        )
    legacy = facts.get(iptables_legacy.PROBE)
    if isinstance(legacy, MissingFact):
        return missing(legacy)
    is_open = [(name, each) for name, each in entrances if each.door is PacketTarget.OPEN]
    families = " + ".join(dict.fromkeys(name for name, _ in is_open or entrances))
    if not is_open:
        chains = listed(sorted({chain for _, each in entrances for chain in each.doubts}))
        said = msg(
            "it cannot be judged whether traffic that no rule names is admitted over {names}: {chains}",
            names=families,
            chains=chains,
        )
        return unknown("rules-unclear", said)
    found = {each.device for _, each in is_open}
    if ANY_DEVICE in found:
        percent = _percent(each for _, each in is_open)
        if percent != "100":
            return failed(
                "open-by-default",
                msg(
                    "traffic that no rule names is admitted over {names} from {percent} % of the public addresses",
                    names=families,
                    percent=percent,
                ),
            )
        return failed("open-by-default", msg("traffic that no rule names is admitted over {names}", names=families))
    said = msg("all traffic from {devices} is admitted over {names}", devices=listed(sorted(found)), names=families)
    return failed("device-open", said)


def _percent(entrances: Iterable[Entrance]) -> str:
    """Return the largest share of public addresses that is let in, as a percentage."""
    share = max(each.share for each in entrances) * 100
    if 0 < share < LEAST_SHOWN:
        return f"< {LEAST_SHOWN}"
    return f"{share:.2g}" if share < 10 else f"{share:.0f}"  # a percentage
