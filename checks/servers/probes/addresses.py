"""The addresses of a host's network devices: `ip -j address show`, as ip-address(8) has it, and what routes make its own.

A host answers for a whole network that a route of the type `local` gives it, though no device has an address of it: of such routes
that the kernel did not make for an address, the first and the last address count (ip-route(8)).

[{"ifname":"lo","operstate":"UNKNOWN","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]}]
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

_SCRIPT = r"""
command -v ip >/dev/null || exit 127
ip -j address show || exit $?
for f in -4 -6; do
  [ $f = -4 ] || [ -e /proc/net/if_inet6 ] || continue
  echo
  ip $f -j route show table all type local || exit $?
done
"""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """One address on one device."""

    device: str
    address: Address
    is_up: bool
    """The device is switched on."""


def parse(output: Output) -> tuple[HeldAddress, ...]:
    """Read every address; a host always has one, of its loopback."""
    try:
        devices, *routes = (cast("Sequence[Mapping[str, object]]", read_json(each)) for each in _documents(output.text))
        found = tuple(
            HeldAddress(str(device["ifname"]), ipaddress.ip_address(str(one["local"])), "UP" in _flags(device))
            for device in devices
            if device  # iproute2 of Debian 10 prints {} for a device that it leaves out
            for one in cast("Sequence[Mapping[str, object]]", device["addr_info"])
            if "local" in one
        )
        given = tuple(each for some in routes for route in some if route for each in _given(route))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("the list of addresses cannot be parsed")) from error
    if not found:
        raise Unparseable(msg("the host lists no address at all"))
    return found + given


def _documents(text: str) -> list[str]:
    """Return the answers of ip(8), each of one line; one of several lines stands alone."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if all(line.startswith("[") and line.endswith("]") for line in lines) else [text]


def _given(route: Mapping[str, object]) -> tuple[HeldAddress, ...]:
    """Return the ends of the network that a route makes the host's own."""
    if route.get("type") != "local" or route.get("protocol") == "kernel":
        return ()
    network = ipaddress.ip_network(str(route["dst"]).replace("default", "0.0.0.0/0"), strict=False)
    return tuple(HeldAddress(str(route.get("dev", "?")), network[at], True) for at in (0, -1))


def _flags(device: Mapping[str, object]) -> Sequence[str]:
    return cast("Sequence[str]", device.get("flags", ()))


PROBE = Probe("net.addresses", ("sh", "-c", _SCRIPT), parse, form=JSON)
