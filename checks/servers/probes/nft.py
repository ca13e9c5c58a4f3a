"""The kernel's nftables rules: `nft -j list ruleset`, as nft(8) and libnftables-json(5) have them. Needs root.

A filter without a rule prints only its own version:

    {"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.ruleset import Chain, Rule, Ruleset, Target
from portalops.model.message import msg

_HARMLESS = frozenset({"counter", "log", "comment"})
_DENIALS = frozenset({"DROP", "REJECT"})

Json = Mapping[str, object]


def parse(output: Output) -> Ruleset:
    """Read tables, chains and rules of the families ip, ip6 and inet; tables that sleep do not count."""
    try:
        entries = cast("Sequence[Json]", json.loads(output.text)["nftables"])
        asleep = {
            (table["family"], table["name"])
            for table in _named(entries, "table")
            if "dormant" in str(table.get("flags", ""))
        }
        rules: dict[tuple[object, object, object], list[Rule]] = {}
        for rule in _named(entries, "rule"):
            key = (rule["family"], rule["table"], rule["chain"])
            rules.setdefault(key, []).append(_rule(cast("Sequence[Json]", rule["expr"])))
        chains = tuple(
            _chain(chain, tuple(rules.get((chain["family"], chain["table"], chain["name"]), ())))
            for chain in _named(entries, "chain")
            if chain["family"] in {"ip", "ip6", "inet"} and (chain["family"], chain["table"]) not in asleep
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("nft's rules are not of the known form")) from error
    if not any("metainfo" in entry for entry in entries):
        raise Unparseable(msg("nft did not say its version"))
    return Ruleset(chains)


def _named(entries: Sequence[Json], kind: str) -> list[Json]:
    return [cast("Json", entry[kind]) for entry in entries if kind in entry]


def _chain(chain: Json, rules: tuple[Rule, ...]) -> Chain:
    is_input = chain.get("hook") == "input" and chain.get("type") == "filter"
    return Chain(
        str(chain["family"]), str(chain["table"]), str(chain["name"]), is_input, chain.get("policy") == "drop", rules
    )


def _rule(expressions: Sequence[Json]) -> Rule:
    conditional, target, chain = False, Target.NOTHING, ""
    for expression in expressions:
        name, value = next(iter(expression.items()))
        match name:
            case "accept":
                target = Target.ACCEPT
            case "drop" | "reject":
                target = Target.DENY
            case "return":
                target = Target.RETURN
            case "jump" | "goto":
                target, chain = Target(name), str(cast("Json", value)["target"])
            case "xt" if isinstance(value, Mapping) and value.get("type") == "target":
                target = Target.DENY if value.get("name") in _DENIALS else Target.NOTHING
            case _ if name not in _HARMLESS:
                conditional = True
    return Rule(conditional, target, chain)


PROBE = Probe("firewall.nft", ("nft", "-j", "list", "ruleset"), parse, needs_root=True, limit_bytes=2 << 20)
