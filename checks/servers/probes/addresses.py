"""The addresses of a host's network devices: `ip -j address show`, as ip-address(8) has it.

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
        devices = cast("Sequence[Mapping[str, object]]", read_json(output.text))
        found = tuple(
            HeldAddress(str(device["ifname"]), ipaddress.ip_address(str(one["local"])), "UP" in _flags(device))
            for device in devices
            if device  # iproute2 of Debian 10 prints {} for a device that it leaves out
            for one in cast("Sequence[Mapping[str, object]]", device["addr_info"])
            if "local" in one
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("the list of addresses cannot be parsed")) from error
    if not found:
        raise Unparseable(msg("the host lists no address at all"))
    return found


def _flags(device: Mapping[str, object]) -> Sequence[str]:
    return cast("Sequence[str]", device.get("flags", ()))


PROBE = Probe("net.addresses", ("ip", "-j", "address", "show"), parse, form=JSON)
