"""To which addresses the portal's names lead, as the station's resolver says.

{"from":[],"names":{"portal.example":["203.0.113.5"]},"state":"seen","station":"auditor-1"}
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, REPEATED_FOR, Station, opened, refuse_form, station_of
from checks.servers.probe import Output, Probe

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class NamesSeen:
    """Addresses by name; none where the name was not found."""

    station: Station
    by_name: Mapping[str, tuple[Address, ...]]


def parse(output: Output) -> NamesSeen:
    """Read the section."""
    held = opened(output)
    try:
        return NamesSeen(
            station_of(held),
            {
                unquote(name): tuple(ipaddress.ip_address(each) for each in found)
                for name, found in held["names"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error


PROBE = Probe("outside.names", (), parse, limit_bytes=LIMIT_BYTES, repeated_for=REPEATED_FOR)
