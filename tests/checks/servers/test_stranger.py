"""What the kernel's rules do with a stranger at a port: surely in, surely out, or not to be told."""

from __future__ import annotations

import ipaddress

import pytest

from checks.servers.ruleset import Condition, FilterChain, JumpTarget, PacketTarget, Rule, Ruleset
from checks.servers.stranger import door

ADMINS = (ipaddress.ip_network("10.9.0.0/24"), ipaddress.ip_network("2001:db8:9::/64"))
AT_22 = Condition("dport", ("22",), False)
NOT_UNDERSTOOD = None


def from_(*values: str, negated: bool = False) -> Condition:
    return Condition("saddr", values, negated)


def rule(target: JumpTarget, *conditions: Condition | None, chain: str = "") -> Rule:
    return Rule(bool(conditions), target, chain, conditions)


def at(*rules: Rule, denies: bool = True, others: tuple[FilterChain, ...] = ()) -> PacketTarget:
    base = FilterChain("inet", "filter", "input", is_input=True, denies_by_policy=denies, rules=rules)
    return door(Ruleset((base, *others)), "ip", 22, ADMINS)


@pytest.mark.parametrize(
    ("rules", "denies", "expected"),
    [
        ((), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, AT_22),), True, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, AT_22, from_("10.9.0.0/25")),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, AT_22, from_("10.9.0.0/16")),), True, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, AT_22, from_("10.9.0.4-10.9.0.9")),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, AT_22, from_("0.0.0.0/0")),), True, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, AT_22, from_("10.9.0.0/24", negated=True)),), True, PacketTarget.OPEN),
        (
            (rule(JumpTarget.DENY, AT_22, from_("10.9.0.0/24", negated=True)), rule(JumpTarget.ACCEPT)),
            True,
            PacketTarget.SHUT,
        ),
        ((rule(JumpTarget.DENY, from_("192.0.2.0/24")), rule(JumpTarget.ACCEPT, AT_22)), True, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, AT_22, NOT_UNDERSTOOD),), True, PacketTarget.UNSURE),
        ((rule(JumpTarget.DENY, NOT_UNDERSTOOD), rule(JumpTarget.ACCEPT, AT_22)), True, PacketTarget.UNSURE),
        ((rule(JumpTarget.DENY, AT_22), rule(JumpTarget.ACCEPT)), False, PacketTarget.SHUT),
        ((rule(JumpTarget.RETURN, NOT_UNDERSTOOD), rule(JumpTarget.DENY)), False, PacketTarget.UNSURE),
        ((rule(JumpTarget.RETURN, NOT_UNDERSTOOD), rule(JumpTarget.DENY)), True, PacketTarget.SHUT),
        ((rule(JumpTarget.DENY, AT_22, Condition("state", ("established",), False)),), False, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, Condition("iif", ("lo",), False)),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.JUMP, AT_22, chain="nowhere"),), True, PacketTarget.UNSURE),
        ((rule(JumpTarget.ACCEPT, AT_22, Condition("sport", ("1024-65535",), False)),), True, PacketTarget.OPEN),
        ((rule(JumpTarget.ACCEPT, AT_22, Condition("daddr", ("203.0.113.5",), False)),), True, PacketTarget.UNSURE),
        ((rule(JumpTarget.ACCEPT, Condition("daddr", ("224.0.0.0/4",), False)),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, Condition("status", ("dnat",), False)),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, Condition("udp", ("53",), True)),), True, PacketTarget.SHUT),
        ((rule(JumpTarget.ACCEPT, Condition("l4proto", ("0-255",), False)),), True, PacketTarget.UNSURE),
    ],
)
def test_a_stranger_at_port_22(rules: tuple[Rule, ...], *, denies: bool, expected: PacketTarget) -> None:
    # a rule that counts only keeps an accepting chain from being taken for none
    assert at(rule(JumpTarget.NOTHING), *rules, denies=denies) is expected


def test_what_is_sent_on_to_another_destination_may_be_let_in_as_such() -> None:
    def sent_on(port: str) -> FilterChain:
        rules = (rule(JumpTarget.ACCEPT, Condition("dport", (port,), False)),)
        return FilterChain("ip", "nat", "pre", is_input=False, denies_by_policy=False, rules=rules, translates=True)

    let_in = rule(JumpTarget.ACCEPT, Condition("status", ("dnat",), False))
    assert at(let_in, others=(sent_on("8443"),)) is PacketTarget.SHUT
    assert at(let_in, others=(sent_on("22"),)) is PacketTarget.UNSURE


def test_a_trusted_device_has_no_strangers_and_another_is_not_told_of() -> None:
    let_in = rule(JumpTarget.ACCEPT, Condition("iif", ("wg0",), False))
    base = FilterChain("inet", "filter", "input", is_input=True, denies_by_policy=True, rules=(let_in,))

    assert door(Ruleset((base,)), "ip", 22, ADMINS, ("wg*",)) is PacketTarget.SHUT
    assert door(Ruleset((base,)), "ip", 22, ADMINS, ("br-*",)) is PacketTarget.UNSURE


def test_one_chain_that_shuts_is_enough() -> None:
    other = FilterChain("ip", "raw", "guard", is_input=True, denies_by_policy=True, rules=())

    assert at(rule(JumpTarget.ACCEPT), others=(other,)) is PacketTarget.SHUT


def test_a_chain_that_is_jumped_to_and_comes_back_leaves_the_policy() -> None:
    inner = FilterChain(
        "inet", "filter", "ssh", is_input=False, denies_by_policy=False, rules=(rule(JumpTarget.RETURN),)
    )

    assert at(rule(JumpTarget.JUMP, chain="ssh"), others=(inner,)) is PacketTarget.SHUT
    assert at(rule(JumpTarget.JUMP, chain="ssh"), denies=False, others=(inner,)) is PacketTarget.OPEN


def test_chains_that_jump_in_a_ring_are_not_followed_for_ever() -> None:
    ring = FilterChain(
        "inet", "filter", "a", is_input=False, denies_by_policy=False, rules=(rule(JumpTarget.JUMP, chain="a"),)
    )

    assert at(rule(JumpTarget.JUMP, chain="a"), others=(ring,)) is PacketTarget.UNSURE


def test_chains_that_fork_at_each_step_are_walked_once_each() -> None:
    forks = tuple(
        FilterChain(
            *("inet", "filter", f"c{number}"),
            is_input=False,
            denies_by_policy=False,
            rules=(rule(JumpTarget.JUMP, chain=f"c{number + 1}"),) * 2,
        )
        for number in range(200)
    )

    assert at(rule(JumpTarget.JUMP, chain="c0"), others=forks) is PacketTarget.UNSURE
