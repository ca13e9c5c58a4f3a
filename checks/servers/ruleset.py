"""The kernel's packet filter as a value, whichever program filled it, and what it does with a packet nobody named.

ufw, firewalld and iptables are front ends; what counts is what the kernel holds. A packet is let in only if every base
chain at the input hook lets it, so one chain that denies by default is enough. What is followed is a packet that nobody
named: a new one, of TCP or UDP, to a port and from an address that stand in no rule, at each device that rules name and at
one that none names, from each part of the address space that wide networks in rules divide it into: what no more than
`MOST_ADDRESSES` public ones can use is named, what more can use is open. So are ranges of ports that together are more than `MOST_PORTS`. Conditions on fewer ports and addresses are a matter
of firewall.listeners and the view from outside.

A rule whose conditions cannot be read (a limit, a mark, a match of iptables that nft does not spell out) holds for some, for
all or for nobody: what follows from it stays unsure. Only where such a rule denies is it taken to leave the rest as it was.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import product
from typing import TypeAlias

ANY_DEVICE = ""
"""A device that no rule names."""
DECIDES_NOTHING = frozenset(
    (
        *("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "AUDIT", "SET", "TCPMSS"),
        *("TCPOPTSTRIP", "CLASSIFY", "CHECKSUM", "TOS", "DSCP", "ECN", "TTL", "HL", "SECMARK", "CONNSECMARK"),
        *("IDLETIMER", "LED", "RATEEST", "HMARK", "TEE", "NOTRACK", "CT", "TPROXY", "SNAT", "MASQUERADE"),
    )
)
"""Targets of iptables after which the next rule goes on, or that the input hook does not have (iptables-extensions(8))."""
MOST_ADDRESSES = {"ip": 1 << 24, "ip6": 1 << 108}
"""So many public addresses rules may let in everywhere: as many as the largest networks that anybody was given."""
MOST_PORTS = 32768
"""So many ports rules may let in: half of them; passive FTP or calls take less."""
WIDE_PORTS = 1023
"""A range of more ports than that is told apart."""
MAX_RANGES = 8
"""Of those so many, the largest first."""
MAX_NETWORKS = 48
"""Of the wide networks that rules name, so many are told apart, the largest first."""
MAX_DEVICES = 64
"""Rules that name more devices are not followed."""
MAX_DEPTH = 300
"""Chains that are jumped to so deep are not followed; nftables itself allows 16."""


class PacketTarget(StrEnum):
    """What a packet meets."""

    OPEN = "open"
    SHUT = "shut"
    UNSURE = "unsure"


class JumpTarget(StrEnum):
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
    """`dport` (`udp` for UDP's alone), `sport`, `saddr`, `daddr`, `state` and `status` (of connection tracking), `l4proto`,
    `nfproto`, `iif`; `other` for a field that only protocols beside TCP and UDP have."""
    values: tuple[str, ...]
    """Any of these: single ones, `FIRST-LAST`, or networks; sets are resolved."""
    is_negated: bool


@dataclass(frozen=True, slots=True)
class NewDestination:
    """The destination that a rule gives a packet."""

    addresses: tuple[str, ...]
    """One of these; none where it is the host's own of the device."""
    ports: tuple[str, ...] = ()
    """One of these, as in conditions; none where the port stays as it was."""
    is_clear: bool = True
    """Whether all of that was read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, reduced to what is judged."""

    is_conditional: bool
    target: JumpTarget
    chain: str = ""
    """For jump and goto."""
    conditions: tuple[Condition | None, ...] = (None,)
    """All of these must hold, where the rule is conditional; None for one that is not understood."""
    to: NewDestination | None = None
    """Where it translates the destination."""

    def may_meet(self, device: str) -> bool:
        """Say whether its conditions on the device hold."""
        return not self.is_conditional or all(
            is_one_of(device, one.values) is not one.is_negated
            for one in self.conditions
            if one is not None and one.field == "iif"
        )

    @property
    def may_come_from_elsewhere(self) -> bool:
        """Say whether it holds for packets that did not come over loopback."""
        return not any(
            one and one.field == "iif" and not one.is_negated and set(one.values) == {"lo"} for one in self.conditions
        )

    def ports(self) -> tuple[str, ...]:
        """Return the ports that it holds for, as in conditions; none where it holds for any."""
        asked = [one for one in self.conditions if one and one.field in {"dport", "udp"} and not one.is_negated]
        return asked[0].values if asked else ()

    def protocols(self) -> frozenset[str]:
        """Return which of TCP and UDP it holds for."""
        fields = {one.field for one in self.conditions if one}
        if "udp" in fields:
            return frozenset({"udp"})
        for one in self.conditions:
            if one and one.field == "l4proto" and not one.is_negated and not has_range(one.values):
                named = {"6": "tcp", "17": "udp"}
                return frozenset({named.get(value, value) for value in one.values})
        return frozenset({"tcp"}) if "dport" in fields else frozenset({"tcp", "udp"})


@dataclass(frozen=True, slots=True)
class FilterChain:
    """One chain of one table."""

    family: str
    """`ip`, `ip6` or `inet`."""
    table: str
    name: str
    is_input: bool
    """A base chain of type filter at the input hook."""
    denies_by_policy: bool
    rules: tuple[Rule, ...]
    translates: bool = False
    """A base chain of type nat at the prerouting hook; to its rules, a new destination is ACCEPT."""

    def is_named(self, family: str, table: str, name: str) -> bool:
        """Say whether it is the chain of that name."""
        return (self.family, self.table, self.name) == (family, table, name)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains."""

    chains: tuple[FilterChain, ...]
    untracks: bool = False
    """A rule keeps some packets out of connection tracking."""

    def find_chain(self, here: FilterChain, name: str) -> FilterChain | None:
        """Return the chain of a name in the table of another one, or None if it is not listed."""
        return next((one for one in self.chains if one.is_named(here.family, here.table, name)), None)

    def inputs(self) -> tuple[FilterChain, ...]:
        """Return the base chains at the input hook that do anything."""
        return tuple(chain for chain in self.chains if chain.is_input and (chain.rules or chain.denies_by_policy))

    def translations(self) -> tuple[Rule, ...]:
        """Return the rules that give what comes from elsewhere another destination."""
        ahead = [chain for chain in self.chains if chain.translates]
        seen: set[tuple[str, str, str]] = set()
        found = []
        while ahead:
            chain = ahead.pop()
            if (place := (chain.family, chain.table, chain.name)) in seen:
                continue
            seen.add(place)
            found += [rule for rule in chain.rules if rule.to and rule.may_come_from_elsewhere]
            inner = (self.find_chain(chain, rule.chain) for rule in chain.rules if rule.chain)
            ahead += [each for each in inner if each is not None]
        return tuple(found)

    def denies(self) -> bool:
        """Say whether some base chain at the input hook refuses anything, beyond addresses that it names."""
        return any(base.denies_by_policy or self._denies(base, set()) for base in self.inputs())

    def _denies(self, chain: FilterChain, seen: set[str]) -> bool:
        seen.add(chain.name)
        for rule in chain.rules:
            if rule.target is JumpTarget.DENY and not any(
                one and one.field == "saddr" and not one.is_negated and not are_all(one.values)
                for one in rule.conditions
            ):
                return True
            if rule.target in {JumpTarget.JUMP, JumpTarget.GOTO} and rule.chain not in seen:
                inner = self.find_chain(chain, rule.chain)
                if inner is None or self._denies(inner, seen):
                    return True  # or what is in it is not known
            if rule.target in {JumpTarget.ACCEPT, JumpTarget.RETURN} and not rule.is_conditional:
                return False
        return False

    def devices(self) -> frozenset[str]:
        """Return the devices, or patterns such as `eth*`, that rules name beside loopback."""
        conditions = (one for chain in self.chains for rule in chain.rules for one in rule.conditions)
        return frozenset(value for one in conditions if one and one.field == "iif" for value in one.values) - {"lo"}

    def entrances(self, family: str, trusted: Collection[str] = (), also: Collection[str] = ()) -> tuple[Entrance, ...]:
        """Return what a packet of a family that nobody named meets at each device, `ANY_DEVICE` before the others.

        Args:
            family: `ip` or `ip6`.
            trusted: devices that may let in everything, which are not looked at.
            also: devices that are looked at beside those that rules name.
        """
        named = [name for name in self.devices() | set(also) if not is_one_of(name, trusted)]
        sources = [(each, public_addresses(family, each)) for each in self._sources(family)]
        ports = self._ports()
        conditions = (one for chain in self.chains for rule in chain.rules for one in rule.conditions)
        asked = {one.values for one in conditions if one and one.field == "iif"}
        alike: dict[tuple[bool, ...], Entrance] = {}
        found = []
        for device in sorted({ANY_DEVICE, *named}):
            # Devices that meet the same conditions meet the same fate.
            met = tuple(is_one_of(device, values) for values in asked)
            if met not in alike:
                alike[met] = self._narrowed(device)._entrance(family, device, sources, ports)
            found.append(replace(alike[met], device=device))
        return tuple(found)

    def _entrance(
        self,
        family: str,
        device: str,
        sources: Iterable[tuple[tuple[int, int], int]],
        ports: Sequence[tuple[int, int]],
    ) -> Entrance:
        sizes = dict.fromkeys(PacketTarget, 0)
        doubts: set[str] = set()
        for source, size in sources:
            doors = []
            unsure: set[str] = set()
            for protocol in ("tcp", "udp"):
                numbers = dict.fromkeys(PacketTarget, 0)
                for span in ports:
                    walk = self._walk(_Unnamed(family, device, source, span, protocol, self.untracks))
                    numbers[walk.door()] += span[1] - span[0] + 1
                    unsure |= walk.doubts
                doors.append(_exceeded(numbers, MOST_PORTS))
            door = next((each for each in (PacketTarget.OPEN, PacketTarget.UNSURE) if each in doors), PacketTarget.SHUT)
            sizes[door] += size
            doubts |= unsure if door is PacketTarget.UNSURE else set()
        door = _exceeded(sizes, MOST_ADDRESSES[family])
        return Entrance(
            device,
            door,
            tuple(sorted(doubts)) if door is PacketTarget.UNSURE else (),
            sizes[PacketTarget.OPEN] / sum(sizes.values()),
        )

    def _narrowed(self, device: str) -> Ruleset:
        """Return it without the rules that are for other devices alone: most rules are, where devices are many."""
        chains = (
            replace(each, rules=tuple(rule for rule in each.rules if rule.may_meet(device))) for each in self.chains
        )
        return replace(self, chains=tuple(chains))

    def _sources(self, family: str) -> tuple[tuple[int, int], ...]:
        """Return the parts of the address space, first and last, that the widest networks of all rules divide it into."""
        conditions = {one for chain in self.chains for rule in chain.rules for one in rule.conditions if one}
        spans = {
            span
            for one in conditions
            if one.field == "saddr"
            for span in merged_spans(family, one.values)
            if span[1] - span[0] >= MOST_ADDRESSES[family] >> 8
        }
        widest = sorted(spans, key=lambda span: span[0] - span[1])[:MAX_NETWORKS]
        return _parts(widest, 0, (1 << _BITS[family]) - 1)

    def _ports(self) -> tuple[tuple[int, int], ...]:
        """Return the parts, first and last, that the widest ranges of ports of all rules divide the ports into."""
        conditions = {one for chain in self.chains for rule in chain.rules for one in rule.conditions if one}
        asked = {one.values for one in conditions if one.field in {"dport", "udp"}}
        spans = {span for values in asked for span in port_spans(values) if span[1] - span[0] >= WIDE_PORTS}
        widest = sorted(spans, key=lambda span: span[0] - span[1])[:MAX_RANGES]
        return _parts(widest, 1, 65535)

    def _walk(self, packet: _Unnamed) -> _Walk:
        before = _Walk(self, packet)
        bases = [chain for chain in self.chains if chain.translates and chain.family in {packet.family, "inet"}]
        is_translated = any(JumpTarget.ACCEPT in before.walk(base) for base in bases)
        return _Walk(self, replace(packet, may_be_translated=is_translated))

    def followed(self) -> frozenset[FilterChain]:
        """Return the chains that a packet to this host may come through."""
        ahead = [*self.inputs(), *(chain for chain in self.chains if chain.translates)]
        seen: set[FilterChain] = set()
        while ahead:
            chain = ahead.pop()
            if chain not in seen:
                seen.add(chain)
                inner = (self.find_chain(chain, rule.chain) for rule in chain.rules if rule.chain)
                ahead += [each for each in inner if each is not None]
        return frozenset(seen)

    def without_bans(self) -> Ruleset:
        """Return it without the rules that refuse few senders by their addresses."""
        chains = (replace(each, rules=tuple(rule for rule in each.rules if not _is_ban(rule))) for each in self.chains)
        return replace(self, chains=tuple(chains))


def _is_ban(rule: Rule) -> bool:
    named = [one for one in rule.conditions if one and one.field == "saddr" and not one.is_negated]
    return rule.target is JumpTarget.DENY and any(
        all(
            sum(public_addresses(family, span) for span in merged_spans(family, one.values)) <= most
            for family, most in MOST_ADDRESSES.items()
        )
        for one in named
    )


def _parts(spans: Iterable[tuple[int, int]], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Return the parts, first and last, that spans divide a space into."""
    spans = tuple(spans)
    starts = sorted({first, *(low for low, _ in spans), *(high + 1 for _, high in spans)} - {first - 1, last + 1})
    return tuple(zip(starts, (*(each - 1 for each in starts[1:]), last), strict=True))


def _exceeded(sizes: Mapping[PacketTarget, int], most: int) -> PacketTarget:
    """Return what more than so many meet: OPEN, or UNSURE where it takes those that are unsure."""
    if sizes[PacketTarget.OPEN] > most:
        return PacketTarget.OPEN
    return PacketTarget.UNSURE if sizes[PacketTarget.OPEN] + sizes[PacketTarget.UNSURE] > most else PacketTarget.SHUT


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a packet that nobody named meets at a device."""

    device: str
    door: PacketTarget
    doubts: tuple[str, ...]
    """Where it is unsure, the chains with rules that may decide and can't be judged: `ip filter INPUT`."""
    share: float = 0.0
    """Of the public addresses, those that surely are let in."""


_Fates: TypeAlias = frozenset[JumpTarget]
"""What may become of a packet: ACCEPT, DENY, or RETURN where a chain's end is reached."""
_NOT_REPORTED = frozenset({JumpTarget.ACCEPT, JumpTarget.RETURN})


@dataclass(frozen=True, slots=True)
class _Walk:
    """One packet on its way through the chains."""

    ruleset: Ruleset
    packet: _Unnamed
    doubts: set[str] = field(default_factory=set)

    def door(self) -> PacketTarget:
        seen = PacketTarget.OPEN
        for base in self.ruleset.inputs():
            if base.family not in {self.packet.family, "inet"}:
                continue
            policy = JumpTarget.DENY if base.denies_by_policy else JumpTarget.ACCEPT
            fates = {policy if fate is JumpTarget.RETURN else fate for fate in self.walk(base)}
            if fates == {JumpTarget.DENY}:
                return PacketTarget.SHUT
            if JumpTarget.DENY in fates:
                seen = PacketTarget.UNSURE
        return seen

    def walk(self, base: FilterChain) -> _Fates:
        return self._walk(base, {}, 0)

    def _walk(self, chain: FilterChain, known: dict[str, _Fates], depth: int) -> _Fates:
        may: _Fates = frozenset()
        for rule in chain.rules:
            holds = self.packet.meets(rule)
            if holds is Holds.NOT or rule.target is JumpTarget.NOTHING:
                continue
            goes_on = holds is Holds.UNSURE
            is_led_on = rule.target in {JumpTarget.JUMP, JumpTarget.GOTO}
            fates = self._inner(chain, rule.chain, known, depth + 1) if is_led_on else frozenset((rule.target,))
            if rule.target is JumpTarget.JUMP and JumpTarget.RETURN in fates:
                fates, goes_on = fates - {JumpTarget.RETURN}, True
            if JumpTarget.DENY in fates and holds is not Holds.FOR_ALL:
                fates, goes_on = fates - {JumpTarget.DENY}, True
            if fates and holds is Holds.UNSURE:
                self.doubts.add(f"{chain.family} {chain.table} {chain.name}")
            may |= fates
            if not goes_on:
                return may
        return may | {JumpTarget.RETURN}

    def _inner(self, here: FilterChain, name: str, known: dict[str, _Fates], depth: int) -> _Fates:
        """Return the fates in a chain that is jumped to, found out once: chains that fork would take for ever else."""
        if name not in known:
            known[name] = _NOT_REPORTED  # as long as it is not found out, as in a ring
            chain = self.ruleset.find_chain(here, name)
            if chain is None or depth > MAX_DEPTH:
                self.doubts.add(f"{here.family} {here.table} {here.name}")
                return _NOT_REPORTED
            known[name] = self._walk(chain, known, depth)
        return known[name]


_NOT_OF_NEW = frozenset({"expected", "seen-reply", "seen_reply", "assured", "confirmed", "snat", "dnat", "dying"})
"""What a new packet's status has not, unless its destination was translated (`dnat`): nft(8), iptables-extensions(8)."""


class Holds(IntEnum):
    """Whom a rule's conditions hold for."""

    NOT = 0
    UNSURE = 1
    """It cannot be judged."""
    UNNAMED = 2
    """For what nobody named, and not for all: "any port but 22", "TCP", "new ones"."""
    FOR_ALL = 3


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """A new packet to a port and from an address that no rule names."""

    family: str
    device: str
    source: tuple[int, int]
    """First and last of the addresses that it may come from; those that no wide network holds are in no narrow one."""
    ports: tuple[int, int]
    """First and last of the ports that it may be for, in the same way."""
    protocol: str
    may_be_untracked: bool
    may_be_translated: bool = False

    def meets(self, rule: Rule) -> Holds:
        if not rule.is_conditional:
            return Holds.FOR_ALL
        return min((self._met(one) for one in rule.conditions), default=Holds.UNSURE)

    def _met(self, condition: Condition | None) -> Holds:
        if condition is None:
            return Holds.UNSURE
        values, found = condition.values, Holds.UNNAMED
        match condition.field:
            case "iif":
                is_met, found = is_one_of(self.device, values), Holds.FOR_ALL
            case "nfproto":
                is_met, found = ("ipv4" if self.family == "ip" else "ipv6") in values, Holds.FOR_ALL
            case "state":
                is_met = "new" in values
                if not is_met and ((self.may_be_untracked and "untracked" in values) or self._is_doubtful(values)):
                    return Holds.UNSURE
            case "status":
                is_met = False
                if not _NOT_OF_NEW.issuperset(values) or self._is_doubtful(values):
                    return Holds.UNSURE
            case "l4proto":
                is_met = bool({self.protocol, "6" if self.protocol == "tcp" else "17"} & set(values))
                if not is_met and has_range(values):
                    return Holds.UNSURE
            case "udp" if self.protocol != "udp":
                return Holds.NOT
            case "saddr":
                spans = merged_spans(self.family, values)
                if not spans:
                    return Holds.NOT  # of the other family, or of a device
                is_met, found = (
                    any(first <= self.source[0] and self.source[1] <= last for first, last in spans),
                    Holds.FOR_ALL,
                )
            case "dport" | "udp":
                spans = port_spans(values)
                is_met = any(first <= self.ports[0] and self.ports[1] <= last for first, last in spans)
            case "sport":
                return Holds.UNNAMED  # who sends it chooses it
            case "daddr":
                is_met = are_all(values)
                if not is_met and not is_multicast(values):
                    return Holds.UNSURE  # it may be the host's own
            case "other":
                return Holds.NOT
            case _:
                return Holds.UNSURE
        return found if is_met is not condition.is_negated else Holds.NOT

    def _is_doubtful(self, values: Collection[str]) -> bool:
        return self.may_be_translated and "dnat" in values


class _Named(_Unnamed):
    """A new packet to a port and from an address that rules do not tell apart from its neighbours: what they say of it is exact."""

    __slots__ = ()

    def _met(self, condition: Condition | None) -> Holds:
        found = _Unnamed._met(self, condition)
        is_exact = condition is not None and condition.field != "sport"
        return Holds.FOR_ALL if found is Holds.UNNAMED and is_exact else found


@dataclass(frozen=True, slots=True)
class Laxer:
    """What one ruleset lets in that another does not, as `tcp/22 from 0.0.0.0/0`."""

    opens: tuple[str, ...]
    doubts: tuple[str, ...]
    """It may let these in."""
    is_whole: bool
    """Neither has more networks, ports and devices than are told apart."""


MAX_PARTS = {"sources": 32, "ports": 48, "devices": 6}
"""Into so many parts senders, ports and devices are divided where two rulesets are compared."""


def laxer(then: Ruleset, now: Ruleset, trusted: Collection[str] = ()) -> Laxer:
    """Return what a ruleset lets in that another one, of this moment, does not; bans of this moment are left out.

    >>> laxer(Ruleset(()), Ruleset(()))
    Laxer(opens=(), doubts=(), is_whole=True)
    """
    now = now.without_bans()
    if then.followed() == now.followed():
        return Laxer((), (), is_whole=True)
    conditions = {
        one for chain in then.followed() | now.followed() for rule in chain.rules for one in rule.conditions if one
    }
    asked = {one.values for one in conditions if one.field == "iif"}
    named = {each for values in asked for each in values} - {"lo"}
    alike = {
        tuple(is_one_of(device, values) for values in asked): device
        for device in sorted({ANY_DEVICE, *named}, reverse=True)
        if not is_one_of(device, trusted)
    }
    port_values = {one.values for one in conditions if one.field in {"dport", "udp"}}
    ports, are_ports_whole = _limited({span for values in port_values for span in port_spans(values)}, "ports")
    devices = sorted(alike.values())[: MAX_PARTS["devices"]]
    is_whole = are_ports_whole and len(devices) == len(alike)
    widest: dict[tuple[PacketTarget, str, tuple[int, int], str, str], tuple[int, int]] = {}
    order = (PacketTarget.OPEN, PacketTarget.UNSURE, PacketTarget.SHUT)
    for family, bits in _BITS.items():
        values = {one.values for one in conditions if one.field == "saddr"}
        sources, are_whole = _limited({span for each in values for span in merged_spans(family, each)}, "sources")
        is_whole = is_whole and are_whole
        places = product(devices, _parts(ports, 1, 65535), ("tcp", "udp"), _parts(sources, 0, (1 << bits) - 1))
        narrowed = {device: (then._narrowed(device), now._narrowed(device)) for device in devices}
        for device, span, protocol, source in places:
            after, before = (
                each._walk(_Named(family, device, source, span, protocol, each.untracks)).door()
                for each in narrowed[device]
            )
            if order.index(after) < order.index(before):
                place = (after, protocol, span, family, device)
                widest[place] = max(widest.get(place, source), source, key=lambda each: each[1] - each[0])
    # A condition on a port does not always tell which protocol it is of: what is said of TCP is not said again of UDP.
    said = {
        place: _label(*place[1:], source)
        for place, source in widest.items()
        if place[1] == "tcp" or (place[0], "tcp", *place[2:]) not in widest
    }
    opens, doubts = (tuple(sorted(label for place, label in said.items() if place[0] is door)) for door in order[:2])
    return Laxer(opens, doubts, is_whole)


def _limited(spans: Collection[tuple[int, int]], kind: str) -> tuple[list[tuple[int, int]], bool]:
    """Return the widest of so many, and whether these are all."""
    most = MAX_PARTS[kind] // 2
    return sorted(spans, key=lambda span: (span[0] - span[1], span))[:most], len(spans) <= most


def _label(protocol: str, ports: tuple[int, int], family: str, device: str, source: tuple[int, int]) -> str:
    span = str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
    kind = ipaddress.IPv4Address if family == "ip" else ipaddress.IPv6Address
    first, last = kind(source[0]), kind(source[1])
    networks = tuple(ipaddress.summarize_address_range(first, last))
    sender = first if first == last else networks[0] if len(networks) == 1 else f"{first}-{last}"
    return f"{protocol}/{span} from {sender}" + (f" at {device}" if device else "")


_BITS = {"ip": 32, "ip6": 128}
_PRIVATE = {
    "ip": (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    ),
    "ip6": ("::/3", "4000::/2", "8000::/1"),
}
"""What is nobody's on the Internet (RFC 6890, RFC 4291)."""


def public_addresses(family: str, span: tuple[int, int]) -> int:
    """Return how many public addresses lie between two."""
    private = (_span(each)[:2] for each in _PRIVATE[family])
    return span[1] - span[0] + 1 - sum(max(0, min(span[1], last) - max(span[0], first) + 1) for first, last in private)


@lru_cache(maxsize=1024)
def port_spans(values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return the ports among values, first and last, where neighbours are one; what is no number is left out.

    >>> port_spans(("1-21", "23-1023", "1024-65535"))
    ((1, 21), (23, 65535))
    """
    return _merged((max(1, span[0]), span[1]) for value in values if value[:1].isdecimal() for span in [_span(value)])


@lru_cache(maxsize=1024)
def merged_spans(family: str, values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return the addresses of a family among values, first and last, where neighbours are one."""
    return _merged(filter(None, (_addresses(family, value) for value in values)))


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _addresses(family: str, value: str) -> tuple[int, int] | None:
    try:
        first, last, _least, most = _span(value)
    except ValueError:
        return None
    return (first, last) if most == (1 << _BITS[family]) - 1 else None


def is_multicast(values: Iterable[str]) -> bool:
    """Say whether all are addresses or networks of groups of hosts, and none of one host."""
    try:
        return all(ipaddress.ip_network(value, strict=False).is_multicast for value in values)
    except ValueError:
        return False


def are_all(values: Iterable[str]) -> bool:
    """Say whether ports, or addresses and networks of one family, leave none out: by one of them, or together.

    >>> are_all(["1-1023", "1024-65535"]), are_all(["128.0.0.0/1", "0.0.0.0/1"]), are_all(["1-21", "23-65535"])
    (True, True, False)
    """
    reached = -1
    try:
        for first, last, least, most in sorted(_span(value) for value in values):
            if first > max(reached + 1, least):
                return False
            reached = max(reached, last)
            if reached >= most:
                return True
    except ValueError:
        pass  # a device's address, or the name of a service
    return False


def _span(value: str) -> tuple[int, int, int, int]:
    """Return the first and the last of a value, and of all that there are: no port is 0."""
    first, _, last = value.partition("-")
    if first.isdecimal():
        return int(first), int(last or first), 1, 65535
    if "/" in first:
        network = ipaddress.ip_network(first, strict=False)
        return int(network.network_address), int(network.broadcast_address), 0, 2**network.max_prefixlen - 1
    address = ipaddress.ip_address(first)
    return int(address), int(ipaddress.ip_address(last or first)), 0, 2**address.max_prefixlen - 1


def has_range(protocols: Iterable[str]) -> bool:
    """Say whether protocols are given as a range of numbers, `0-255`; a name such as `ipv6-icmp` is none."""
    return any("-" in one and one[0].isdecimal() for one in protocols)


def is_one_of(device: str, names: Iterable[str]) -> bool:
    """Say whether a device is among names and patterns such as `br-*`."""
    return any(device == name or (name.endswith("*") and fnmatchcase(device, name)) for name in names)
