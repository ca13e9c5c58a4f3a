"""Content management systems and their versions, by folder."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import Kind, Look, by_state
from checks.servers.probe import Missing
from checks.servers.probes import cms_versions
from portalops.model.message import msg


def state(look: Look) -> Mapping[str, str] | Missing:
    """Return the version by system and folder."""
    found = look.get(cms_versions.PROBE)
    if isinstance(found, Missing):
        return found
    return {f"{one.name} {one.folder}": one.version or "?" for one in found.found}


KIND = Kind("cms", msg("content management system"), (cms_versions.PROBE,), by_state(state), state)
