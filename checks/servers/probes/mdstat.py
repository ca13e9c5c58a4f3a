"""Software RAID: /proc/mdstat, as md(4) has it. The file is missing where the kernel has no RAID driver loaded.

Personalities : [raid1]
md0 : active raid1 sdb1[1] sda1[0]
      1046528 blocks super 1.2 [2/2] [UU]
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_ARRAY = re.compile(r"(?P<name>md\S*) : (?P<rest>.*)$")
_MEMBERS = re.compile(r"\[[U_]+\]")


@dataclass(frozen=True, slots=True)
class Array:
    """One array."""

    name: str
    problem: str
    """Coded: `inactive`, `failed-member`, `degraded`; empty if it is whole."""


@dataclass(frozen=True, slots=True)
class Raid:
    """All arrays that the kernel knows."""

    has_driver: bool
    arrays: tuple[Array, ...]


def parse(output: Output) -> Raid:
    """Read each array with its state."""
    if output.exit_code != 0:
        if "No such file" in output.errors:
            return Raid(has_driver=False, arrays=())
        raise Unparseable(msg("the state of the RAID arrays cannot be read"), reason="command-failed")
    found: list[Array] = []
    for line in output.lines():
        match = _ARRAY.match(line)
        if match:
            problem = "" if match["rest"].startswith("active") else "inactive"
            found.append(Array(match["name"], "failed-member" if "(F)" in match["rest"] else problem))
        elif found and (members := _MEMBERS.search(line)) and "_" in members.group() and not found[-1].problem:
            found.append(Array(found.pop().name, "degraded"))
    if not output.text.startswith("Personalities"):
        raise Unparseable(msg("the state of the RAID arrays cannot be parsed"))
    return Raid(has_driver=True, arrays=tuple(found))


PROBE = Probe("disk.mdstat", ("cat", "/proc/mdstat"), parse, exit_codes=frozenset({0, 1}))
