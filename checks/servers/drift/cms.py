"""Content management systems and their versions, by folder."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import cms_versions
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the version by system and folder."""
    found = look.get(cms_versions.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {f"{one.name} {one.folder}": one.version or "?" for one in found.found}


KIND = Kind("cms", msg("content management system"), (cms_versions.PROBE,), compare_states(state), state)
