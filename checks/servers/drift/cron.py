"""Files that cron reads, by their digests; when, by the kernel's own time where that is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import cron_files, file_times
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the digest by path."""
    return look.get(cron_files.PROBE)


KIND = Kind("cron", msg("cron file"), (cron_files.PROBE, file_times.PROBE), compare_states(state, changed_at), state)
