"""The kernel filters what comes in.

A firewall that is installed, enabled or configured is none; only rules in the kernel stop a packet. Article 12.3 asks
for a firewall.

The rule: the kernel holds at least one chain at the input hook that has rules or denies by its policy. It stands in
nftables (which also shows what iptables-nft, ufw and firewalld put there) or in the older tables of iptables-legacy. At
least one of these chains refuses something. Rules that only count, accept, or refuse the addresses that fail2ban names
are no filter.

Sources: nft(8), libnftables-json(5), iptables-save(8). A Debian 13 without any rule prints only:

    {"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}]}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed
from checks.servers.facts import Facts
from checks.servers.firewall._view import seen_ruleset
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, nft
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="firewall.active",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(nft.PROBE,),
    uses=(iptables_legacy.PROBE,),
    title=msg("the kernel filters incoming packets"),
    remedy=msg("Write the rules and enable the firewall, such as 'systemctl enable --now nftables'."),
)
def judge(facts: Facts) -> CheckOutcome:
    ruleset = seen_ruleset(facts)
    inputs = ruleset.inputs()
    if inputs and ruleset.denies():
        names = sorted({f"{chain.family} {chain.table} {chain.name}" for chain in inputs})
        return passed(msg("incoming packets are filtered by {names}", names=listed(names)))
    legacy = facts.get(iptables_legacy.PROBE)
    if isinstance(legacy, MissingFact):
        return missing(legacy)
    if inputs:
        return failed("filters-nothing", msg("rules see incoming packets, but refuse none beyond named addresses"))
    return failed("no-input-rules", msg("no rule in the kernel filters incoming packets"))
