"""SSH offers no algorithm that is broken or nearly so.

An attacker in between makes both sides agree on the weakest thing that both offer. Article 12.4.

The rule: the server's offer, which any client gets before it logs in, names no cipher in CBC mode and none of 3DES,
RC4, Blowfish or CAST; no code that is made with MD5, SHA-1 or RIPEMD; no key exchange with SHA-1; no DSA or `ssh-rsa`
key (which signs by SHA-1); and nothing that is called `none`. What `sshd -T` tells of every SSH server that listens, with its own
arguments and files as it has loaded them, is judged as well: there may be another one at another port.

Sources: RFC 4253 (7.1), RFC 8758, RFC 9142, sshd_config(5). OpenSSH 10.0 on Debian 13, as delivered, still offers:

    umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import outside_ssh, sshd_servers
from checks.servers.ssh._servers import ports_of, tried, unsure
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_WEAK = re.compile(
    r"-cbc\b|rijndael-cbc|^3des|^arcfour|^blowfish|^cast128|^des|hmac-(?:md5|sha1|ripemd)|md5"
    r"|-sha1\b|^ssh-(?:rsa|dss)\b|^none$|^rsa1024"
)
_SETTINGS = ("kexalgorithms", "ciphers", "macs", "hostkeyalgorithms")


@check(
    id="ssh.crypto",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(outside_ssh.PROBE,),
    uses=(sshd_servers.PROBE,),
    title=msg("SSH offers no weak algorithm"),
    remedy=msg(
        "Name the strong ones in a file of /etc/ssh/sshd_config.d (KexAlgorithms, Ciphers, MACs), and reload the server."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    seen, servers = facts[outside_ssh.PROBE], facts.get(sshd_servers.PROBE)
    offered = [one.offer for one in seen.servers if one.offer is not None]
    names = [name for one in offered for name in (*one.key_exchange, *one.host_keys, *one.ciphers, *one.macs)]
    if weak := _weak(names):
        return failed(
            "weak-algorithms", msg("offered to {station}: {names}", station=str(seen.station), names=listed(weak))
        )
    if isinstance(servers, MissingFact):
        return missing(servers)
    offering = {one.port for one in seen.servers if one.offer is not None}
    for server in servers:
        # of kinds of host keys, the settings name also those for which there is no key
        settings = _SETTINGS[:3] if offering.issuperset(server.ports) else _SETTINGS
        if weak := _weak(name for each in settings for name in server.algorithms.get(each, "").split(",")):
            return failed(
                "weak-algorithms",
                msg("sshd -T allows {names} at port {ports}", names=listed(weak), ports=ports_of(server)),
            )
    if (why := unsure(servers)) is not None:
        return why
    if any(one.state == "open" and one.offer is None for one in seen.servers):
        return unknown("no-offer", msg("the SSH port answers, but its offer cannot be parsed"))
    if not all(server.algorithms.get(each) for server in servers for each in _SETTINGS[:3]):
        return unknown("no-algorithms", msg("sshd -T does not name its algorithms"))
    return passed(msg("no weak algorithm is offered at port {ports}", ports=tried(servers)["ports"]))


def _weak(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if _WEAK.search(name)})
