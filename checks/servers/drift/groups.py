"""Groups of the host and their members; when, by the time of /etc/group."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import file_times, group
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by group its number and members."""
    found = look.get(group.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {one.name: f"{one.gid}: {', '.join(sorted(one.members))}".rstrip(": ") for one in found}


KIND = Kind(
    "group",
    msg("group"),
    (group.PROBE, file_times.PROBE),
    compare_states(state, lambda look, _name: changed_at(look, "/etc/group")),
    state,
)
