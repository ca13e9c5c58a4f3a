"""The listening ports are exactly the declared ones.

Each open port is a door; an undeclared port was opened by mistake or by an intruder. A declared port that is silent is a
service that does not run. Article 12.3.

The rule: the set of protocols and ports that listen on more than loopback equals the declared one, both ways. On the
machine that portalops runs on, what the kernel shows to psutil is added to what `ss` shows, so that a port which only
one of them hides is still seen. A port of loopback to which a rule of the firewall leads others (`dnat to 127.0.0.1`)
listens for them like any other. A socket of another protocol, such as UDP-Lite, SCTP or a raw one, cannot be declared and leaves it
unknown, but for raw ones of the network's own daemons (ICMP, VRRP). It does not see sockets in other network namespaces, as those
of containers.

A server may lie about itself. Where each of its programs loads a library that no package brings (/etc/ld.so.preload, or `LD_PRELOAD` of
systemd), this check and all others that rest on its word do not pass, but are unknown with the library's name. It does not see a kernel, a
C library or an `ss` that lies, or a library that hides these places as well: only the outside scan contradicts those.

Source: ss(8), proc(5). On Debian 13:

    tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.firewall._view import opened
from checks.servers.probe import MissingFact
from checks.servers.probes import iptables_legacy, listeners, machine, nft, other_sockets
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="firewall.listeners",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(listeners.PROBE,),
    uses=(machine.PROBE, nft.PROBE, iptables_legacy.PROBE, other_sockets.PROBE),
    title=msg("the listening ports are the declared ones"),
    remedy=msg("Stop the service or bind it to loopback, or declare the port after its change was approved."),
)
def judge(facts: Facts) -> CheckOutcome:
    snapshot = facts.get(machine.PROBE)
    if not facts[listeners.PROBE] and isinstance(snapshot, MissingFact):
        return unknown("nothing-listens", msg("ss lists no listener at all, and nothing confirms that there is none"))
    second = () if isinstance(snapshot, MissingFact) else snapshot.listeners
    every = (*facts[listeners.PROBE], *second)
    led, perhaps = opened(facts, every)
    seen = {one.name for one in every if not one.is_loopback} | {one.name for one in led}
    if facts.declared.listeners is None:
        return unknown(
            "not-declared",
            msg("the listening ports are not declared; seen: {names}", names=listed(sorted(seen)) or "-"),
        )
    declared = set(facts.declared.listeners)
    extra, silent = sorted(seen - declared), sorted(declared - seen)
    if extra and silent:
        return failed(
            "undeclared-and-silent",
            msg(
                "undeclared: {extra}; declared but not listening: {silent}", extra=listed(extra), silent=listed(silent)
            ),
        )
    if extra:
        return failed("undeclared-listener", msg("listening but not declared: {names}", names=listed(extra)))
    if silent:
        return failed("declared-silent", msg("declared but not listening: {names}", names=listed(silent)))
    if unclear := sorted({one.name for one in perhaps} - declared):
        return unknown(
            "translation-unclear",
            msg(
                "rules of the firewall that change destinations may lead others to ports of loopback: {names}",
                names=listed(unclear),
            ),
        )
    others = facts.get(other_sockets.PROBE)
    if isinstance(others, MissingFact):
        return missing(others)
    if others:
        return unknown(
            "other-protocols",
            msg("sockets of other protocols than TCP and UDP are open: {names}", names=listed(others)),
        )
    return passed(
        nmsg(
            "the {n} port that listens is the declared one",
            "the {n} ports that listen are the declared ones",
            len(seen),
        )
    )
