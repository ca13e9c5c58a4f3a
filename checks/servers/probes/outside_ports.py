"""Which TCP ports of a host a stranger can connect to: `outside/look` tries them, this reads what it wrote down.

{"from":["198.51.100.9"],"ports":{"203.0.113.5":{"closed":[21],"filtered":[3306],"open":[80,443]}},"state":"seen",...}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.outside.section import LIMIT_BYTES, REPEATED_FOR, Station, opened, refuse_form, station_of
from checks.servers.probe import Output, Probe

STATES = frozenset({"open", "closed", "filtered", "unreachable", "not-reached"})


@dataclass(frozen=True, slots=True)
class PortsSeen:
    """Ports by address and by state."""

    station: Station
    by_address: Mapping[str, Mapping[str, frozenset[int]]]

    def filter_by_state(self, *states: str) -> frozenset[int]:
        """Return the ports that are in one of the states at any of the addresses."""
        return frozenset(
            port for found in self.by_address.values() for state in states for port in found.get(state, ())
        )

    @property
    def answered(self) -> bool:
        """Say whether every address answered at some port, so that silence at the others means something."""
        return all(found.get("open") or found.get("closed") for found in self.by_address.values())

    @property
    def tried(self) -> frozenset[int]:
        """Return the ports of which it is known whether they are open."""
        return self.filter_by_state("open", "closed", "filtered", "unreachable") - self.filter_by_state("not-reached")


def parse(output: Output) -> PortsSeen:
    """Read the section."""
    held = opened(output)
    try:
        found = {
            str(address): {str(state): frozenset(int(port) for port in ports) for state, ports in states.items()}
            for address, states in held["ports"].items()
        }
        station = station_of(held)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error
    if not found or any(set(states) - STATES or not states for states in found.values()):
        raise refuse_form()
    return PortsSeen(station, found)


PROBE = Probe("outside.ports", (), parse, limit_bytes=LIMIT_BYTES, repeated_for=REPEATED_FOR)
