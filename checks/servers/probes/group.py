"""The groups: /etc/group, as group(5) has it, without the password field.

Where the host looks for groups or members elsewhere too, a line tells that.

sudo:27:an,binh
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.passwd import ELSEWHERE
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Group:
    """One line of the file."""

    name: str
    gid: int
    members: tuple[str, ...]


def parse(output: Output) -> tuple[Group, ...]:
    """Read every group."""
    found = []
    for line in output.lines():
        fields = line.rstrip("\r").split(":")
        if line.startswith(("+", "-")):
            raise Unparseable(msg("some groups come from a directory service"), reason="directory-groups")
        if len(fields) != 3 or not fields[0] or not fields[1].isdecimal():
            raise Unparseable(msg("the list of groups has a line that cannot be parsed: {line}", line=shown(line, 60)))
        members = tuple(member.strip() for member in fields[2].split(",") if member.strip())
        found.append(Group(fields[0], int(fields[1]), members))
    if not found:
        raise Unparseable(msg("the list of groups is empty"))
    return tuple(found)


_SCRIPT = """awk -F: '{ print $1 ":" $3 ":" $4 }' /etc/group || exit $?""" + ELSEWHERE.replace(
    "DATABASE", r"group\|initgroups"
).replace('"$f"/*.RECORDS', '"$f"/*.group "$f"/*.membership')
PROBE = Probe("acct.group", ("sh", "-c", _SCRIPT), parse)
