"""The groups: /etc/group, as group(5) has it, without the password field.

sudo:27:an,binh
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
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
        if len(fields) != 3 or not fields[0] or not fields[1].isdecimal():
            raise Unparseable(msg("the list of groups has a line that cannot be parsed: {line}", line=shown(line, 60)))
        members = tuple(member.strip() for member in fields[2].split(",") if member.strip())
        found.append(Group(fields[0], int(fields[1]), members))
    if not found:
        raise Unparseable(msg("the list of groups is empty"))
    return tuple(found)


PROBE = Probe("acct.group", ("awk", "-F:", '{ print $1 ":" $3 ":" $4 }', "/etc/group"), parse)
