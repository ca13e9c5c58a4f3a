"""Whether ufw brings its rules at start: /etc/ufw/ufw.conf, as ufw(8) has it. A host without ufw has no such file.

ENABLED=yes
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg


def parse(output: Output) -> bool:
    """Return whether it is enabled."""
    if output.exit_code != 0:
        if "No such file" in output.errors:
            return False
        raise Unparseable(msg("the settings of ufw cannot be read"), reason="command-failed")
    return any(line.strip().lower().replace('"', "") == "enabled=yes" for line in output.lines())


PROBE = Probe("firewall.ufw", ("cat", "/etc/ufw/ufw.conf"), parse, exit_codes=frozenset({0, 1}))
