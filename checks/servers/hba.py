"""Whom PostgreSQL lets in from where by which method: the rules of pg_hba.conf, of which the first that fits decides. Pure.

Tried are the addresses that the rules themselves name: the first and the last of each network, and those beside the networks
of earlier rules. Source: the PostgreSQL manual, "The pg_hba.conf File".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LOOPBACK: tuple[Address, ...] = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
_ALL: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_TRANSPORTS: Mapping[str, frozenset[str]] = {
    "local": frozenset({"local"}),
    "host": frozenset({"ssl", "plain", "gss"}),
    "hostssl": frozenset({"ssl"}),
    "hostnossl": frozenset({"plain", "gss"}),
    "hostgssenc": frozenset({"gss"}),
    "hostnogssenc": frozenset({"ssl", "plain"}),
}
REPLICATION = "replication"
_WIDE = {4: 8, 6: 16}
"""Networks with shorter prefixes belong to nobody: 10.0.0.0/8 is the widest private one."""


@dataclass(frozen=True, slots=True)
class HbaRule:
    """One rule, as `pg_hba_file_rules` shows it."""

    line: int
    kind: str
    """`local`, `host`, `hostssl`, ..."""
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str
    """As it is written: an address, `all`, `samehost`, `samenet`, a name; empty for `local`."""
    netmask: str
    method: str
    mapping: str = ""
    """The name of the map of names that `peer`, `ident` or `cert` go by."""

    @property
    def networks(self) -> tuple[Network, ...]:
        """Return the addresses that it is for; none where they depend on names or on the host's own networks."""
        if self.address == "all":
            return _ALL
        try:
            return (
                ipaddress.ip_network(f"{self.address}/{self.netmask}" if self.netmask else self.address, strict=False),
            )
        except ValueError:
            return ()


@dataclass(frozen=True, slots=True)
class HbaRole:
    """A role that may log in, as rules ask of it."""

    name: str
    member_of: frozenset[str]
    """All roles that it is a member of, over however many steps, and itself."""
    may_replicate: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """A rule that lets a role in."""

    rule: HbaRule
    role: str
    transport: str
    """`local`, `ssl`, `plain` or `gss`."""
    address: Address | None
    """None over a socket, and where the rule names no addresses."""

    @property
    def is_from_elsewhere(self) -> bool:
        """Say whether somebody on another machine gets in by it."""
        return self.transport != "local" and (self.address is None or not self.address.is_loopback)

    @property
    def is_from_anywhere(self) -> bool:
        """Say whether its rule is for more addresses than any one organisation has, such as a half of all."""
        return self.transport != "local" and any(each.prefixlen < _WIDE[each.version] for each in self.rule.networks)

    @property
    def place(self) -> str:
        """Return from where, for people."""
        if self.transport == "local":
            return "local"
        return f"{self.rule.address}/{self.rule.netmask}" if self.rule.netmask else self.rule.address


def admissions(
    rules: Sequence[HbaRule], roles: Sequence[HbaRole], databases: Sequence[str], listens: str
) -> Iterator[Admission]:
    """Yield by which rule each role gets in, for each rule that lets in anybody at all.

    Args:
        rules: in their order.
        roles: that may log in.
        databases: that may be connected to.
        listens: `listen_addresses` of the running server.
    """
    where = [each.strip() for each in listens.split(",") if each.strip()]
    is_networked, is_loopback = bool(where), all(each in {"localhost", "127.0.0.1", "::1"} for each in where)
    networks = [rule.networks for rule in rules]
    named = [
        frozenset(role.name for role in roles if any(_is_role(each, role) for each in rule.users)) for rule in rules
    ]
    chances = {role.name: _chances(rules, role, databases) for role in roles}
    known: dict[tuple[int, ...], tuple[str, ...]] = {}

    def let_in(here: tuple[int, ...]) -> tuple[str, ...]:
        """Return the roles that come to the last of some rules, and are met by none of those before it."""
        last = here[-1]
        found = []
        for role in roles:
            if role.name in named[last]:
                before = [each for each in here[:-1] if role.name in named[each]]
                if any(fits[last] and not any(fits[each] for each in before) for fits in chances[role.name]):
                    found.append(role.name)
        return tuple(found)

    for number, rule in enumerate(rules):
        if rule.kind != "local" and not is_networked:
            continue
        points = (None,) if rule.kind == "local" else tuple(_points(networks[: number + 1]))
        for transport in sorted(_TRANSPORTS.get(rule.kind, frozenset())):
            able = [at for at in range(number + 1) if transport in _TRANSPORTS.get(rules[at].kind, frozenset())]
            for address in points:
                if address is not None and is_loopback and not address.is_loopback:
                    continue
                here = tuple(
                    at for at in able if transport == "local" or _is_from(rules[at], networks[at], address, rule)
                )
                if here not in known:
                    known[here] = let_in(here)
                for role_name in known[here]:
                    yield Admission(rule, role_name, transport, address)


def _chances(rules: Sequence[HbaRule], role: HbaRole, databases: Sequence[str]) -> frozenset[tuple[bool, ...]]:
    """Return which rules name a database, for each that a role may ask for; those that no rule tells apart count as one."""
    names = (*databases, *((REPLICATION,) if role.may_replicate else ()))
    return frozenset(
        tuple(any(_is_database(token, name, role) for token in rule.databases) for rule in rules) for name in names
    )


def _points(networks: Sequence[tuple[Network, ...]]) -> Iterator[Address | None]:
    """Yield addresses of the last rule: the ends of its networks, loopback, and what lies beside the networks before."""
    if not networks[-1]:
        yield None
    found: dict[Address, None] = {}
    for network in networks[-1]:
        beside = [
            ipaddress.ip_address(type(network.network_address)(number))
            for other in (each for some in networks[:-1] for each in some)
            if other.version == network.version
            for number in (int(other.network_address) - 1, int(other.broadcast_address) + 1)
            if int(network.network_address) <= number <= int(network.broadcast_address)
        ]
        for address in (network.network_address, network.broadcast_address, *_LOOPBACK, *beside):
            if address in network:
                found[address] = None
    yield from found


def _is_from(rule: HbaRule, networks: tuple[Network, ...], address: Address | None, asked: HbaRule) -> bool:
    if rule is asked or rule.address == "all":
        return True
    if address is None:
        return rule.address == asked.address
    return any(address in network for network in networks)


def _is_role(token: str, role: HbaRole) -> bool:
    if token.startswith("+"):
        return token[1:] in role.member_of
    return token in {"all", role.name} or _fits(token, role.name)


def _is_database(token: str, database: str, role: HbaRole) -> bool:
    if database == REPLICATION:
        return token == REPLICATION
    if token in {"samerole", "samegroup"}:
        return database in role.member_of
    return token in {"all", database} or (token == "sameuser" and database == role.name) or _fits(token, database)


def _fits(token: str, name: str) -> bool:
    """Say whether a name fits a regular expression; one that cannot be read here fits everything."""
    if not token.startswith("/"):
        return False
    try:
        return re.search(token[1:], name) is not None
    except re.error:
        return True
