"""Rules of the older packet filter, which nft does not show: `iptables-legacy-save`, as iptables-save(8) has it.

The programs are called only where the kernel has such tables; else nothing but `end` is printed. Needs root.

    family ip
    *filter
    :INPUT DROP [0:0]
    -A INPUT -i lo -j ACCEPT
    COMMIT
    end
"""

from __future__ import annotations

import shlex

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.ruleset import Chain, Condition, Rule, Ruleset, Target
from portalops.model.message import msg

_SCRIPT = r"""
for f in ip ip6; do
  [ -n "$(cat /proc/net/${f}_tables_names 2>/dev/null)" ] || continue
  echo "family $f"
  "${f}tables-legacy-save" || exit $?
done
echo end
"""
_VERDICTS = {"ACCEPT": Target.ACCEPT, "DROP": Target.DENY, "REJECT": Target.DENY, "RETURN": Target.RETURN}
_NO_TARGET = frozenset({"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "AUDIT"})
_FIELDS = {"-i": "iif", "-p": "l4proto", "--ctstate": "state", "--state": "state"}
_NO_CONDITION = {"-m": {"comment", "conntrack", "state"}, "--comment": None, "--reject-with": None, "-c": None}
"""By the word that follows, if not any; a module's own words are the conditions."""


def parse(output: Output) -> Ruleset:
    """Read the filter tables of both families."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of older firewall rules broke off"))
    family = table = ""
    policies: dict[tuple[str, str], bool] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    for line in lines[:-1]:
        if line.startswith("family "):
            family = line[7:]
        elif line.startswith("*"):
            table = line[1:]
        elif table != "filter" or line.startswith("#") or line == "COMMIT":
            continue
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            policies[family, name] = policy == "DROP"
        elif line.startswith("-A "):
            name, rule = _rule(line)
            rules.setdefault((family, name), []).append(rule)
        else:
            raise Unparseable(msg("an unknown line among the firewall rules: {line}", line=shown(line, 80)))
    return Ruleset(
        tuple(
            Chain(family, "filter", name, name == "INPUT", denies, tuple(rules.get((family, name), ())))
            for (family, name), denies in policies.items()
        )
    )


def _rule(line: str) -> tuple[str, Rule]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Unparseable(msg("an unknown line among the firewall rules: {line}", line=shown(line, 80))) from error
    name, rest = words[1], words[2:]
    target, chain, negated = Target.NOTHING, "", False
    conditions: list[Condition | None] = []
    while rest:
        word = rest.pop(0)
        if word == "!":
            negated = True
            continue
        if word in {"-j", "-g"} and rest:
            aim = rest.pop(0)
            if aim in _VERDICTS:
                target = _VERDICTS[aim]
            elif aim not in _NO_TARGET:
                target, chain = (Target.JUMP if word == "-j" else Target.GOTO), aim
        elif word in _NO_CONDITION and rest and rest[0] in (_NO_CONDITION[word] or rest):
            rest.pop(0)
        elif word in _FIELDS and rest:
            conditions.append(_condition(_FIELDS[word], rest.pop(0), negated=negated))
        else:
            conditions.append(None)
        negated = False
    return name, Rule(bool(conditions), target, chain, tuple(conditions))


def _condition(field: str, value: str, *, negated: bool) -> Condition:
    if field == "state":
        return Condition(field, tuple(value.lower().split(",")), negated)
    return Condition(field, (f"{value[:-1]}*" if value.endswith("+") else value,), negated)


PROBE = Probe("firewall.legacy", ("sh", "-c", _SCRIPT), parse, needs_root=True)
