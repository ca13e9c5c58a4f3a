"""systemd units that start by themselves; when, by the time of the link by which the unit is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from checks.servers.drift._kind import Kind, Look, by_state
from checks.servers.drift.files import is_wanted_by
from checks.servers.probe import Missing
from checks.servers.probes import enabled_units, file_times
from portalops.model.message import msg


def state(look: Look) -> Mapping[str, str] | Missing:
    """Return each unit."""
    found = look.get(enabled_units.PROBE)
    return found if isinstance(found, Missing) else dict.fromkeys(found, "enabled")


def _linked_at(look: Look, name: str) -> datetime | None:
    times = look.get(file_times.PROBE)
    if isinstance(times, Missing):
        return None
    return max((at for path, at in times.items() if path.endswith(f"/{name}") and is_wanted_by(path)), default=None)


KIND = Kind("unit", msg("unit"), (enabled_units.PROBE, file_times.PROBE), by_state(state, _linked_at), state)
