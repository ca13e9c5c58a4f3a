"""What the kernel's rules do with a stranger at a port: surely in, surely out, or not to be told."""

from __future__ import annotations

import ipaddress

import pytest

from checks.servers.ruleset import Chain, Condition, Door, Rule, Ruleset, Target
from checks.servers.stranger import door

ADMINS = (ipaddress.ip_network("10.9.0.0/24"), ipaddress.ip_network("2001:db8:9::/64"))
AT_22 = Condition("dport", ("22",), False)
NOT_UNDERSTOOD = None


def from_(*values: str, negated: bool = False) -> Condition:
    return Condition("saddr", values, negated)


def rule(target: Target, *conditions: Condition | None, chain: str = "") -> Rule:
    return Rule(bool(conditions), target, chain, conditions)


def at(*rules: Rule, denies: bool = True, others: tuple[Chain, ...] = ()) -> Door:
    base = Chain("inet", "filter", "input", is_input=True, denies_by_policy=denies, rules=rules)
    return door(Ruleset((base, *others)), "ip", 22, ADMINS)


@pytest.mark.parametrize(
    ("rules", "denies", "expected"),
    [
        ((), True, Door.SHUT),
        ((rule(Target.ACCEPT, AT_22),), True, Door.OPEN),
        ((rule(Target.ACCEPT, AT_22, from_("10.9.0.0/25")),), True, Door.SHUT),
        ((rule(Target.ACCEPT, AT_22, from_("10.9.0.0/16")),), True, Door.OPEN),
        ((rule(Target.ACCEPT, AT_22, from_("10.9.0.4-10.9.0.9")),), True, Door.SHUT),
        ((rule(Target.ACCEPT, AT_22, from_("0.0.0.0/0")),), True, Door.OPEN),
        ((rule(Target.ACCEPT, AT_22, from_("10.9.0.0/24", negated=True)),), True, Door.OPEN),
        ((rule(Target.DENY, AT_22, from_("10.9.0.0/24", negated=True)), rule(Target.ACCEPT)), True, Door.SHUT),
        ((rule(Target.DENY, from_("192.0.2.0/24")), rule(Target.ACCEPT, AT_22)), True, Door.OPEN),
        ((rule(Target.ACCEPT, AT_22, NOT_UNDERSTOOD),), True, Door.UNSURE),
        ((rule(Target.DENY, NOT_UNDERSTOOD), rule(Target.ACCEPT, AT_22)), True, Door.UNSURE),
        ((rule(Target.DENY, AT_22), rule(Target.ACCEPT)), False, Door.SHUT),
        ((rule(Target.RETURN, NOT_UNDERSTOOD), rule(Target.DENY)), False, Door.UNSURE),
        ((rule(Target.RETURN, NOT_UNDERSTOOD), rule(Target.DENY)), True, Door.SHUT),
        ((rule(Target.DENY, AT_22, Condition("state", ("established",), False)),), False, Door.OPEN),
        ((rule(Target.ACCEPT, Condition("iif", ("lo",), False)),), True, Door.SHUT),
        ((rule(Target.JUMP, AT_22, chain="nowhere"),), True, Door.UNSURE),
        ((rule(Target.ACCEPT, AT_22, Condition("sport", ("1024-65535",), False)),), True, Door.OPEN),
        ((rule(Target.ACCEPT, AT_22, Condition("daddr", ("203.0.113.5",), False)),), True, Door.UNSURE),
        ((rule(Target.ACCEPT, Condition("daddr", ("224.0.0.0/4",), False)),), True, Door.SHUT),
        ((rule(Target.ACCEPT, Condition("status", ("dnat",), False)),), True, Door.SHUT),
        ((rule(Target.ACCEPT, Condition("udp", ("53",), True)),), True, Door.SHUT),
        ((rule(Target.ACCEPT, Condition("l4proto", ("0-255",), False)),), True, Door.UNSURE),
    ],
)
def test_a_stranger_at_port_22(rules: tuple[Rule, ...], *, denies: bool, expected: Door) -> None:
    # a rule that counts only keeps an accepting chain from being taken for none
    assert at(rule(Target.NOTHING), *rules, denies=denies) is expected


def test_what_is_sent_on_to_another_destination_may_be_let_in_as_such() -> None:
    def sent_on(port: str) -> Chain:
        rules = (rule(Target.ACCEPT, Condition("dport", (port,), False)),)
        return Chain("ip", "nat", "pre", is_input=False, denies_by_policy=False, rules=rules, translates=True)

    let_in = rule(Target.ACCEPT, Condition("status", ("dnat",), False))
    assert at(let_in, others=(sent_on("8443"),)) is Door.SHUT
    assert at(let_in, others=(sent_on("22"),)) is Door.UNSURE


def test_a_trusted_device_has_no_strangers_and_another_is_not_told_of() -> None:
    let_in = rule(Target.ACCEPT, Condition("iif", ("wg0",), False))
    base = Chain("inet", "filter", "input", is_input=True, denies_by_policy=True, rules=(let_in,))

    assert door(Ruleset((base,)), "ip", 22, ADMINS, ("wg*",)) is Door.SHUT
    assert door(Ruleset((base,)), "ip", 22, ADMINS, ("br-*",)) is Door.UNSURE


def test_one_chain_that_shuts_is_enough() -> None:
    other = Chain("ip", "raw", "guard", is_input=True, denies_by_policy=True, rules=())

    assert at(rule(Target.ACCEPT), others=(other,)) is Door.SHUT


def test_a_chain_that_is_jumped_to_and_comes_back_leaves_the_policy() -> None:
    inner = Chain("inet", "filter", "ssh", is_input=False, denies_by_policy=False, rules=(rule(Target.RETURN),))

    assert at(rule(Target.JUMP, chain="ssh"), others=(inner,)) is Door.SHUT
    assert at(rule(Target.JUMP, chain="ssh"), denies=False, others=(inner,)) is Door.OPEN


def test_chains_that_jump_in_a_ring_are_not_followed_for_ever() -> None:
    ring = Chain("inet", "filter", "a", is_input=False, denies_by_policy=False, rules=(rule(Target.JUMP, chain="a"),))

    assert at(rule(Target.JUMP, chain="a"), others=(ring,)) is Door.UNSURE


def test_chains_that_fork_at_each_step_are_walked_once_each() -> None:
    forks = tuple(
        Chain(
            *("inet", "filter", f"c{number}"),
            is_input=False,
            denies_by_policy=False,
            rules=(rule(Target.JUMP, chain=f"c{number + 1}"),) * 2,
        )
        for number in range(200)
    )

    assert at(rule(Target.JUMP, chain="c0"), others=forks) is Door.UNSURE
