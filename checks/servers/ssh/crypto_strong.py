"""SSH offers no algorithm that is broken or nearly so.

An attacker in between makes both sides agree on the weakest thing that both offer. Article 12.4.

The rule: the server's offer, which any client gets before it logs in, names no cipher in CBC mode and none of 3DES,
RC4, Blowfish or CAST; no code that is made with MD5, SHA-1 or RIPEMD; no key exchange with SHA-1; no DSA or `ssh-rsa`
key (which signs by SHA-1); and nothing that is called `none`. Where the port is shut to the station, what `sshd -T`
says is judged.

Sources: RFC 4253 (7.1), RFC 8758, RFC 9142, sshd_config(5). OpenSSH 10.0 on Debian 13, as delivered, still offers:

    umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import outside_ssh, sshd_config
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
    uses=(sshd_config.PROBE,),
    title=msg("SSH offers no weak algorithm"),
    remedy=msg(
        "Name the strong ones in a file of /etc/ssh/sshd_config.d (KexAlgorithms, Ciphers, MACs), and reload sshd."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[outside_ssh.PROBE]
    offered = [one.offer for one in seen.servers if one.offer is not None]
    names = [name for one in offered for name in (*one.key_exchange, *one.host_keys, *one.ciphers, *one.macs)]
    if weak := _weak(names):
        return failed(
            "weak-algorithms", msg("offered to {station}: {names}", station=str(seen.station), names=listed(weak))
        )
    if len(offered) == len(seen.servers):
        return passed(msg("no weak algorithm is offered to {station}", station=str(seen.station)))
    settings = facts.get(sshd_config.PROBE)
    if any(one.state == "open" and one.offer is None for one in seen.servers):
        return unknown("no-offer", msg("the SSH port answers, but its offer cannot be parsed"))
    if isinstance(settings, MissingFact) or not all(settings.get(name) for name in _SETTINGS[:3]):
        return unknown(
            "port-shut",
            msg("the SSH port is shut to {station}, and sshd -T gave no answer", station=str(seen.station)),
        )
    if weak := _weak(name for setting in _SETTINGS for name in settings.get(setting, "").split(",")):
        return failed("weak-algorithms", msg("sshd -T allows {names}", names=listed(weak)))
    return passed(
        msg("the SSH port is shut to {station}, and sshd -T allows no weak algorithm", station=str(seen.station))
    )


def _weak(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if _WEAK.search(name)})
