"""Which programs listen: `ss -H -tulnp`, as ss(8) has it. Needs root: without it ss names the account's own programs alone.

A program's name is the kernel's, 15 letters long. A socket without one belongs to the kernel, or to a program in another
name space.

    tcp LISTEN 0 80 0.0.0.0:3307 0.0.0.0:* users:(("mariadbd",pid=2316,fd=25))
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.listeners import Listener, listener
from checks.servers.redaction import QUOTED
from portalops.model.message import msg

_PROGRAM = re.compile(r'\("((?:[^"\\]|\\.){0,64})",pid=\d+,fd=\d+\)')
_PROGRAMS = re.compile(rf"users:\({_PROGRAM.pattern}(?:,{_PROGRAM.pattern})*\)")


@dataclass(frozen=True, slots=True, order=True)
class Listening:
    """A socket that waits for strangers, and the programs that hold it."""

    socket: Listener
    programs: tuple[str, ...]
    """By name; none where ss names none."""


def parse(output: Output) -> tuple[Listening, ...]:
    """Read protocol, address, port and programs; an empty answer means that nothing listens."""
    found = set()
    for line in output.lines():
        words = line.split(maxsplit=6)
        rest = words[6].strip() if len(words) == 7 else ""
        if len(words) < 6 or words[0] not in {"tcp", "udp"} or (rest and not _PROGRAMS.fullmatch(rest)):
            raise Unparseable(msg("ss printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        socket = listener(words[0], *words[4].rsplit(":", 1))
        found.add(Listening(socket, tuple(sorted({match[1] for match in _PROGRAM.finditer(rest)}))))
    return tuple(sorted(found))


PROBE = Probe("net.programs", ("ss", "-H", "-tulnp"), parse, needs_root=True, form=QUOTED)
