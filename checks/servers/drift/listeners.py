"""Ports that wait for strangers on more than loopback."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import listeners
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by port the addresses at which it waits."""
    found = look.get(listeners.PROBE)
    if isinstance(found, MissingFact):
        return found
    held: dict[str, list[str]] = {}
    for one in found:
        if not one.is_loopback:
            held.setdefault(one.name, []).append(one.address)
    return {name: ", ".join(sorted(addresses)) for name, addresses in held.items()}


KIND = Kind("listener", msg("port"), (listeners.PROBE,), compare_states(state), state)
