"""Units that failed: `systemctl list-units --failed`, as systemctl(1) has it. No line means that none did.

fstrim.service loaded failed failed Discard unused blocks on filesystems from /etc/fstab
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg


def parse(output: Output) -> tuple[str, ...]:
    """Read the names."""
    refuse_without_systemd(output)
    names = []
    for line in output.lines():
        words = line.replace("●", " ").replace("*", " ").split()
        if len(words) < 4 or "." not in words[0]:
            raise Unparseable(msg("systemd printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        names.append(words[0])
    return tuple(names)


PROBE = Probe(
    "systemd.failed",
    ("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"),
    parse,
    exit_codes=frozenset({0, 1}),
)
