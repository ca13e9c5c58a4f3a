"""What the kernel's rules do with a packet that nobody named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checks.servers.declared import HostDeclared
from checks.servers.facts import Facts
from checks.servers.firewall._view import opened
from checks.servers.probe import MissingFact, Output
from checks.servers.probes import iptables_legacy, nft
from checks.servers.probes.listeners import Listener
from checks.servers.ruleset import ANY_DEVICE, FilterChain, JumpTarget, PacketTarget, Rule, Ruleset
from portalops.model.message import verbatim
from portalops.model.organisation import Host, HostId

HOST = Host(HostId("web1"), "198.18.3.12")
PLACE = {"family": "inet", "table": "filter"}
ACCEPT = {"accept": None}


def match(left: object, right: object, operation: str = "==") -> object:
    return {"match": {"op": operation, "left": left, "right": right}}


def listed(entries: list[object]) -> Ruleset:
    base = {**PLACE, "name": "input", "type": "filter", "hook": "input", "policy": "drop"}
    return nft.parse(Output(0, json.dumps({"nftables": [{"metainfo": {}}, {"chain": base}, *entries]}), ""))


def chain(name: str, *rules: Rule, is_input: bool = False, denies: bool = False) -> FilterChain:
    return FilterChain("inet", "filter", name, is_input, denies, rules)


def legacy(*rules: str) -> Ruleset:
    text = "".join(f"-A INPUT {rule}\n" for rule in rules)
    listing = f"family ip\n*filter\n:INPUT DROP [0:0]\n{text}COMMIT\nend\n"
    return iptables_legacy.parse(Output(0, listing, "")).older


def at(ruleset: Ruleset, door: PacketTarget, family: str = "ip", trusted: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(each.device for each in ruleset.entrances(family, trusted) if each.door is door)


def open_at(ruleset: Ruleset, family: str = "ip", trusted: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the devices that surely let in what nobody named, once it's seen that none does so perhaps."""
    assert not at(ruleset, PacketTarget.UNSURE, family, trusted)
    return at(ruleset, PacketTarget.OPEN, family, trusted)


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
        ("-p tcp -m multiport --dports 1:1023,1024:65535 -j ACCEPT", (ANY_DEVICE,)),
        ("-p tcp -m multiport --dports 1:21,23:65535 -j ACCEPT", (ANY_DEVICE,)),
        ("-p tcp -m multiport --dports 22,443,40000:50000 -j ACCEPT", ()),
        ("-p tcp --dport 1:32767 -j ACCEPT\n-A INPUT -p tcp --dport 32768:65535 -j ACCEPT", (ANY_DEVICE,)),
        ("-m iprange --src-range 0.0.0.0-255.255.255.255 -j ACCEPT", (ANY_DEVICE,)),
        ("-m mac --mac-source 52:54:00:12:34:56 -j ACCEPT", ()),
    ],
)
def test_older_rules_for_whole_devices_are_seen(rule: str, open_devices: tuple[str, ...]) -> None:
    assert open_at(legacy(rule)) == open_devices


# as iptables-save 1.8.11 writes rules
@pytest.mark.parametrize(
    ("rule", "door"),
    [
        ("-m limit --limit 5/min -j ACCEPT", PacketTarget.UNSURE),
        ("-m mark --mark 0x1 -j ACCEPT", PacketTarget.UNSURE),
        ("-m pkttype --pkt-type broadcast -j ACCEPT", PacketTarget.UNSURE),
        ("-m addrtype --dst-type LOCAL -j ACCEPT", PacketTarget.UNSURE),
        ("-m socket -j ACCEPT", PacketTarget.UNSURE),
        ("-m set --match-set friends src -j ACCEPT", PacketTarget.UNSURE),
        ("-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a -j ACCEPT", PacketTarget.UNSURE),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", PacketTarget.UNSURE),
        ("-d 203.0.113.5/32 -j ACCEPT", PacketTarget.UNSURE),
        ("-j NFQUEUE --queue-num 0", PacketTarget.UNSURE),
        ("-m limit --limit 5/min -g nowhere", PacketTarget.UNSURE),
        ("-p tcp -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT", PacketTarget.SHUT),
        ("-p tcp -m multiport --dports 80,443 -m mark --mark 0x1 -j ACCEPT", PacketTarget.SHUT),
        ("-m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix x", PacketTarget.SHUT),
        ("-m limit --limit 3/min -j RETURN", PacketTarget.SHUT),
        ("-m recent --update --seconds 30 --name a --mask 255.255.255.255 --rsource -j DROP", PacketTarget.SHUT),
        ("-d 224.0.0.18/32 -j ACCEPT", PacketTarget.SHUT),
        ("-m conntrack --ctstatus SEEN_REPLY -j ACCEPT", PacketTarget.SHUT),
        ("-m conntrack --ctstate DNAT -j ACCEPT", PacketTarget.SHUT),
        ("-m conntrack --ctstate UNTRACKED -j ACCEPT", PacketTarget.SHUT),
        ("-m iprange --src-range 10.0.0.1-10.0.0.5 -j ACCEPT", PacketTarget.SHUT),
        ("-m mac --mac-source 00:11:22:33:44:55 -j ACCEPT", PacketTarget.SHUT),
        ("-p udp -m udp --sport 67 --dport 68 -j ACCEPT", PacketTarget.SHUT),
        ("-p udp -m udp --sport 53 -j ACCEPT", PacketTarget.OPEN),
        ("-p tcp -m tcp --dport 0:65535 -j ACCEPT", PacketTarget.OPEN),
        ("-p tcp -m multiport ! --dports 22,3306 -j ACCEPT", PacketTarget.OPEN),
        ("-p tcp -m multiport --ports 80 -j ACCEPT", PacketTarget.OPEN),
    ],
)
def test_what_cannot_be_read_is_neither_shut_nor_open(rule: str, door: PacketTarget) -> None:
    (entrance,) = legacy(rule).entrances("ip")

    assert entrance.door is door
    assert entrance.doubts == (("ip filter INPUT",) if door is PacketTarget.UNSURE else ())


def test_a_way_that_cannot_be_judged_and_ends_in_the_same_place_leaves_no_doubt() -> None:
    assert at(legacy("-m limit --limit 5/min -j ACCEPT", "-j ACCEPT"), PacketTarget.OPEN) == (ANY_DEVICE,)
    assert at(legacy("-m limit --limit 5/min -j DROP", "-m mark --mark 0x1 -j RETURN"), PacketTarget.SHUT) == (
        ANY_DEVICE,
    )


def test_what_is_kept_from_tracking_or_given_a_new_destination_may_be_let_in_as_such() -> None:
    listing = """family ip
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING {first} -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate {state} -j ACCEPT
COMMIT
end
"""

    def seen(first: str, state: str) -> Ruleset:
        return iptables_legacy.parse(Output(0, listing.format(first=first, state=state), "")).older

    assert at(seen("-p tcp -m tcp --dport 8443", "DNAT"), PacketTarget.SHUT) == (ANY_DEVICE,)
    assert at(seen("-p tcp -m tcp --dport 1:65535", "DNAT"), PacketTarget.UNSURE) == (ANY_DEVICE,)
    assert at(seen("-p tcp -m tcp --dport 8443", "ESTABLISHED,UNTRACKED"), PacketTarget.UNSURE) == (ANY_DEVICE,)


def test_a_pattern_of_trusted_devices_covers_what_it_names_and_no_more() -> None:
    rules = legacy("-i br-71fa -j ACCEPT", "-i br-+ -j ACCEPT", "-i eth0 -j ACCEPT")

    assert open_at(rules, trusted=("br-*",)) == ("eth0",)
    assert open_at(rules, trusted=("br-71fa", "eth*")) == ("br-*",)
    assert open_at(rules, trusted=("*",)) == ()


def test_the_rest_of_a_map_of_verdicts_comes_last_whatever_its_place() -> None:
    entries = [["*", {"drop": None}], ["lo", {"accept": None}], ["eth0", {"accept": None}]]

    assert open_at(mapped(entries)) == ("eth0",)
    assert open_at(mapped([["*", {"accept": None}]])) == (ANY_DEVICE,)
    assert open_at(mapped("@doors", [["eth1", {"accept": None}]]), "ip6") == ("eth1",)
    assert at(mapped("@nowhere"), PacketTarget.UNSURE) == (ANY_DEVICE,)


# as `nft -j list ruleset` 1.1.3 writes the expressions of `tcp dport != 22`, `queue`, `ct status dnat` and so on
@pytest.mark.parametrize(
    ("expressions", "door"),
    [
        ([{"limit": {"rate": 10, "burst": 5, "per": "second"}}, ACCEPT], PacketTarget.UNSURE),
        ([match({"meta": {"key": "mark"}}, 1), ACCEPT], PacketTarget.UNSURE),
        ([match({"meta": {"key": "skuid"}}, 0), ACCEPT], PacketTarget.UNSURE),
        ([match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), ACCEPT], PacketTarget.UNSURE),
        ([{"xt": None}, ACCEPT], PacketTarget.UNSURE),
        (
            [{"xt": {"type": "match", "name": "conntrack"}}, {"counter": {"packets": 0, "bytes": 0}}, ACCEPT],
            PacketTarget.UNSURE,
        ),
        ([{"xt": {"type": "target", "name": "NFQUEUE"}}], PacketTarget.UNSURE),
        ([{"queue": {"num": 0, "flags": "bypass"}}], PacketTarget.UNSURE),
        ([match({"payload": {"protocol": "ip", "field": "daddr"}}, "203.0.113.5"), ACCEPT], PacketTarget.UNSURE),
        (
            [match({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, "syn"]}, "syn"), ACCEPT],
            PacketTarget.UNSURE,
        ),
        ([match({"payload": {"protocol": "tcp", "field": "dport"}}, "@ports"), ACCEPT], PacketTarget.UNSURE),
        ([match({"ct": {"key": "status"}}, "dnat", "in"), ACCEPT], PacketTarget.SHUT),
        ([match({"ct": {"key": "state"}}, ["established", "related", "untracked"]), ACCEPT], PacketTarget.SHUT),
        ([match({"payload": {"protocol": "sctp", "field": "dport"}}, 2905), ACCEPT], PacketTarget.SHUT),
        ([match({"meta": {"key": "l4proto"}}, "vrrp"), ACCEPT], PacketTarget.SHUT),
        (
            [
                match(
                    {"payload": {"protocol": "ip", "field": "saddr"}},
                    {"set": [{"prefix": {"addr": net, "len": 1}} for net in ("0.0.0.0", "128.0.0.0")]},
                ),
                ACCEPT,
            ],
            PacketTarget.OPEN,
        ),
        ([match({"payload": {"protocol": "tcp", "field": "dport"}}, 1023, ">"), ACCEPT], PacketTarget.OPEN),
        ([match({"payload": {"protocol": "tcp", "field": "dport"}}, 40000, ">"), ACCEPT], PacketTarget.SHUT),
        ([match({"payload": {"protocol": "tcp", "field": "dport"}}, 0, ">="), ACCEPT], PacketTarget.OPEN),
        ([match({"payload": {"protocol": "udp", "field": "dport"}}, 53, "!="), ACCEPT], PacketTarget.OPEN),
        ([match({"meta": {"key": "protocol"}}, "ip"), ACCEPT], PacketTarget.OPEN),
        ([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}, ACCEPT], PacketTarget.OPEN),
        (
            [{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@seen"}}, ACCEPT],
            PacketTarget.OPEN,
        ),
    ],
)
def test_a_rule_of_nftables_lets_in_what_nobody_named_or_not_or_perhaps(
    expressions: object, door: PacketTarget
) -> None:
    (entrance,) = listed([{"rule": {**PLACE, "chain": "input", "expr": expressions}}]).entrances("ip")

    assert entrance.door is door


def mapped(data: object, named: object = ()) -> Ruleset:
    rule = {"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": data} if isinstance(data, list) else data}}
    names = {"map": {**PLACE, "name": "doors", "type": "ifname", "map": "verdict", "elem": named}}
    return listed([names, {"rule": {**PLACE, "chain": "input", "expr": [rule]}}])


def test_chains_that_fork_at_each_step_or_jump_in_a_ring_end() -> None:
    forks = tuple(chain(f"c{n}", *(Rule(False, JumpTarget.JUMP, f"c{n + 1}"),) * 2) for n in range(200))
    base = chain("input", Rule(False, JumpTarget.JUMP, "c0"), is_input=True, denies=True)
    ring = chain("c200", Rule(False, JumpTarget.JUMP, "c0"))

    end = chain("c200")
    assert at(Ruleset((base, *forks, end)), PacketTarget.SHUT) == (ANY_DEVICE,)
    assert at(Ruleset((replace(base, denies_by_policy=False), *forks, end)), PacketTarget.OPEN) == (ANY_DEVICE,)
    assert at(Ruleset((base, *forks, ring)), PacketTarget.UNSURE) == (ANY_DEVICE,), "what a ring does is not told"
    assert at(Ruleset((base, *forks)), PacketTarget.UNSURE) == (ANY_DEVICE,), "nor what a chain does that is not listed"


def test_chains_that_lead_on_without_end_leave_doubt_and_no_fault() -> None:
    steps = (chain(f"c{n}", Rule(False, JumpTarget.JUMP, f"c{n + 1}")) for n in range(5_000))
    base = chain("input", Rule(False, JumpTarget.JUMP, "c0"), is_input=True, denies=True)

    assert at(Ruleset((base, *steps)), PacketTarget.UNSURE) == (ANY_DEVICE,)


@pytest.mark.parametrize(
    ("rules", "led"),
    [
        ("-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 127.0.0.1:6379", {(True, 6379)}),
        ("-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 127.0.0.1", {(True, 22)}),
        ("-A PREROUTING -j DNAT --to-destination 127.0.0.1", {(True, 22), (True, 6379)}),
        ("-A PREROUTING -p udp -m udp --dport 22 -j DNAT --to-destination 127.0.0.1:6379", set()),
        ("-A PREROUTING -p tcp -j DNAT --to-destination 127.0.0.1-127.0.0.4:6379", {(None, 6379)}),
        ("-A PREROUTING -p tcp -j OWN\n-A OWN -j DNAT --to-destination 127.0.0.1:6000-7000", {(True, 6379)}),
        ("-A OWN -j DNAT --to-destination 127.0.0.1:6379", set()),
        ("-A PREROUTING -i lo -p tcp -j DNAT --to-destination 127.0.0.1:6379", set()),
        ("-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.5:6379", set()),
        ("-A PREROUTING -p tcp -j REDIRECT --to-ports 6379", set()),
    ],
)
def test_port_of_loopback_is_open_where_a_rule_leads_others_to_it(
    rules: str, led: set[tuple[bool | None, int]]
) -> None:
    text = f"family ip\n*nat\n:PREROUTING ACCEPT [0:0]\n:OWN - [0:0]\n{rules}\nCOMMIT\nend\n"
    facts = Facts(
        HOST,
        HostDeclared(),
        datetime(2026, 11, 30, tzinfo=UTC),
        {
            nft.PROBE.id: MissingFact("x", verbatim("x")),
            iptables_legacy.PROBE.id: iptables_legacy.parse(Output(0, text, "")),
        },
    )
    sure, perhaps = opened(facts, [Listener("tcp", 22, "127.0.0.1"), Listener("tcp", 6379, "127.0.0.1")])

    assert {(True, one.port) for one in sure} | {(None, one.port) for one in perhaps} == led
