"""What a packet filter does with a stranger who knocks at a port: somebody whose address is in none of the given networks.

A condition holds for every stranger, for some, for none, or can't be judged (a device, a limit, a match of iptables). The
answer keeps these apart: a port is open if some stranger surely gets in, shut if surely none does, else nobody knows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from checks.servers.ruleset import (
    Condition,
    FilterChain,
    JumpTarget,
    PacketTarget,
    Rule,
    Ruleset,
    has_range,
    is_multicast,
    is_one_of,
)

MAX_CHAINS = 300
"""So many chains are followed from one base chain; what is beyond is not told."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Holds(IntEnum):
    NEVER = 0
    UNSURE = 1
    SOME = 2
    ALWAYS = 3


@dataclass(frozen=True, slots=True)
class _Packet:
    family: str
    """`ip` or `ip6`."""
    port: int
    admins: Sequence[Network]
    trusted: Sequence[str]
    may_be_untracked: bool
    may_be_translated: bool = False


def door(
    ruleset: Ruleset, family: str, port: int, admins: Sequence[Network], trusted: Sequence[str] = ()
) -> PacketTarget:
    """Say whether a stranger's new TCP connection to a port is let in.

    Args:
        ruleset: all chains.
        family: `ip` or `ip6`.
        port: 1 to 65535.
        admins: networks that are no strangers'.
        trusted: devices at which there are no strangers.
    """
    knock = _Packet(
        family, port, tuple(one for one in admins if (one.version == 4) == (family == "ip")), trusted, ruleset.untracks
    )
    bases = [chain for chain in ruleset.chains if chain.translates and chain.family in {family, "inet"}]
    knock = replace(knock, may_be_translated=any(any(_walk(ruleset, base, knock, {})[:2]) for base in bases))
    seen = PacketTarget.OPEN
    for base in ruleset.inputs():
        if base.family not in {family, "inet"}:
            continue
        sure, maybe, passes = _walk(ruleset, base, knock, {})
        accepted = sure or (passes is _Holds.ALWAYS and not base.denies_by_policy)
        if accepted:
            continue
        if maybe or (passes is not _Holds.NEVER and not base.denies_by_policy):
            seen = PacketTarget.UNSURE
            continue
        return PacketTarget.SHUT
    return seen


_Fate: TypeAlias = tuple[bool, bool, _Holds]
"""Whether some stranger is surely accepted, whether some may be, and whether the end of the chain is reached."""
_NOT_REPORTED: _Fate = (False, True, _Holds.UNSURE)


def _walk(ruleset: Ruleset, chain: FilterChain, knock: _Packet, known: dict[str, _Fate]) -> _Fate:
    maybe, reach, left = False, _Holds.ALWAYS, _Holds.NEVER
    for rule in chain.rules:
        holds = _rule_holds(rule, knock)
        if holds is _Holds.NEVER or rule.target is JumpTarget.NOTHING:
            continue
        if rule.target in {JumpTarget.JUMP, JumpTarget.GOTO}:
            sure, may, comes_back = _inner(ruleset, ruleset.find_chain(chain, rule.chain), knock, known)
            if sure and holds >= _Holds.SOME and reach is _Holds.ALWAYS:
                return True, True, reach
            maybe = maybe or sure or may
            if rule.target is JumpTarget.GOTO:
                comes_back = _Holds.NEVER
            if holds is _Holds.ALWAYS and comes_back is _Holds.NEVER:
                return False, maybe, left
            if holds is not _Holds.SOME and comes_back is not _Holds.ALWAYS:
                reach = _Holds.UNSURE
            continue
        if rule.target is JumpTarget.RETURN:
            if holds is _Holds.ALWAYS:
                return False, maybe, max(reach, left)
            left = _Holds.UNSURE
            continue
        if rule.target is JumpTarget.ACCEPT:
            if holds >= _Holds.SOME and reach is _Holds.ALWAYS:
                return True, True, reach
            maybe = True
        if holds is _Holds.ALWAYS:
            return False, maybe, left
        if rule.target is JumpTarget.DENY and holds is _Holds.UNSURE:
            reach = _Holds.UNSURE  # from here on nobody can be sure to be still there
    return False, maybe, max(reach, left)


def _inner(ruleset: Ruleset, chain: FilterChain | None, knock: _Packet, known: dict[str, _Fate]) -> _Fate:
    """Return a chain's fate, found out once: chains that lead to each other by many ways would take for ever else."""
    if chain is None or len(known) > MAX_CHAINS:
        return _NOT_REPORTED
    if chain.name not in known:
        known[chain.name] = _NOT_REPORTED  # as long as it is not found out, as in a ring
        known[chain.name] = _walk(ruleset, chain, knock, known)
    return known[chain.name]


def _rule_holds(rule: Rule, knock: _Packet) -> _Holds:
    if not rule.is_conditional:
        return _Holds.ALWAYS
    return min((_holds(one, knock) for one in rule.conditions), default=_Holds.UNSURE)


def _holds(condition: Condition | None, knock: _Packet) -> _Holds:
    if condition is None:
        return _Holds.UNSURE
    values = condition.values
    match condition.field:
        case "dport":
            found = _Holds.ALWAYS if any(_has_port(value, knock.port) for value in values) else _Holds.NEVER
        case "state" if "new" in values:
            found = _Holds.ALWAYS
        case "state" | "status":
            if knock.may_be_translated or (knock.may_be_untracked and "untracked" in values) or "none" in values:
                return _Holds.UNSURE
            found = _Holds.NEVER
        case "l4proto" if {"tcp", "6"} & set(values):
            found = _Holds.ALWAYS
        case "l4proto":
            if has_range(values):
                return _Holds.UNSURE
            found = _Holds.NEVER
        case "nfproto":
            found = _Holds.ALWAYS if ("ipv4" if knock.family == "ip" else "ipv6") in values else _Holds.NEVER
        case "iif":
            found = _Holds.NEVER if all(is_one_of(each, ("lo", *knock.trusted)) for each in values) else _Holds.UNSURE
        case "saddr":
            found = _strangers(values, knock)
        case "sport":
            return _Holds.SOME  # who sends it chooses it
        case "daddr" if is_multicast(values):
            found = _Holds.NEVER
        case "udp" | "other":  # another protocol than TCP, which a "!=" can't turn into TCP either
            return _Holds.NEVER
        case _:
            return _Holds.UNSURE
    if condition.is_negated and found in {_Holds.ALWAYS, _Holds.NEVER}:
        return _Holds.NEVER if found is _Holds.ALWAYS else _Holds.ALWAYS
    return found


def _has_port(value: str, port: int) -> bool:
    first, _, last = value.partition("-")
    return first.isdecimal() and int(first) <= port <= int(last if last.isdecimal() else first)


def _strangers(values: Sequence[str], knock: _Packet) -> _Holds:
    """Say whether the sources are those of strangers: all, some, or none, where all are administrators'."""
    found = _Holds.NEVER
    for value in values:
        try:
            networks = _networks(value)
        except (ValueError, TypeError):
            return _Holds.UNSURE
        for network in networks:
            if (network.version == 4) != (knock.family == "ip"):
                continue
            if network.prefixlen == 0:
                return _Holds.ALWAYS
            if not any(network.subnet_of(one) for one in knock.admins if one.version == network.version):  # type: ignore[arg-type]
                found = _Holds.SOME
    return found


def _networks(value: str) -> list[Network]:
    first, dash, last = value.partition("-")
    if not dash:
        return [ipaddress.ip_network(value, strict=False)]
    return list(ipaddress.summarize_address_range(ipaddress.ip_address(first), ipaddress.ip_address(last)))
