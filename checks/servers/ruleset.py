"""The kernel's packet filter as a value, whichever program filled it, and what it does with a packet nobody named.

ufw, firewalld and iptables are front ends; what counts is what the kernel holds. A packet is let in only if every base
chain at the input hook lets it, so one chain that denies by default is enough. Only rules without any condition are
weighed: a chain that accepts half the world by conditions is a matter of firewall.listeners and the view from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Target(StrEnum):
    """Where a rule sends a packet."""

    ACCEPT = "accept"
    DENY = "deny"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    NOTHING = "nothing"
    """It counts or logs, and the next rule goes on."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule that is understood."""

    field: str
    """`dport`, `saddr`, `state` (of connection tracking), `l4proto`, `nfproto`, `iif`."""
    values: tuple[str, ...]
    """Any of these: single ones, `FIRST-LAST`, or networks; sets are resolved."""
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, reduced to what is judged."""

    is_conditional: bool
    target: Target
    chain: str = ""
    """For jump and goto."""
    conditions: tuple[Condition | None, ...] = (None,)
    """All of these must hold, where the rule is conditional; None for one that is not understood."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of one table."""

    family: str
    """`ip`, `ip6` or `inet`."""
    table: str
    name: str
    is_input: bool
    """A base chain of type filter at the input hook."""
    denies_by_policy: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains."""

    chains: tuple[Chain, ...]

    def inputs(self) -> tuple[Chain, ...]:
        """Return the base chains at the input hook that do anything."""
        return tuple(chain for chain in self.chains if chain.is_input and (chain.rules or chain.denies_by_policy))

    def denies_by_default(self, family: str) -> bool:
        """Say whether a packet of a family (`ip`, `ip6`) that no condition names is kept out."""
        return any(self._fate(chain) for chain in self.inputs() if chain.family in {family, "inet"})

    def _fate(self, base: Chain) -> bool:
        fate = self._walk(base, 0)
        return base.denies_by_policy if fate is Target.RETURN else fate is Target.DENY

    def _walk(self, chain: Chain, depth: int) -> Target:
        """Return ACCEPT, DENY, or RETURN where the chain's end is reached."""
        for rule in chain.rules:
            if rule.is_conditional or rule.target is Target.NOTHING:
                continue
            if rule.target in {Target.JUMP, Target.GOTO}:
                fate = self._follow(chain, rule.chain, depth)
                if fate is not Target.RETURN or rule.target is Target.GOTO:
                    return fate
                continue
            return rule.target
        return Target.RETURN

    def _follow(self, here: Chain, name: str, depth: int) -> Target:
        if depth > 32:
            return Target.ACCEPT
        for chain in self.chains:
            if (chain.family, chain.table, chain.name) == (here.family, here.table, name):
                return self._walk(chain, depth + 1)
        return Target.RETURN
