"""Files that cron reads, by their digests; when, by the kernel's own time where that is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import Kind, Look, by_state, changed_at
from checks.servers.probe import Missing
from checks.servers.probes import cron_files, file_times
from portalops.model.message import msg


def state(look: Look) -> Mapping[str, str] | Missing:
    """Return the digest by path."""
    return look.get(cron_files.PROBE)


KIND = Kind("cron", msg("cron file"), (cron_files.PROBE, file_times.PROBE), by_state(state, changed_at), state)
