"""Files with setuid, setgid or capabilities, anywhere on the host; when, by the kernel's own time where they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checks.servers.drift._kind import DriftComparison, HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import privileged_files
from checks.servers.probes.file_times import FileTime
from portalops.model.message import msg

_UNSEEN = MissingFact("capabilities-unseen", msg("the host has nothing that shows capabilities of files"))


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by path the rights, and the capabilities; an exchanged file is another one, by the time of its last change."""
    ids, found = _ids(look), look.get(privileged_files.PROBE)
    if isinstance(ids, MissingFact) or isinstance(found, MissingFact):
        return ids
    if found.capable is None:
        return _UNSEEN
    return {**ids, **{f"{path} (capabilities)": caps for path, caps in found.capable.items()}}


def _ids(look: HostView) -> Mapping[str, str] | MissingFact:
    found = look.get(privileged_files.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {path: f"{one.rights}, {one.changed_at:%Y-%m-%dT%H:%M:%SZ}" for path, one in found.ids.items()}


def compare(before: HostView, after: HostView) -> DriftComparison:
    """Compare the rights; and the capabilities, where both looks saw them."""
    if _UNSEEN not in (state(before), state(after)):
        return compare_states(state, _changed_at)(before, after)
    found = compare_states(_ids, _changed_at)(before, after)
    return replace(found, unknown=found.unknown or (_UNSEEN,))


def _changed_at(look: HostView, path: str) -> FileTime | None:
    found = look.get(privileged_files.PROBE)
    seen = None if isinstance(found, MissingFact) else found.ids.get(path)
    return None if seen is None else FileTime(seen.changed_at)


KIND = Kind(
    "privileged-file",
    msg("file with more rights"),
    (privileged_files.PROBE,),
    compare,
    state,
)
