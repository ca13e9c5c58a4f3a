"""From outside, the ports that are open are those declared public, and no others.

A firewall is what a stranger meets, not what its rules were meant to say: a second filter, a router in front or a
container can undo them. Article 12.3.

The rule: seen from another machine, the TCP ports that take a connection are exactly the declared `public_ports`, at every
public address. A few hundred ports are tried: the usual ones, the declared ones, and each that the host itself says
listens. A port that is silent counts as shut only where the host answers at another, or nothing would be known. A scan from
the host itself does not count. An outside scan counts for {counts_days} days in scans without one.

Source: connect(2), RFC 9293 (3.5.2: a closed port answers with a reset). A host with nftables, seen from another one:

    {"198.18.3.12":{"closed":[443],"filtered":[21,3306,5432],"open":[22,80]}}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.outside.section import REPEATED_FOR
from checks.servers.probes import outside_ports
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="firewall.outside-view",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(outside_ports.PROBE,),
    title=msg("from outside, only the ports declared public are open"),
    remedy=msg("Close the port in the firewall, or declare it in 'public_ports' after its change was approved."),
    numbers={"counts_days": REPEATED_FOR.days},
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[outside_ports.PROBE]
    is_open = seen.filter_by_state("open")
    if facts.declared.public_ports is None:
        return unknown(
            "not-declared",
            msg("which ports are public is not declared; open: {ports}", ports=_listed(is_open)),
        )
    declared = frozenset(facts.declared.public_ports)
    if extra := is_open - declared:
        return failed(
            "port-open-to-world",
            msg("open to {station} but not declared: {ports}", station=str(seen.station), ports=_listed(extra)),
        )
    if seen.filter_by_state("not-reached") or not declared <= seen.tried:
        return unknown("not-all-tried", msg("the outside scan ran out of time before it had tried every port"))
    if not seen.answered:
        return unknown("no-answer", msg("the host answered on no port, so nothing is known about the silent ones"))
    if shut := frozenset(
        port for found in seen.by_address.values() for port in declared - found.get("open", frozenset())
    ):
        return failed(
            "public-port-shut",
            msg("declared public but shut to {station}: {ports}", station=str(seen.station), ports=_listed(shut)),
        )
    return passed(
        nmsg(
            "of {tried} ports tried from {station}, the {n} that is open is declared",
            "of {tried} ports tried from {station}, the {n} that are open are the declared ones",
            len(is_open),
            tried=len(seen.tried),
            station=str(seen.station),
        )
    )


def _listed(ports: frozenset[int]) -> str:
    return listed(str(port) for port in sorted(ports)) or "-"
