"""The units that start by themselves: `systemctl list-unit-files --state=enabled`, as systemctl(1) has it.

ssh.service                            enabled enabled
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg


def parse(output: Output) -> frozenset[str]:
    """Return the names of the units; a host that starts nothing has not answered."""
    refuse_without_systemd(output)
    found = set()
    for line in output.lines():
        words = line.split()
        if len(words) < 2 or words[1] != "enabled" or "." not in words[0]:
            raise Unparseable(msg("systemctl printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found.add(words[0])
    if not found:
        raise Unparseable(msg("systemd lists no unit that starts automatically"))
    return frozenset(found)


PROBE = Probe(
    "systemd.enabled",
    ("systemctl", "list-unit-files", "--state=enabled", "--plain", "--no-legend", "--no-pager"),
    parse,
    exit_codes=frozenset({0, 1}),
)
