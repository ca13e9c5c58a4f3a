"""The kernel's own protections are on.

They make holes harder to use: addresses that can't be guessed, links that can't be planted, redirects that are not
believed. Article 12.4 asks for security mechanisms.

The rule: each of the settings has a value that protects. A setting that this kernel does not have makes the answer
unknown, since nobody knows what it does instead.

Sources: the kernel's documentation of sysctl (kernel, fs, net), sysctl(8), proc(5). Debian 13 as delivered:

    kernel.randomize_va_space=2
    net.ipv4.conf.all.accept_redirects=1
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import sysctl
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

GOOD = {
    "fs.protected_fifos": (1, 2),
    "fs.protected_hardlinks": (1,),
    "fs.protected_regular": (1, 2),
    "fs.protected_symlinks": (1,),
    "kernel.kptr_restrict": (1, 2),
    "kernel.randomize_va_space": (2,),
    "net.ipv4.conf.all.accept_redirects": (0,),
    "net.ipv4.conf.all.rp_filter": (1, 2),
    "net.ipv4.conf.all.send_redirects": (0,),
    "net.ipv4.tcp_syncookies": (1, 2),
    "net.ipv6.conf.all.accept_redirects": (0,),
}
"""Values that protect, by setting."""


@check(
    id="kernel.sysctl",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(sysctl.PROBE,),
    title=msg("the kernel's own protections are on"),
    remedy=msg("Write the settings into a file in /etc/sysctl.d and run 'sysctl --system'."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    values = facts[sysctl.PROBE]
    off = [f"{key}={values[key]}" for key in GOOD if values.get(key) is not None and values[key] not in GOOD[key]]
    if off:
        return failed("protection-off", msg("protections that are off: {names}", names=listed(off, 12)))
    absent = [key for key in GOOD if values.get(key) is None]
    if absent:
        return unknown("key-absent", msg("this kernel does not have {names}", names=listed(absent, 12)))
    return passed(nmsg("the {n} protection is on", "all {n} protections are on", len(GOOD)))
