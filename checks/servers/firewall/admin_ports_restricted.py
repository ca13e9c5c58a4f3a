"""Ways in for administrators are open to administrators' networks alone.

A login that the whole world can try is tried day and night, and the next hole in the program behind it is used before it
is known. Article 12.3.

The rule: at every public address the ports `admin_ports` (22, 3306 and 5432 unless declared otherwise) take no connection
from a station outside of the declared `admin_ranges`. A station within them sees such a port open and can tell nothing
about the world; then the check is unknown until there is an outside scan from elsewhere. The kernel's own rules must keep
strangers out as well: a station sees what holds for its own address, and a rule may let in half the world beside it. A rule
whose condition can't be judged, as one on a device that is not among `trusted_devices`, leaves it unknown. And the filter
must deny by default, or a service that starts there tomorrow is open to all; where that can't be judged, or the older
filter may keep out what nft's lets in and can't be read, it is unknown as well.

Source: connect(2), nft(8). A host whose filter drops what it does not name, seen from another one:

    {"198.18.3.12":{"closed":[80],"filtered":[22,3306,5432],"open":[443]}}
"""

from __future__ import annotations

import ipaddress

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.firewall._view import seen_ruleset
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, nft, outside_ports
from checks.servers.ruleset import MAX_DEVICES, PacketTarget
from checks.servers.stranger import door
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="firewall.admin-restricted",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(outside_ports.PROBE, nft.PROBE),
    uses=(iptables_legacy.PROBE,),
    title=msg("administration ports are open only to the administrators' networks"),
    remedy=msg("Let the firewall take connections to these ports from the administrators' networks only."),
)
def judge(facts: Facts) -> CheckOutcome:
    seen, ranges = facts[outside_ports.PROBE], facts.declared.admin_ranges
    ports = frozenset(facts.declared.admin_ports)
    if ranges is None:
        return unknown("not-declared", msg("the networks of administrators are not declared"))
    stations = [ipaddress.ip_address(each.partition("%")[0]) for each in seen.station.addresses]
    inside = [str(each) for each in stations if any(each in one for one in ranges)]
    if inside or not stations:
        return unknown(
            "station-in-admin-ranges",
            msg(
                "the outside scan ran from {station}, inside the administrators' networks: it does not show what "
                "others see",
                station=str(seen.station),
            ),
        )
    if is_open := ports & seen.filter_by_state("open"):
        names = listed(str(port) for port in sorted(is_open))
        return failed(
            "admin-port-open",
            msg(
                "open to {station}, outside the administrators' networks: {ports}",
                station=str(seen.station),
                ports=names,
            ),
        )
    if not ports <= seen.tried:
        return unknown("not-all-tried", msg("the outside scan ran out of time before it had tried every port"))
    if not seen.answered:
        return unknown("no-answer", msg("the host answered on no port, so nothing is known about the silent ones"))
    ruleset, trusted = seen_ruleset(facts), facts.declared.trusted_devices
    if len(ruleset.devices()) > MAX_DEVICES:
        return unknown("too-many-devices", msg("the firewall's rules name more than {n} devices", n=MAX_DEVICES))
    doors = {
        f"tcp/{port} {name}": door(ruleset, family, port, ranges, trusted)
        for port in sorted(ports)
        for family, name in (("ip", "IPv4"), ("ip6", "IPv6"))
    }
    entrances = [each for family in ("ip", "ip6") for each in ruleset.entrances(family, trusted)]
    legacy = facts.get(iptables_legacy.PROBE)
    if isinstance(legacy, MissingFact) and {*doors.values(), *(each.door for each in entrances)} != {PacketTarget.SHUT}:
        return missing(legacy)  # what nft lets in, the older filter may keep out
    if let_in := [name for name, each in doors.items() if each is PacketTarget.OPEN]:
        return failed(
            "rules-let-strangers-in", msg("the firewall's rules admit everybody at {names}", names=listed(let_in))
        )
    if unsure := [name for name, each in doors.items() if each is PacketTarget.UNSURE]:
        said = msg("it cannot be judged whether the firewall's rules admit everybody at {names}", names=listed(unsure))
        return unknown("rules-unclear", said)
    if any(each.door is PacketTarget.OPEN for each in entrances):
        return failed(
            "no-default-deny", msg("the ports are shut now, but the kernel's filter does not deny by default")
        )
    if any(each.door is PacketTarget.UNSURE for each in entrances):
        said = msg("the ports are shut now, but it cannot be judged whether the kernel's filter denies by default")
        return unknown("default-unclear", said)
    return passed(msg("shut to {station}, and the filter denies by default", station=str(seen.station)))
