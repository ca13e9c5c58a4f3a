"""Who may do what with the files and folders under watch: mode, owner and group; when, by the kernel's own time.

A mode of four digits has setuid, setgid or the sticky bit. What came or went is told with its content, by another kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import DriftComparison, DriftStep, HostView, Kind, changed_at, timed
from checks.servers.probe import MissingFact
from checks.servers.probes import file_times
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the rights by path; a link has none of its own, but an owner."""
    found = look.get(file_times.PROBE)
    if isinstance(found, MissingFact):
        return found
    rights = {path: one.rights for path, one in found.items() if one.rights is not None}
    if len(rights) < len(found):
        return MissingFact("not-gathered", msg("the host was not asked for this"))
    return rights


def compare(before: HostView, after: HostView) -> DriftComparison:
    """Name each file and folder of both looks with other rights than before."""
    old, new = state(before), state(after)
    if isinstance(old, MissingFact) or isinstance(new, MissingFact):
        return DriftComparison(unknown=(next(each for each in (old, new) if isinstance(each, MissingFact)),))
    return DriftComparison(
        tuple(
            timed(DriftStep(path, old[path], new[path]), changed_at(after, path))
            for path in sorted(old.keys() & new.keys())
            if old[path] != new[path]
        )
    )


KIND = Kind("rights", msg("permissions"), (file_times.PROBE,), compare, state)
