"""Sensors against intrusion that report to a centre: the agent of Wazuh and Suricata. Needs root.

Sources: the Wazuh manual, "wazuh-agentd.state"; the Suricata manual, "EVE JSON output". Wazuh 4 writes:

    status='connected'
    last_ack='2026-11-26 05:00:05'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
for f in /var/ossec/var/run/wazuh-agentd.state /var/ossec/var/run/ossec-agentd.state; do
  if [ -e "$f" ]; then stat -c 'state %Y' "$f" && grep -E '^(status|last_ack)=' "$f"; fi
done
for f in /var/log/suricata/eve.json /var/lib/suricata/rules/suricata.rules; do
  if [ -e "$f" ]; then stat -c 'file %Y %s %n' "$f"; fi
done
[ ! -e /var/lib/suricata/rules/suricata.rules ] ||
  echo "rules $(grep -cE '^[[:space:]]*(alert|drop|reject)' /var/lib/suricata/rules/suricata.rules)"
[ ! -e /var/log/suricata/eve.json ] ||
  tail -c 262144 /var/log/suricata/eve.json | grep -a '"event_type":"stats"' | tail -n 1 |
    sed -n 's/.*"decoder":{"pkts":\([0-9]\{1,18\}\).*/packets \1/p'
echo end
"""
_COUNT = re.compile(r"(rules|packets) (\d{1,18})$")
_STATUS = re.compile(r"status='([a-z_]{1,20})'$")
_STATE = re.compile(r"state (\d{9,11})$")
_FILE = re.compile(r"file (\d{9,11}) (\d{1,15}) (/\S+)$")


@dataclass(frozen=True, slots=True)
class Sensors:
    """What of them is there."""

    wazuh_status: str | None
    """`connected`, `pending`, `disconnected`; None without an agent."""
    wazuh_at: datetime | None
    """When the agent last wrote its state, which it does every 5 seconds as shipped; UTC."""
    suricata_log_at: datetime | None
    suricata_rules_at: datetime | None
    suricata_rules_bytes: int
    suricata_rules: int | None = None
    """How many rules raise or block anything; None in answers of versions before that was asked."""
    suricata_packets: int | None = None
    """How many packets it saw since its start; None where its log does not tell."""


def parse(output: Output) -> Sensors:
    """Read the state and the ages; an agent's own time has no zone, so its file's is taken."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the state of the sensors is cut short"))
    status = at = log = rules = None
    size = 0
    counts: dict[str, int] = {}
    for line in lines[:-1]:
        if match := _STATUS.fullmatch(line):
            status = match[1]
        elif match := _STATE.fullmatch(line):
            at = datetime.fromtimestamp(int(match[1]), UTC)
        elif match := _COUNT.fullmatch(line):
            counts[match[1]] = int(match[2])
        elif match := _FILE.fullmatch(line):
            moment = datetime.fromtimestamp(int(match[1]), UTC)
            if match[3].endswith("eve.json"):
                log = moment
            else:
                rules, size = moment, int(match[2])
    if (at is None) != (status is None):
        raise Unparseable(msg("the state of Wazuh's agent cannot be parsed"))
    return Sensors(status, at, log, rules, size, counts.get("rules"), counts.get("packets"))


PROBE = Probe("ids.sensors", ("sh", "-c", _SCRIPT), parse, needs_root=True)
