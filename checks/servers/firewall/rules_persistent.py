"""The firewall comes back after a reboot.

Rules that were typed in are gone after the next power cut, on a night when nobody watches. Article 12.3.

The rule: one of nftables, netfilter-persistent or firewalld is enabled, or ufw is enabled as a unit and says ENABLED=yes
in its own settings.

Sources: systemctl(1), ufw(8).

    Id=nftables.service
    LoadState=loaded
    ActiveState=active
    SubState=exited
    UnitFileState=enabled
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import systemd_units, ufw
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_SERVICES = ("nftables.service", "netfilter-persistent.service", "firewalld.service")


@check(
    id="firewall.persistent",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_units.PROBE,),
    uses=(ufw.PROBE,),
    title=msg("the firewall comes back after a reboot"),
    remedy=msg("Enable the unit that loads the rules, such as 'systemctl enable nftables'."),
)
def judge(facts: Facts) -> CheckOutcome:
    units = facts[systemd_units.PROBE]
    for name in _SERVICES:
        if name in units and units[name].is_enabled:
            return passed(msg("{unit} loads the rules at start", unit=name))
    front = units.get("ufw.service")
    if front is not None and front.is_enabled:
        is_on = facts.get(ufw.PROBE)
        if isinstance(is_on, MissingFact):
            return missing(is_on)
        if is_on:
            return passed(msg("{unit} loads the rules at start", unit="ufw.service"))
        return failed("ufw-off", msg("ufw is started, but its settings load nothing"))
    return failed("not-persistent", msg("no unit loads firewall rules at start"))
