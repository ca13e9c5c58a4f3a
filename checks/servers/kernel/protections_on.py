"""The kernel's own protections are on.

They make holes harder to use: addresses that can't be guessed, links that can't be planted, redirects that are not
believed. Article 12.4 asks for security mechanisms.

The rule: each of the settings has a value that protects, now and after the next start. Of a network device what counts is
what the kernel makes of the device's own value and that of `all`: IPv4 believes a redirect if either is 1 (where the device
forwards, if both are), and sends some only where it forwards; paths are verified by the larger of both; IPv6 heeds the device's
alone. A setting that this kernel does not have makes the answer unknown, since nobody knows what it does instead; so does a host
where it cannot be read what the next start sets.

Sources: the kernel's documentation of sysctl (kernel, fs, net), sysctl(8), proc(5). Debian 13 as delivered:

    kernel.randomize_va_space=2
    net.ipv4.conf.all.accept_redirects=1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import sysctl
from checks.servers.probes.sysctl import KernelSettings, NetworkDevice
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
_CONF = ".conf."
_DEFAULTS = {"kernel.kptr_restrict": 0, "accept_redirects": 1, "send_redirects": 1, "rp_filter": 0}
"""What the kernel itself begins with, where that does not protect, and what is asked of devices."""


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
    seen = facts[sysctl.PROBE]
    plain = [key for key in GOOD if seen.devices is None or _CONF not in key]
    off = [f"{key}={seen.values[key]}" for key in plain if _is_off(key, seen.values.get(key))]
    off += [name for device in seen.devices or () for name in _weak_settings(device, seen.values, device.values)]
    if off:
        return failed("protection-off", msg("protections that are off: {names}", names=listed(off, 12)))
    absent = [key for key in GOOD if seen.values.get(key) is None]
    if absent:
        return unknown("key-absent", msg("this kernel does not have {names}", names=listed(absent, 12)))
    if seen.devices is None:
        return passed(nmsg("the {n} protection is on", "all {n} protections are on", len(GOOD)))
    if seen.boot is None:
        return unknown("start-unclear", msg("the protections are on, but it is not known what the next start sets"))
    if lost := list(_lost_at_start(seen, plain)):
        return failed(
            "lost-at-start", msg("protections that the next start takes away: {names}", names=listed(lost, 12))
        )
    return passed(
        nmsg(
            "all protections are on at {n} network device, also after the next start",
            "all protections are on at {n} network devices, also after the next start",
            len({device.name for device in seen.devices}),
        )
    )


def _is_off(key: str, value: int | None) -> bool:
    return value is not None and value not in GOOD[key]


def _weak_settings(device: NetworkDevice, common: Mapping[str, int | None], own: Mapping[str, int]) -> Iterator[str]:
    """Yield the settings by which the kernel lets something through at a device."""
    forwards = bool(device.values.get("forwarding"))
    everywhere = {name: common.get(f"net.ipv{device.family}{_CONF}all.{name}") or 0 for name in own}
    either = {name: value or everywhere[name] for name, value in own.items()}
    believes = own.get("accept_redirects", 0)
    off: Mapping[str, object]
    if device.family == 6:  # of IP
        off = {"accept_redirects": believes and not forwards}
    else:
        off = {
            "accept_redirects": (believes and everywhere["accept_redirects"])
            if forwards
            else either.get("accept_redirects"),
            "send_redirects": forwards and either.get("send_redirects"),
            "rp_filter": "rp_filter" in own and max(own["rp_filter"], everywhere["rp_filter"]) not in {1, 2},
        }
    for name in (name for name, is_off in off.items() if is_off):
        place = device.name if own[name] or name == "rp_filter" else "all"
        yield f"net.ipv{device.family}{_CONF}{place}.{name}={own[name] if place != 'all' else everywhere[name]}"


def _lost_at_start(seen: KernelSettings, plain: Iterable[str]) -> Iterator[str]:
    """Yield what protects now and would not after the next start."""
    for key in plain:
        value = seen.value_at_start(key)
        if _is_off(key, _DEFAULTS.get(key) if value is None else value):
            yield key
    for device in seen.devices or ():
        start = f"net.ipv{device.family}{_CONF}"
        own, common = {}, {}
        for name in (name for name in device.values if name != "forwarding"):
            values = [seen.value_at_start(f"{start}{place}.{name}") for place in (device.name, "default", "all")]
            own[name] = next((value for value in values[:2] if value is not None), _DEFAULTS[name])
            common[f"{start}all.{name}"] = _DEFAULTS[name] if values[2] is None else values[2]
        yield from _weak_settings(device, common, own)
