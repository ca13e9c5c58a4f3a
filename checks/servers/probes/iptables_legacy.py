"""Rules of iptables in its own words: `iptables-legacy-save` and `iptables-nft-save`, as iptables-save(8) has them.

The older packet filter is one that nft does not show; its programs are called only where the kernel has such tables. Of
rules that iptables put into nftables, nft's own listing names a match and leaves out what it asks for:

    {"xt": {"type": "match", "name": "conntrack"}}

That may be an answer to the host's own question or any new packet, and only iptables says which. Where it can't, nft's
listing stands. Needs root.

    family ip
    *filter
    :INPUT DROP [0:0]
    -A INPUT -i lo -j ACCEPT
    COMMIT
    nft ip
    *filter
    :INPUT DROP [0:0]
    -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    COMMIT
    end
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.ruleset import DECIDES_NOTHING, Condition, FilterChain, JumpTarget, NewDestination, Rule, Ruleset
from portalops.model.message import msg

_SCRIPT = r"""
for f in ip ip6; do
  [ -n "$(cat /proc/net/${f}_tables_names 2>/dev/null)" ] || continue
  echo "family $f"
  "${f}tables-legacy-save" || exit $?
done
for f in ip ip6; do
  command -v "${f}tables-nft-save" >/dev/null || continue
  own=$("${f}tables-nft-save" 2>/dev/null) && printf 'nft %s\n%s\n' "$f" "$own"
done
echo end
"""
_TARGETS = {
    "ACCEPT": JumpTarget.ACCEPT,
    **dict.fromkeys(("DROP", "REJECT"), JumpTarget.DENY),
    "RETURN": JumpTarget.RETURN,
    **dict.fromkeys(("DNAT", "REDIRECT"), JumpTarget.ACCEPT),
    **dict.fromkeys(DECIDES_NOTHING, JumpTarget.NOTHING),
}
_FIELDS = {
    "-i": "iif",
    "-p": "l4proto",
    "-d": "daddr",
    "--ctstatus": "status",
    **dict.fromkeys(("--ctstate", "--state"), "state"),
    **dict.fromkeys(("--dport", "--dports"), "dport"),
    **dict.fromkeys(("--sport", "--sports", "--ports"), "sport"),
    **dict.fromkeys(("-s", "--src-range", "--mac-source"), "saddr"),
    **dict.fromkeys(("--icmp-type", "--icmpv6-type"), "other"),
}
"""What is understood (iptables(8), iptables-extensions(8)); `--ports` is met by the sender's port too."""
_NO_CONDITION = frozenset(
    ("comment", "conntrack", "state", "tcp", "udp", "multiport", "icmp", "icmp6", "iprange", "mac")
)
"""Matches of which the words that follow are the conditions, or that have none."""


@dataclass(frozen=True, slots=True)
class SpelledRules:
    """Rules in iptables's own words."""

    older: Ruleset
    """What only iptables-legacy shows."""
    newer: Ruleset
    """What stands in nftables, and nft shows as well."""


def parse(output: Output) -> SpelledRules:
    """Read the tables of both families."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of older firewall rules is cut short"))
    listings: dict[str, list[str]] = {"family": [], "nft": []}
    kind = "family"
    for line in lines[:-1]:
        if (first := line.partition(" ")[0]) in listings:
            kind = first
        listings[kind].append(line)
    return SpelledRules(_ruleset(listings["family"]), _ruleset(listings["nft"]))


def _ruleset(lines: Sequence[str]) -> Ruleset:
    family = table = ""
    policies: dict[tuple[str, str, str], bool] = {}
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    untracks = False
    for line in lines:
        if line.startswith(("family ", "nft ")):
            family = line.partition(" ")[2]
        elif line.startswith("*"):
            table = line[1:]
        elif line.startswith("#") or line == "COMMIT":
            continue
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            policies[family, table, name] = policy == "DROP"
        elif line.startswith("-A "):
            name, rule = _rule(line)
            rules.setdefault((family, table, name), []).append(rule)
            untracks = untracks or "-j NOTRACK" in line or "--notrack" in line
        else:
            raise Unparseable(msg("a line of the firewall rules cannot be parsed: {line}", line=shown(line, 80)))
    chains = (
        FilterChain(
            *place,
            is_input=place[1:] == ("filter", "INPUT"),
            denies_by_policy=denies,
            rules=tuple(rules.get(place, ())),
            translates=place[1:] == ("nat", "PREROUTING"),
        )
        for place, denies in policies.items()
    )
    return Ruleset(tuple(chains), untracks)


def _rule(line: str) -> tuple[str, Rule]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Unparseable(msg("a line of the firewall rules cannot be parsed: {line}", line=shown(line, 80))) from error
    name, rest = words[1], words[2:]
    target, chain, is_negated = JumpTarget.NOTHING, "", False
    to: NewDestination | None = None
    conditions: list[Condition | None] = []
    while rest:
        word = rest.pop(0)
        if word == "!":
            is_negated = True
            continue
        if word in {"-j", "-g"} and rest:
            target = JumpTarget.GOTO if word == "-g" else _TARGETS.get(rest[0], JumpTarget.JUMP)
            chain = rest[0] if target in {JumpTarget.JUMP, JumpTarget.GOTO} else ""
            to = _translation(rest[1:]) if rest[0] == "DNAT" else None
            break  # what follows is the target's own
        if word in _FIELDS and rest:
            conditions.append(_condition(_FIELDS[word], rest.pop(0), is_negated=is_negated))
        elif (word == "-m" and rest and rest[0] in _NO_CONDITION) or (word == "--comment" and rest):
            rest.pop(0)
        else:
            conditions.append(None)
        is_negated = False
    return name, Rule(bool(conditions), target, chain, tuple(conditions), to)


def _translation(words: Sequence[str]) -> NewDestination:
    """Read `--to-destination 127.0.0.1:6379`, `[::1]:53`, `10.0.0.1-10.0.0.9`."""
    if len(words) < 2 or words[0] != "--to-destination":
        return NewDestination((), is_clear=False)
    address, _, port = words[1].rpartition(":") if "]" in words[1] or "." in words[1] else (words[1], "", "")
    if not address or port.endswith("]"):
        address, port = words[1], ""
    first, _, last = address.strip("[]").replace("]-[", "-").partition("-")
    ports = (port.partition("/")[0],) if port else ()
    return NewDestination(tuple(filter(None, (first, last))), ports, is_clear=not last)


def _condition(field: str, value: str, *, is_negated: bool) -> Condition:
    match field:
        case "state" | "status":
            values = tuple(value.lower().split(","))
        case "dport" | "sport":
            values = tuple(port.replace(":", "-") for port in value.split(","))
        case "iif" if value.endswith("+"):
            values = (f"{value[:-1]}*",)
        case _:
            values = (value,)
    return Condition(field, values, is_negated)


PROBE = Probe("firewall.legacy", ("sh", "-c", _SCRIPT), parse, needs_root=True, limit_bytes=2 << 20)
