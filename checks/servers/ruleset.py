"""The kernel's packet filter as a value, whichever program filled it, and what it does with a packet nobody named.

ufw, firewalld and iptables are front ends; what counts is what the kernel holds. A packet is let in only if every base
chain at the input hook lets it, so one chain that denies by default is enough. What is followed is a packet that nobody
named: a new one, of TCP or UDP, to a port and from an address that stand in no rule, at each device that rules name and at
one that none names. Conditions on ports and addresses are a matter of firewall.listeners and the view from outside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase

ANY_DEVICE = ""
"""A device that no rule names."""
MAX_DEVICES = 64
"""Rules that name more devices are not followed."""


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

    def is_named(self, family: str, table: str, name: str) -> bool:
        """Say whether it is the chain of that name."""
        return (self.family, self.table, self.name) == (family, table, name)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains."""

    chains: tuple[Chain, ...]

    def inputs(self) -> tuple[Chain, ...]:
        """Return the base chains at the input hook that do anything."""
        return tuple(chain for chain in self.chains if chain.is_input and (chain.rules or chain.denies_by_policy))

    def devices(self) -> frozenset[str]:
        """Return the devices, or patterns such as `eth*`, that rules name beside loopback."""
        conditions = (one for chain in self.chains for rule in chain.rules for one in rule.conditions)
        return frozenset(value for one in conditions if one and one.field == "iif" for value in one.values) - {"lo"}

    def denies_by_default(self, family: str, trusted: Collection[str] = ()) -> bool:
        """Say whether a packet of a family (`ip`, `ip6`) that nobody named is kept out at every device but trusted ones."""
        return not self.open_devices(family, trusted)

    def open_devices(self, family: str, trusted: Collection[str] = ()) -> tuple[str, ...]:
        """Return the devices at which a packet of a family that nobody named is let in, `ANY_DEVICE` before the others.

        Args:
            family: `ip` or `ip6`.
            trusted: devices that may let in everything, which are not looked at.
        """
        named = [name for name in self.devices() if not is_one_of(name, trusted)]
        return tuple(device for device in sorted((ANY_DEVICE, *named)) if self._lets_in(family, device))

    def _lets_in(self, family: str, device: str) -> bool:
        bases = [chain for chain in self.inputs() if chain.family in {family, "inet"}]
        packets = [_Unnamed(family, device, protocol) for protocol in ("tcp", "udp")]
        return not all(any(self._denies(base, packet) for base in bases) for packet in packets)

    def _denies(self, base: Chain, packet: _Unnamed) -> bool:
        fate = self._walk(base, packet, {})
        return base.denies_by_policy if fate is Target.RETURN else fate is Target.DENY

    def _walk(self, chain: Chain, packet: _Unnamed, known: dict[str, Target]) -> Target:
        """Return ACCEPT, DENY, or RETURN where the chain's end is reached."""
        for rule in chain.rules:
            holds = packet.meets(rule)
            if holds is Holds.NOT or rule.target is Target.NOTHING:
                continue
            fate: Target = rule.target
            if fate in {Target.JUMP, Target.GOTO}:
                fate = self._follow(chain, rule.chain, packet, known)
                if fate is Target.RETURN and rule.target is Target.JUMP:
                    continue
            if fate is Target.DENY and holds is not Holds.FOR_ALL:
                continue
            return fate
        return Target.RETURN

    def _follow(self, here: Chain, name: str, packet: _Unnamed, known: dict[str, Target]) -> Target:
        """Return the fate in a chain that is jumped to, found out once: chains that fork would take for ever else."""
        if name not in known:
            known[name] = Target.ACCEPT  # as long as it is not found out, as in a ring
            chain = next((one for one in self.chains if one.is_named(here.family, here.table, name)), None)
            known[name] = Target.RETURN if chain is None else self._walk(chain, packet, known)
        return known[name]


_EVERY = frozenset({"0.0.0.0/0", "::/0", "0-65535", "1-65535"})


class Holds(IntEnum):
    """Whom a rule's conditions hold for."""

    NOT = 0
    UNNAMED = 1
    """For what nobody named, and not for all: "any port but 22", "TCP", "new ones"."""
    FOR_ALL = 2


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """A new packet to a port and from an address that no rule names."""

    family: str
    device: str
    protocol: str

    def meets(self, rule: Rule) -> Holds:
        if not rule.is_conditional:
            return Holds.FOR_ALL
        return min((self._met(one) for one in rule.conditions), default=Holds.NOT)

    def _met(self, condition: Condition | None) -> Holds:
        if condition is None:
            return Holds.NOT
        values, found = condition.values, Holds.UNNAMED
        match condition.field:
            case "iif":
                is_met, found = is_one_of(self.device, values), Holds.FOR_ALL
            case "nfproto":
                is_met, found = ("ipv4" if self.family == "ip" else "ipv6") in values, Holds.FOR_ALL
            case "state":
                is_met = "new" in values
            case "l4proto":
                is_met = bool({self.protocol, "6" if self.protocol == "tcp" else "17"} & set(values))
            case "dport" | "saddr":
                is_met = bool(_EVERY & set(values))
            case _:
                return Holds.NOT
        return found if is_met is not condition.is_negated else Holds.NOT


def is_one_of(device: str, names: Iterable[str]) -> bool:
    """Say whether a device is among names and patterns such as `br-*`."""
    return any(device == name or (name.endswith("*") and fnmatchcase(device, name)) for name in names)
