"""What nobody allowed is kept out, over IPv4 and IPv6 alike.

A filter that lets in what its rules forgot is open to every new service. IPv6 is forgotten most often. Article 12.3.

The rule: for each of the two families, a chain at the input hook ends in drop or reject: by its policy, or by its last
rule without a condition, also in a chain that it jumps to without one. A rule without any condition that accepts undoes
the policy. Conditions are not weighed; firewall.listeners looks at what they let in.

Sources: nft(8), iptables(8). Policy accept with a final reject, as firewalld writes it, passes:

    chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ... reject with icmpx admin-prohibited }
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, missing, passed
from checks.servers.facts import Facts
from checks.servers.firewall._view import seen_ruleset
from checks.servers.probe import Missing
from checks.servers.probes import iptables_legacy, nft
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_NAMES = {"ip": "IPv4", "ip6": "IPv6"}


@check(
    id="firewall.default-deny",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(nft.PROBE,),
    uses=(iptables_legacy.PROBE,),
    title=msg("what nobody allowed is kept out, over IPv4 and IPv6"),
    remedy=msg("Set the policy of the input chain to drop, for IPv6 as well; an 'inet' table serves both."),
)
def judge(facts: Facts) -> Outcome:
    ruleset = seen_ruleset(facts)
    is_open = [name for family, name in _NAMES.items() if not ruleset.denies_by_default(family)]
    if not is_open:
        return passed(msg("incoming packets are denied by default over IPv4 and IPv6"))
    legacy = facts.get(iptables_legacy.PROBE)
    if isinstance(legacy, Missing):
        return missing(legacy)
    return failed("open-by-default", msg("what no rule names is let in over {names}", names=" + ".join(is_open)))
