"""Both of the kernel's packet filters as one ruleset."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, nft
from checks.servers.probes.listeners import Listener
from checks.servers.ruleset import FilterChain, NewDestination, Rule, Ruleset


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


def opened(facts: Facts, sockets: Iterable[Listener]) -> tuple[frozenset[Listener], frozenset[Listener]]:
    """Return the sockets on loopback that a translation of destinations lets others reach, and those that it may.

    nft does not say where iptables sends a packet; iptables does, where its rules were read.
    """
    newer, spelled = facts.get(nft.PROBE), facts.get(iptables_legacy.PROBE)
    rules = () if isinstance(newer, MissingFact) else newer.translations()
    if not isinstance(spelled, MissingFact):
        own = spelled.newer.translations()
        rules = (*(rule for rule in rules if not own or rule.to != _UNTOLD), *own, *spelled.older.translations())
    inside = [one for one in sockets if one.is_loopback]
    reached = {one: {_reaches(rule, one) for rule in rules} for one in inside}
    sure = frozenset(one for one, met in reached.items() if True in met)
    return sure, frozenset(one for one, met in reached.items() if None in met) - sure


_UNTOLD = NewDestination((), is_clear=False)


def _reaches(rule: Rule, socket: Listener) -> bool | None:
    """Say whether a translation leads to a socket; None where that was not read."""
    to = rule.to
    if to is None or socket.protocol not in rule.protocols():
        return False
    if to == _UNTOLD:
        return None
    if to.is_clear and socket.address not in to.addresses:
        return False
    if not to.is_clear and not any(_is_loopback(each) for each in to.addresses):
        return False
    ports = to.ports or (rule.ports() if to.is_clear else ())
    if ports and not any(_holds(each, socket.port) for each in ports):
        return False
    return True if to.is_clear else None


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _holds(span: str, port: int) -> bool:
    first, _, last = span.partition("-")
    return not first.isdecimal() or int(first) <= port <= int(last or first)
