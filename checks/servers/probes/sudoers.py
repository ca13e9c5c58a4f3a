"""Who may become whom by sudo: `cvtsudoers -f json`, as cvtsudoers(1) has it; it follows the included files.

An older sudo has no such program; then nothing is known of its rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule: who may run what."""

    who: tuple[str, ...]
    """Accounts, `%group`, or `ALL`."""
    commands: tuple[str, ...]
    """With aliases resolved; `ALL` for every command."""
    is_password_asked: bool


@dataclass(frozen=True, slots=True)
class Sudoers:
    """All rules."""

    grants: tuple[Grant, ...]
    is_password_off_by_default: bool
    """`Defaults !authenticate`, for everyone or for some."""
    unlogged_by: str = ""
    """The setting by which sudo writes some uses not into the system's log, or in another form, for everyone or for some; empty
    where there is none: it writes them by default."""


def parse(output: Output) -> Sudoers:
    """Read the JSON of cvtsudoers."""
    try:
        document = json.loads(output.text)
        aliases = {
            str(name): tuple(_commands(members, {})) for name, members in document.get("Command_Aliases", {}).items()
        }
        grants = tuple(
            Grant(
                tuple(_read_members(spec["User_List"])),
                tuple(_commands(command["Commands"], aliases)),
                _option(command.get("Options", ()), "authenticate") is not False,
            )
            for spec in document["User_Specs"]
            for command in spec["Cmnd_Specs"]
        )
        defaults = any(
            _option(entry.get("Options", ()), "authenticate") is False for entry in document.get("Defaults", ())
        )
        unlogged_by = next((each for entry in document.get("Defaults", ()) for each in _unlogged(entry)), "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unparseable(msg("the rules of sudo cannot be parsed")) from error
    return Sudoers(grants, defaults, unlogged_by)


def _unlogged(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of sudoers(5) without which a use would be in the system's log, in sudo's own form."""
    for option in entry.get("Options", ()):
        for name, value in option.items():
            is_off = name in {"syslog", "log_allowed"} and value is False
            is_nowhere = name == "syslog_goodpri" and value in {False, "none"}
            if is_off or is_nowhere or (name == "log_format" and value != "sudo"):
                yield f"!{name}" if value is False else f"{name}={value}"


def _read_members(members: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for member in members:
        kind, name = next((item for item in member.items() if item[0] != "negated"), ("", ""))
        if not member.get("negated"):
            yield f"%{name}" if "group" in kind else str(name)


def _commands(members: Sequence[Mapping[str, object]], aliases: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for member in members:
        if member.get("negated"):
            continue
        if "cmndalias" in member:
            yield from aliases.get(str(member["cmndalias"]), ("ALL",))
        elif "command" in member:
            yield str(member["command"])


def _option(options: Sequence[Mapping[str, object]], name: str) -> object:
    return next((option[name] for option in options if name in option), None)


PROBE = Probe("acct.sudoers", ("cvtsudoers", "-f", "json", "/etc/sudoers"), parse, needs_root=True, form=JSON)
