"""Files with setuid, setgid or capabilities, anywhere on the host; when, by the kernel's own time where they are there."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import privileged_files
from checks.servers.probes.file_times import FileTime
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by path the rights, and the capabilities; an exchanged file is another one, by the time of its last change."""
    found = look.get(privileged_files.PROBE)
    if isinstance(found, MissingFact):
        return found
    ids = {path: f"{one.rights} of {one.changed_at:%Y-%m-%dT%H:%M:%SZ}" for path, one in found.ids.items()}
    return {**ids, **{f"{path} (capabilities)": caps for path, caps in (found.capable or {}).items()}}


def _changed_at(look: HostView, path: str) -> FileTime | None:
    found = look.get(privileged_files.PROBE)
    seen = None if isinstance(found, MissingFact) else found.ids.get(path)
    return None if seen is None else FileTime(seen.changed_at)


KIND = Kind(
    "privileged-file",
    msg("file with more rights"),
    (privileged_files.PROBE,),
    compare_states(state, _changed_at),
    state,
)
