"""Who may change the members of a group, and which group a password opens: /etc/gshadow, as gshadow(5) has it, and /etc/group.

newgrp(1) lets the members of /etc/gshadow in, and asks everybody else for the group's password; where /etc/gshadow does not
hold a group, that of /etc/group counts. Each password is reduced on the host to `set` or `-`.

    group|sudo|-
    shadow|sudo|set|eve|an,binh
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v awk >/dev/null || exit 127
set -- /etc/group
[ ! -e /etc/gshadow ] || set -- "$@" /etc/gshadow
awk -F: '{ sub(/\r$/, ""); gsub(/\|/, "?"); w = ($2 == "" || $2 == "x" || $2 ~ /^[!*]/) ? "-" : "set" }
  $1 == "" { next }
  FILENAME == "/etc/group" { print "group|" $1 "|" w; next }
  { print "shadow|" $1 "|" w "|" $3 "|" $4 }' "$@" || exit $?
echo end
"""


@dataclass(frozen=True, slots=True)
class GroupKeeping:
    """How accounts come into one group without root."""

    has_password: bool
    """It lets everybody in who knows it."""
    administrators: tuple[str, ...] = ()
    """They take in and put out members, themselves too."""
    members: tuple[str, ...] = ()
    """Of /etc/gshadow: newgrp lets them in."""


def parse(output: Output) -> dict[str, GroupKeeping]:
    """Read all groups by name."""
    lines = [line.rstrip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("the list of groups' passwords is cut short"))
    found: dict[str, GroupKeeping] = {}
    for line in lines[:-1]:
        match line.split("|"):
            case ["group", name, "set" | "-" as word]:
                found.setdefault(name, GroupKeeping(word == "set"))
            case ["shadow", name, "set" | "-" as word, administrators, members]:
                found[name] = GroupKeeping(word == "set", _names(administrators), _names(members))
            case _:
                raise Unparseable(
                    msg("the list of groups' passwords has a line that cannot be parsed: {line}", line=shown(line, 60))
                )
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


PROBE = Probe("acct.gshadow", ("sh", "-c", _SCRIPT), parse, needs_root=True, form=PIPED)
