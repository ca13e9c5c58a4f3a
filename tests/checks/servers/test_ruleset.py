"""What the kernel's rules do with a packet that nobody named."""

from __future__ import annotations

import json

import pytest

from checks.servers.probe import Output
from checks.servers.probes import iptables_legacy, nft
from checks.servers.ruleset import ANY_DEVICE, Chain, Rule, Ruleset, Target


def chain(name: str, *rules: Rule, is_input: bool = False, denies: bool = False) -> Chain:
    return Chain("inet", "filter", name, is_input, denies, rules)


def legacy(*rules: str) -> Ruleset:
    text = "".join(f"-A INPUT {rule}\n" for rule in rules)
    listing = f"family ip\n*filter\n:INPUT DROP [0:0]\n{text}COMMIT\nend\n"
    return iptables_legacy.parse(Output(0, listing, ""))


# as iptables-save 1.8.11 writes rules
@pytest.mark.parametrize(
    ("rule", "open_devices"),
    [
        ("-i lo -j ACCEPT", ()),
        ("-i eth0 -p tcp -m tcp --dport 443 -j ACCEPT", ()),
        ("-p icmp -j ACCEPT", ()),
        ("-i eth0 -j ACCEPT", ("eth0",)),
        ("-i br-+ -j ACCEPT", ("br-*",)),
        ("! -i lo -j ACCEPT", (ANY_DEVICE,)),
        ("! -i eth0 -j ACCEPT", (ANY_DEVICE,)),
        ("-p tcp -j ACCEPT", (ANY_DEVICE,)),
        ("-m comment --comment all -j ACCEPT", (ANY_DEVICE,)),
        ("-m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT", (ANY_DEVICE,)),
        ("-m conntrack ! --ctstate INVALID -j ACCEPT", (ANY_DEVICE,)),
        ("-m state --state RELATED,ESTABLISHED -j ACCEPT", ()),
        ("-p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT", ()),
        ("-s 10.0.0.0/8 -j ACCEPT", ()),
        ("! -s 10.0.0.0/8 -j DROP", ()),
    ],
)
def test_older_rules_for_whole_devices_are_seen(rule: str, open_devices: tuple[str, ...]) -> None:
    assert legacy(rule).open_devices("ip") == open_devices


def test_a_pattern_of_trusted_devices_covers_what_it_names_and_no_more() -> None:
    rules = legacy("-i br-71fa -j ACCEPT", "-i br-+ -j ACCEPT", "-i eth0 -j ACCEPT")

    assert rules.open_devices("ip", ("br-*",)) == ("eth0",)
    assert rules.open_devices("ip", ("br-71fa", "eth*")) == ("br-*",)
    assert rules.open_devices("ip", ("*",)) == ()


def test_the_rest_of_a_map_of_verdicts_comes_last_whatever_its_place() -> None:
    entries = [["*", {"drop": None}], ["lo", {"accept": None}], ["eth0", {"accept": None}]]

    assert mapped(entries).open_devices("ip") == ("eth0",)
    assert mapped([["*", {"accept": None}]]).open_devices("ip") == (ANY_DEVICE,)
    assert mapped("@doors", [["eth1", {"accept": None}]]).open_devices("ip6") == ("eth1",)
    assert mapped("@nowhere").open_devices("ip") == ()


def mapped(data: object, named: object = ()) -> Ruleset:
    where = {"family": "inet", "table": "filter"}
    rule = {"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": data} if isinstance(data, list) else data}}
    base = {**where, "name": "input", "type": "filter", "hook": "input", "policy": "drop"}
    entries = [
        {"metainfo": {"version": "1.1.3"}},
        {"map": {**where, "name": "doors", "type": "ifname", "map": "verdict", "elem": named}},
        {"chain": base},
        {"rule": {**where, "chain": "input", "expr": [rule]}},
    ]
    return nft.parse(Output(0, json.dumps({"nftables": entries}), ""))


def test_chains_that_fork_at_each_step_or_jump_in_a_ring_end() -> None:
    forks = tuple(chain(f"c{n}", *(Rule(False, Target.JUMP, f"c{n + 1}"),) * 2) for n in range(200))
    base = chain("input", Rule(False, Target.JUMP, "c0"), is_input=True, denies=True)
    ring = chain("c200", Rule(False, Target.JUMP, "c0"))

    assert Ruleset((base, *forks)).denies_by_default("ip")
    assert not Ruleset((base, *forks, ring)).denies_by_default("ip"), "what a ring does is not told, and is no pass"
