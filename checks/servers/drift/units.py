"""systemd units that start by themselves; when, by the time of the link by which the unit is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.drift.files import is_wanted_by
from checks.servers.probe import MissingFact
from checks.servers.probes import enabled_units, file_times
from checks.servers.probes.file_times import FileTime
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return each unit."""
    found = look.get(enabled_units.PROBE)
    return found if isinstance(found, MissingFact) else dict.fromkeys(found, "enabled")


def _linked_at(look: HostView, name: str) -> FileTime | None:
    times = look.get(file_times.PROBE)
    if isinstance(times, MissingFact):
        return None
    links = (time for path, time in times.items() if path.endswith(f"/{name}") and is_wanted_by(path))
    return max(links, key=lambda time: time.changed_at, default=None)


KIND = Kind("unit", msg("unit"), (enabled_units.PROBE, file_times.PROBE), compare_states(state, _linked_at), state)
