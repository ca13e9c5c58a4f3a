"""Both of the kernel's packet filters as one ruleset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, nft
from checks.servers.ruleset import FilterChain, Ruleset


def seen_ruleset(facts: Facts) -> Ruleset:
    """Return nft's chains, with rules of iptables as it spells them itself, and those of iptables-legacy, where read."""
    newer, spelled = facts[nft.PROBE], facts.get(iptables_legacy.PROBE)
    if isinstance(spelled, MissingFact):
        return newer
    chains = tuple(_spelled(chain, spelled.newer.chains) for chain in newer.chains)
    return Ruleset(chains + spelled.older.chains, newer.untracks or spelled.older.untracks)


def _spelled(chain: FilterChain, others: Iterable[FilterChain]) -> FilterChain:
    """Return a chain with the rules as iptables tells them, if nft does not, and both count as many."""
    if not any(None in rule.conditions for rule in chain.rules):
        return chain
    same = (one for one in others if one.is_named(chain.family, chain.table, chain.name))
    return next((replace(chain, rules=one.rules) for one in same if len(one.rules) == len(chain.rules)), chain)
