"""The kernel's nftables rules: `nft -j list ruleset`, as nft(8) and libnftables-json(5) have them. Needs root.

A filter without a rule prints only its own version:

    {"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from checks.servers.ruleset import DECIDES_NOTHING, Condition, FilterChain, JumpTarget, NewDestination, Rule, Ruleset
from portalops.json_text import read_json
from portalops.model.message import msg

_HARMLESS = frozenset({"counter", "log", "comment", "mangle", "notrack", "last", "dup", "masquerade", "snat", "tproxy"})
_HARMLESS |= {"ct helper", "ct timeout", "ct expectation"}
"""Statements that hold for every packet and decide nothing (libnftables-json(5))."""
_OTHER_PROTOCOLS = frozenset({"icmp", "icmpv6", "igmp", "sctp", "dccp", "ah", "esp", "comp"})
_REST = "*"
"""The entry of a map for what no other entry names."""
_JOINT = " . "
"""Between the parts of a set's element of several fields."""
_XT_TARGETS = {
    **dict.fromkeys(("DROP", "REJECT"), JumpTarget.DENY),
    **dict.fromkeys(("DNAT", "REDIRECT"), JumpTarget.ACCEPT),
    **dict.fromkeys(DECIDES_NOTHING, JumpTarget.NOTHING),
}
_UNTRACKS = frozenset({"NOTRACK", "CT"})

Json = Mapping[str, object]
Sets = Mapping[str, "tuple[str, ...] | None"]


def parse(output: Output) -> Ruleset:
    """Read tables, chains and rules of the families ip, ip6 and inet; tables that sleep do not count."""
    try:
        entries = cast("Sequence[Json]", read_json(output.text)["nftables"])
        asleep = {
            (table["family"], table["name"])
            for table in _named(entries, "table")
            if "dormant" in str(table.get("flags", ""))
        }
        elements = {
            (each["family"], each["table"], str(each["name"])): _values(each.get("elem", []))
            for each in _named(entries, "set")
        }
        verdicts = {
            (each["family"], each["table"], str(each["name"])): each.get("elem", []) for each in _named(entries, "map")
        }
        for rule in _named(entries, "rule"):
            for name in _filled(cast("Sequence[Json]", rule["expr"])):
                elements[rule["family"], rule["table"], name] = None  # whom the next packet puts there, nobody knows
                verdicts.pop((rule["family"], rule["table"], name), None)
        rules: dict[tuple[object, object, object], list[Rule]] = {}
        untracks = False
        for rule in _named(entries, "rule"):
            key = (rule["family"], rule["table"], rule["chain"])
            sets = {name: values for (family, table, name), values in elements.items() if (family, table) == key[:2]}
            maps = {name: pairs for (family, table, name), pairs in verdicts.items() if (family, table) == key[:2]}
            expressions = cast("Sequence[Json]", rule["expr"])
            rules.setdefault(key, []).extend(_rules(expressions, sets, maps))
            untracks = untracks or any("notrack" in each or _xt_target(each) in _UNTRACKS for each in expressions)
        chains = tuple(
            _chain(chain, tuple(rules.get((chain["family"], chain["table"], chain["name"]), ())))
            for chain in _named(entries, "chain")
            if chain["family"] in {"ip", "ip6", "inet"} and (chain["family"], chain["table"]) not in asleep
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("nft's rules cannot be parsed")) from error
    if not any("metainfo" in entry for entry in entries):
        raise Unparseable(msg("nft did not report its version"))
    return Ruleset(chains, untracks)


def _named(entries: Sequence[Json], kind: str) -> list[Json]:
    return [cast("Json", entry[kind]) for entry in entries if kind in entry]


def _filled(expressions: Sequence[Json]) -> Iterator[str]:
    """Yield the sets and maps that a rule puts something of a packet into."""
    for expression in expressions:
        for kind in ("set", "map"):
            value = expression.get(kind)
            if isinstance(value, Mapping) and value.get("op") in {"add", "update"}:
                yield str(value.get(kind, "")).removeprefix("@")


def _chain(chain: Json, rules: tuple[Rule, ...]) -> FilterChain:
    is_input = chain.get("hook") == "input" and chain.get("type") == "filter"
    return FilterChain(
        str(chain["family"]),
        str(chain["table"]),
        str(chain["name"]),
        is_input,
        chain.get("policy") == "drop",
        rules,
        translates=chain.get("hook") == "prerouting" and chain.get("type") == "nat",
    )


def _xt_target(expression: Json) -> object:
    """Return the name of iptables's target, where it is one of which nft says that."""
    value = expression.get("xt")
    return value.get("name") if isinstance(value, Mapping) and value.get("type") == "target" else None


def _rules(expressions: Sequence[Json], sets: Sets, maps: Mapping[str, object]) -> list[Rule]:
    """Read a rule; one with a map of verdicts (`iifname vmap { lo : accept, eth0 : jump world }`) is one for each entry."""
    at = next((number for number, each in enumerate(expressions) if "vmap" in each), None)
    if at is None:
        return [_rule(expressions, sets, maps)]
    vmap = cast("Json", expressions[at]["vmap"])
    data = vmap["data"]
    pairs = maps.get(data[1:]) if isinstance(data, str) else data["set"] if isinstance(data, Mapping) else None
    others = (*expressions[:at], *expressions[at + 1 :])
    if not isinstance(pairs, Sequence):
        return [replace(_rule((*others, {"accept": None}), sets), is_conditional=True, conditions=(None,))]
    entries = sorted(cast("Sequence[tuple[object, Json]]", pairs), key=lambda entry: entry[0] == _REST)
    return [_rule((*others, *_equals(vmap["key"], right), verdict), sets, maps) for right, verdict in entries]


def _equals(left: object, right: object) -> list[Json]:
    return [] if right == _REST else [{"match": {"op": "==", "left": left, "right": right}}]


def _rule(expressions: Sequence[Json], sets: Sets, maps: Mapping[str, object] = MappingProxyType({})) -> Rule:
    target, chain = JumpTarget.NOTHING, ""
    to: NewDestination | None = None
    conditions: list[Condition | None] = []
    for expression in expressions:
        name, value = next(iter(expression.items()))
        match name:
            case "accept":
                target = JumpTarget.ACCEPT
            case "dnat" | "redirect":
                target, to = JumpTarget.ACCEPT, _translation(name, value, maps)
            case "drop" | "reject":
                target = JumpTarget.DENY
            case "return":
                target = JumpTarget.RETURN
            case "jump" | "goto":
                target, chain = JumpTarget(name), str(cast("Json", value)["target"])
            case "xt" if (aim := str(_xt_target(expression))) in _XT_TARGETS:
                target = _XT_TARGETS[aim]
                to = NewDestination((), is_clear=False) if aim == "DNAT" else to
            case "match":
                conditions.extend(_conditions(cast("Json", value), sets))
            case "queue" | "synproxy" | "xt" if not _is_xt_match(value):
                target = JumpTarget.ACCEPT  # perhaps: another program decides, or a target that nft does not spell out
                conditions.append(None)
            case "set" if isinstance(value, Mapping) and "stmt" not in value:
                pass  # it notes the packet's address
            case _ if name not in _HARMLESS:
                conditions.append(None)
    return Rule(bool(conditions), target, chain, tuple(conditions), to)


def _translation(name: str, value: object, maps: Mapping[str, object]) -> NewDestination:
    """Read where a packet is sent; a map's addresses are all that it holds, and its ports are not told from its keys."""
    if not isinstance(value, Mapping):
        return NewDestination((), is_clear=name == "redirect")
    address, port = value.get("addr"), value.get("port")
    ports = _values(port) if port is not None else ()
    if name == "redirect":
        return NewDestination((), ports or (), is_clear=ports is not None)
    if isinstance(address, str) and not address.startswith("@"):
        return NewDestination((address,), ports or (), is_clear=ports is not None)
    words = tuple(_words(address, maps))
    return NewDestination(words, ports or (), is_clear=False)


def _words(value: object, maps: Mapping[str, object]) -> Iterator[str]:
    """Yield each text in a part of a rule, and in the maps that it names."""
    if isinstance(value, str):
        if value.startswith("@"):
            yield from _words(maps.get(value[1:]), {})
        else:
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _words(each, maps)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _words(each, maps)


def _is_xt_match(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "match"


def _conditions(match: Json, sets: Sets) -> list[Condition | None]:
    """Read a match; one of several fields at once (`ip saddr . tcp dport`) is one condition for each."""
    left, right, operation = cast("Json", match["left"]), match["right"], str(match["op"])
    values = sets.get(right[1:]) if isinstance(right, str) and right.startswith("@") else _values(right)
    if "concat" not in left:
        return [_condition(left, values, operation)]
    if values is None or operation == "!=":
        return [None]
    fields = cast("Sequence[Json]", left["concat"])
    rows = [value.split(_JOINT) for value in values]
    if any(len(row) != len(fields) for row in rows):
        return [None]
    return [_condition(one, tuple(row[at] for row in rows), operation) for at, one in enumerate(fields)]


def _condition(left: Json, values: tuple[str, ...] | None, operation: str) -> Condition | None:
    what, of = next(iter(left.items()))
    if values is None or not isinstance(of, Mapping):
        return None
    protocol, key = str(of.get("protocol", "")), str(of.get("key", of.get("field", "")))
    field = "other" if what == "payload" and protocol in _OTHER_PROTOCOLS else _FIELDS.get((what, protocol, key))
    if operation in _ORDERS and field in _PORTS and values[0].isdecimal():
        values, operation = (_ORDERS[operation](int(values[0])),), "=="
    if field is None or operation not in {"==", "in", "!="}:
        return None
    if key == "protocol" and what == "meta":
        values = tuple({"ip": "ipv4", "ip6": "ipv6"}.get(value, value) for value in values)
    return Condition(field, values, operation == "!=")


def _values(right: object) -> tuple[str, ...] | None:
    """Return what a match's right side, or a set's elements, may be; None where it is of another form."""
    if isinstance(right, str | int):
        return (str(right),)
    if isinstance(right, Mapping):
        if "prefix" in right:
            prefix = cast("Json", right["prefix"])
            return (f"{prefix['addr']}/{prefix['len']}",)
        if "range" in right:
            first, last = cast("Sequence[object]", right["range"])
            return (f"{first}-{last}",)
        if "elem" in right and isinstance(right["elem"], Mapping):
            return _values(cast("Json", right["elem"]).get("val"))
        if "concat" in right:
            columns = [_values(each) or () for each in cast("Sequence[object]", right["concat"])]
            return (_JOINT.join(each[0] for each in columns),) if all(len(each) == 1 for each in columns) else None
        return _values(right["set"]) if "set" in right else None
    if isinstance(right, Sequence):
        parts = [_values(each) for each in right]
        return None if None in parts else tuple(value for part in parts if part for value in part)
    return None


_FIELDS = {
    ("payload", "tcp", "dport"): "dport",
    ("payload", "th", "dport"): "dport",
    ("payload", "ip", "saddr"): "saddr",
    ("payload", "ip6", "saddr"): "saddr",
    ("payload", "ip", "protocol"): "l4proto",
    ("payload", "ip6", "nexthdr"): "l4proto",
    ("payload", "udp", "dport"): "udp",
    **{("payload", protocol, "sport"): "sport" for protocol in ("tcp", "udp", "th")},
    ("payload", "ip", "daddr"): "daddr",
    ("payload", "ip6", "daddr"): "daddr",
    ("payload", "ether", "saddr"): "saddr",
    ("meta", "", "l4proto"): "l4proto",
    ("meta", "", "nfproto"): "nfproto",
    ("meta", "", "protocol"): "nfproto",
    ("meta", "", "iif"): "iif",
    ("meta", "", "iifname"): "iif",
    ("ct", "", "state"): "state",
    ("ct", "", "status"): "status",
}
"""What is understood, by the kind, protocol and field of a match's left side (libnftables-json(5))."""
_ORDERS = {
    "<": lambda port: f"0-{port - 1}",
    "<=": lambda port: f"0-{port}",
    ">": lambda port: f"{port + 1}-65535",
    ">=": lambda port: f"{port}-65535",
}
_PORTS = frozenset({"dport", "udp", "sport"})


PROBE = Probe("firewall.nft", ("nft", "-j", "list", "ruleset"), parse, needs_root=True, limit_bytes=2 << 20, form=JSON)
