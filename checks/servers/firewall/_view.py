"""Both of the kernel's packet filters as one ruleset."""

from __future__ import annotations

from checks.servers.facts import Facts
from checks.servers.probe import Missing
from checks.servers.probes import iptables_legacy, nft
from checks.servers.ruleset import Ruleset


def seen_ruleset(facts: Facts) -> Ruleset:
    """Return nft's chains, and those of iptables-legacy where they could be read."""
    legacy = facts.get(iptables_legacy.PROBE)
    return Ruleset(facts[nft.PROBE].chains + (() if isinstance(legacy, Missing) else legacy.chains))
