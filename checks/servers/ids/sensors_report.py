"""The declared sensors report, and know the attacks of these days.

A sensor that lost its centre sees an attack and tells nobody. Article 12.3 asks for software against intrusion.

The rule: each declared sensor meets what is asked of its kind. Wazuh's agent is connected, and wrote so within
{heard_minutes} minutes. Suricata's log was written to within {heard_minutes} minutes, and it has seen packets since its
start. Its rules are there, raise something and are at most {rules_days} days old. That none is declared at all leaves
it unknown, and so does a file that is dated in the future. A declaration that there is none is a fail.

Sources: the Wazuh manual, "wazuh-agentd.state"; the Suricata manual, "EVE JSON output". Wazuh 4:

    status='connected'
    last_ack='2026-11-26 05:00:05'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probes import sensors
from checks.servers.probes.sensors import Sensors
from checks.servers.wording import listed
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

HEARD_WITHIN = timedelta(minutes=10)
RULES_WITHIN = timedelta(days=7)


@check(
    id="ids.sensor",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(sensors.PROBE,),
    title=msg("the declared sensors report, and their rules are up to date"),
    remedy=msg("Start the sensor, connect it to its centre, and update its rules."),
    numbers={"heard_minutes": HEARD_WITHIN // timedelta(minutes=1), "rules_days": RULES_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    declared = facts.declared.sensors
    if declared is None:
        return unknown("not-declared", msg("the sensors of the host are not declared"))
    if not declared:
        return failed("no-sensor", msg("the host has no sensor, as declared"))
    for name in declared:
        problem = (
            _check_wazuh(facts[sensors.PROBE], facts.at)
            if name == "wazuh"
            else _check_suricata(facts[sensors.PROBE], facts.at)
        )
        if problem is not None:
            return failed(f"{name}-silent", problem)
    for file, at in _moments(facts[sensors.PROBE], declared):
        if is_ahead(at, facts.at):
            return unknown("written-in-future", msg("{file} was last written to at {at}", file=file, at=at))
    return passed(msg("sensors that report: {names}", names=listed(declared)))


def _moments(seen: Sensors, declared: Sequence[str]) -> Iterator[tuple[str, datetime]]:
    moments = {
        "wazuh": {"wazuh-agentd.state": seen.wazuh_at},
        "suricata": {"eve.json": seen.suricata_log_at, "suricata.rules": seen.suricata_rules_at},
    }
    yield from ((file, at) for name in declared for file, at in moments[name].items() if at is not None)


def _check_wazuh(seen: Sensors, now: datetime) -> Message | None:
    if seen.wazuh_status is None or seen.wazuh_at is None:
        return msg("{sensor} is declared but not installed", sensor="wazuh")
    if seen.wazuh_status != "connected":
        return msg("Wazuh's agent is in the state {state}", state=seen.wazuh_status)
    if now - seen.wazuh_at > HEARD_WITHIN:
        return msg("{sensor} last wrote at {at}", sensor="wazuh", at=seen.wazuh_at)
    return None


def _check_suricata(seen: Sensors, now: datetime) -> Message | None:
    if seen.suricata_log_at is None:
        return msg("{sensor} is declared but not installed", sensor="suricata")
    if now - seen.suricata_log_at > HEARD_WITHIN:
        return msg("{sensor} last wrote at {at}", sensor="suricata", at=seen.suricata_log_at)
    if seen.suricata_rules_at is None or not seen.suricata_rules_bytes or seen.suricata_rules == 0:
        return msg("Suricata has no rules")
    if seen.suricata_packets == 0:
        return msg("Suricata has seen no packet since its start")
    if now - seen.suricata_rules_at > RULES_WITHIN:
        return msg("Suricata's rules were last updated at {at}", at=seen.suricata_rules_at)
    return None
