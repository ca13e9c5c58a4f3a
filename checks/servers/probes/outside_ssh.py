"""What the host's SSH server offers to a stranger: its algorithms, and the ways of logging in. No login is tried.

{"from":["198.51.100.9"],"servers":[{"address":"203.0.113.5","heard":"...","methods":["publickey"],"port":22,"state":"open"}],...}
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.outside.kexinit import Offer, offer_from
from checks.servers.outside.section import LIMIT_BYTES, REPEATED_FOR, Station, opened, refuse_form, station_of, unpacked
from checks.servers.probe import Output, Probe


@dataclass(frozen=True, slots=True)
class SshServer:
    """The server at one address."""

    address: str
    port: int
    state: str
    """Of the port, as `ports.Talk` has it."""
    offer: Offer | None
    """None where it made none, or one that broke off."""
    methods: tuple[str, ...]
    """Ways of logging in; none where it told none."""


@dataclass(frozen=True, slots=True)
class SshSeen:
    """The servers at all addresses."""

    station: Station
    servers: tuple[SshServer, ...]


def parse(output: Output) -> SshSeen:
    """Read the section."""
    held = opened(output)
    try:
        servers = tuple(
            SshServer(
                str(each["address"]),
                int(each["port"]),
                str(each["state"]),
                offer_from(unpacked(each["heard"])),
                tuple(str(method) for method in each["methods"]),
            )
            for each in held["servers"]
        )
        station = station_of(held)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise refuse_form() from error
    if not servers:
        raise refuse_form()
    return SshSeen(station, servers)


PROBE = Probe("outside.ssh", (), parse, limit_bytes=LIMIT_BYTES, repeated_for=REPEATED_FOR)
