"""Whether ufw brings its rules at start, and denies by default then: /etc/ufw/ufw.conf and /etc/default/ufw, as ufw(8) has them.

A host without ufw has no such files. The policy for what comes in holds for IPv6 too, unless IPV6=no.

    ENABLED=yes
    IPV6=yes
    DEFAULT_INPUT_POLICY="DROP"
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Ufw:
    """How ufw is set up."""

    is_enabled: bool
    admits: bool
    """What no rule names is let in, over IPv4 or IPv6."""


def parse(output: Output) -> Ufw:
    """Read both files; of answers of versions before, the first one alone."""
    values = {
        key.strip(): value.strip().strip("\"'").lower()
        for key, equals, value in (line.partition("=") for line in output.lines())
        if equals
    }
    if output.exit_code != 0 and "enabled" not in {key.lower() for key in values}:
        if "No such file" in output.errors:
            return Ufw(is_enabled=False, admits=False)
        raise Unparseable(msg("the settings of ufw cannot be read"), reason="command-failed")
    is_enabled = next((value for key, value in values.items() if key.lower() == "enabled"), "") == "yes"
    admits = values.get("DEFAULT_INPUT_POLICY") == "accept" or values.get("IPV6") == "no"
    return Ufw(is_enabled, admits)


PROBE = Probe("firewall.ufw", ("cat", "/etc/ufw/ufw.conf", "/etc/default/ufw"), parse, exit_codes=frozenset({0, 1}))
