"""Which programs run: `ps -eo pid=,comm=`, as ps(1) has it. Arguments are not asked for: they may hold passwords.

Where the kernel hides other accounts' processes (hidepid of proc(5)), process 1 is missing from the list.

      1 systemd
    812 sshd
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


def parse(output: Output) -> frozenset[str]:
    """Return the names of the programs, as the kernel keeps them: at most 15 characters."""
    found: dict[int, str] = {}
    for line in output.lines():
        pid, _, name = line.strip().partition(" ")
        if not pid.isdigit() or not name.strip():
            raise Unparseable(msg("ps printed a line that cannot be parsed: {line}", line=shown(line, 60)))
        found[int(pid)] = name.strip()
    if 1 not in found:
        raise Unparseable(msg("the processes of other accounts are hidden"), reason="processes-hidden")
    return frozenset(found.values())


PROBE = Probe("inventory.processes", ("ps", "-eo", "pid=,comm="), parse)
