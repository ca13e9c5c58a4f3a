"""Containers open no port past the firewall that was not declared.

Docker writes its own rules before those of ufw: a published port is open to the world, whatever ufw says. Article 12.3 asks
for a firewall.

The rule: every port that a container publishes on more than loopback is among the declared listeners. An engine whose bridge
is there and that can't be asked leaves it unknown.

Source: docker-ps(1), podman-ps(1); the Docker manual, "Packet filtering and firewalls". Docker 24:

    {"Names":"web","Ports":"0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import containers
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="firewall.container-bypass",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(containers.PROBE,),
    title=msg("containers open only declared ports"),
    remedy=msg("Publish the port on loopback alone (127.0.0.1:8080:80), or declare it after its change was approved."),
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[containers.PROBE]
    if not seen.engines:
        if seen.bridges:
            return unknown(
                "engine-unseen",
                msg("the device {device} exists, but no container engine answered", device=listed(seen.bridges)),
            )
        return passed(msg("the host has no container engine"))
    if not seen.published:
        return passed(msg("{engines} publishes no ports", engines=listed(seen.engines)))
    if facts.declared.listeners is None:
        names = listed(f"{one.name} ({one.container})" for one in seen.published)
        return unknown("not-declared", msg("the listening ports are not declared; seen: {names}", names=names))
    extra = [f"{one.name} ({one.container})" for one in seen.published if one.name not in facts.declared.listeners]
    if extra:
        return failed("published", msg("ports published by containers and not declared: {names}", names=listed(extra)))
    return passed(
        msg("every port that containers publish is declared: {names}", names=listed(one.name for one in seen.published))
    )
