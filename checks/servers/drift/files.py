"""Configuration files, by their digests: see `etc_files`; when, by the kernel's own time (ctime).

Left out are files of which another kind tells what is in them, and those that the system writes anew by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import etc_files, file_times
from portalops.model.message import msg

_ELSEWHERE = frozenset(
    {
        *(
            "/etc/passwd",
            "/etc/passwd-",
            "/etc/group",
            "/etc/group-",
            "/etc/crontab",
            "/etc/anacrontab",
            "/etc/rc.local",
        ),
        *("/etc/shadow", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"),
        *("/etc/ld.so.cache", "/etc/mtab", "/etc/adjtime", "/etc/.pwd.lock", "/etc/.updated"),
    }
)
_FOLDERS_ELSEWHERE = (
    "/etc/cron.d/",
    "/etc/cron.hourly/",
    "/etc/cron.daily/",
    "/etc/cron.weekly/",
    "/etc/cron.monthly/",
)


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the digest or the target of each file by its path."""
    found = look.get(etc_files.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {path: content for path, content in found.items() if not _is_reported_elsewhere(path)}


def _is_reported_elsewhere(path: str) -> bool:
    return path in _ELSEWHERE or path.startswith(_FOLDERS_ELSEWHERE) or is_wanted_by(path)


def is_wanted_by(path: str) -> bool:
    """Say whether a path is a link by which systemd starts a unit."""
    return path.startswith("/etc/systemd/system/") and path.rpartition("/")[0].endswith((".wants", ".requires"))


KIND = Kind("file", msg("file"), (etc_files.PROBE, file_times.PROBE), compare_states(state, changed_at), state)
