"""Who becomes root by a rule of polkit: what its JavaScript says, where it has a form that can be read for sure."""

from __future__ import annotations

import re
from collections.abc import Iterator

ROOT_ACTIONS = (
    *(
        "org.freedesktop.policykit.exec",
        "org.freedesktop.systemd1.",
        "org.freedesktop.accounts.",
        "org.freedesktop.packagekit.",
    ),
    *("org.freedesktop.machine1.", "org.freedesktop.portable1.", "org.freedesktop.import1.", "org.freedesktop.home1."),
    *(
        "org.freedesktop.udisks2.",
        "org.libvirt.",
        "org.debian.",
        "org.dpkg.",
        "com.ubuntu.",
        "org.freedesktop.Flatpak.",
    ),
)
"""Actions by which one becomes root: to run programs, to start and change units, to install packages, to mount anything."""
HARMLESS_ACTIONS = (
    *(
        "org.freedesktop.login1.",
        "org.freedesktop.hostname1.",
        "org.freedesktop.timedate1.",
        "org.freedesktop.locale1.",
    ),
    *(
        "org.freedesktop.timesync1.",
        "org.freedesktop.resolve1.",
        "org.freedesktop.network1.",
        "org.freedesktop.NetworkManager.",
    ),
    *(
        "org.freedesktop.color-manager.",
        "org.freedesktop.UPower.",
        "org.freedesktop.ModemManager1.",
        "org.freedesktop.bolt.",
    ),
    *(
        "org.freedesktop.RealtimeKit1.",
        "org.freedesktop.fwupd.",
        "org.freedesktop.oom1.",
        "org.freedesktop.udisks2.filesystem-mount",
    ),
)
EVERYBODY = "*"
_RULE = re.compile(
    r"polkit\.addRule\(function\((?P<a>\w+),(?P<s>\w+)\)\{(?:if\((?P<if>[^{}]*)\)(?P<open>\{)?)?return polkit\.Result\.(?P<result>[A-Z_]+);?"
    r"(?(open)\})(?:return polkit\.Result\.NOT_HANDLED;?)?\}\);?"
)
_ADMINS = re.compile(r"polkit\.addAdminRule\(function\(\w+,\w+\)\{return\[(?P<names>[^\]{}]*)\];?\}\);?")
_LITERAL = r"(?:\"([^\"\\]*)\"|'([^'\\]*)')"


class UnreadableRule(Exception):
    """A rule has a form that is not read for sure."""


def read_script(code: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield who a script lets do what: `unix-user:NAME`, `unix-group:NAME` or `*`, and actions; none for administrators.

    Raises:
        UnreadableRule: it has a form that is not known.
    """
    text = re.sub(r"\s*([(){}\[\],;=!&|]+)\s*", r"\1", " ".join(code.split()))
    rest = text
    for rule in _RULE.finditer(text):
        rest = rest.replace(rule.group(), "", 1)
        if rule["result"] in {"YES", "AUTH_SELF", "AUTH_SELF_KEEP"}:
            actions, people = _condition(rule["if"], rule["a"], rule["s"]) if rule["if"] else (("",), (EVERYBODY,))
            yield from ((who, actions) for who in people)
    for rule in _ADMINS.finditer(text):
        rest = rest.replace(rule.group(), "", 1)
        yield from ((who, ()) for who in _literals(rule["names"]))
    if rest.strip(" ;"):
        raise UnreadableRule


def gives_root(action: str) -> bool | None:
    """Say whether who may do an action becomes root by it; None where that is not known."""
    if action.startswith("org.freedesktop.udisks2.filesystem-mount"):
        return False
    if action.startswith(ROOT_ACTIONS) or action.endswith("*") or not action:
        return True
    return False if action.startswith(HARMLESS_ACTIONS) else None


def _literals(text: str) -> list[str]:
    return ["".join(one) for one in re.findall(_LITERAL, text)]


def _condition(text: str, action: str, subject: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the actions and the people of a condition: terms that must all hold, each of them of one kind; polkit(8)."""
    actions: list[str] | None = None
    people: list[str] | None = None
    terms = _split(text, "&&")
    for term in terms:
        bare = term
        while bare.startswith("(") and _split(bare[1:-1], ")") == [bare[1:-1]]:
            bare = bare[1:-1]
        if len(terms) > 1 and bare == term and len(_split(term, "||")) > 1:  # "and" binds before "or"
            raise UnreadableRule
        kinds = [_atom(atom.strip(), action, subject) for atom in _split(bare, "||")]
        names = {kind for kind, _ in kinds}
        if names == {"action"}:
            actions = [*(actions or ()), *(value for _, value in kinds)]
        elif names == {"who"}:
            people = [*(people or ()), *(value for _, value in kinds)]
        elif names == {"unit"}:
            return (), ()  # to start or stop units of that name alone
        elif names != {"place"}:
            raise UnreadableRule
    return tuple(actions if actions is not None else [""]), tuple(people if people is not None else [EVERYBODY])


def _split(text: str, between: str) -> list[str]:
    """Split at what stands outside of every pair of brackets."""
    parts, depth, begin, at = [], 0, 0, 0
    while at < len(text):
        if depth == 0 and text.startswith(between, at):
            parts.append(text[begin:at])
            at = begin = at + len(between)
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return [*parts, text[begin:]]


def _atom(text: str, action: str, subject: str) -> tuple[str, str]:
    forms = (
        ("action", "", rf"{action}\.id={{2,3}}{_LITERAL}"),
        ("action", "", rf"{action}\.id\.indexOf\({_LITERAL}\)={{2,3}} ?0"),
        ("who", "unix-user:", rf"{subject}\.user={{2,3}}{_LITERAL}"),
        ("who", "unix-group:", rf"{subject}\.isInGroup\({_LITERAL}\)"),
        ("unit", "", rf"{action}\.lookup\(\"unit\"\)={{2,3}}{_LITERAL}"),
        ("place", "", rf"{action}\.lookup\(\"verb\"\)={{2,3}}{_LITERAL}"),
        ("place", "", rf"{subject}\.(?:local|active)(?:={{2,3}}true)?()()"),
    )
    for kind, prefix, form in forms:
        if found := re.fullmatch(form, text):
            return kind, prefix + next((one for one in found.groups() if one), "")
    raise UnreadableRule
