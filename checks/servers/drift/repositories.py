"""Where packages come from, and whether their signatures are asked for."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import Kind, Look, by_state
from checks.servers.probe import Missing
from checks.servers.probes import apt_sources, dnf_sources
from checks.servers.probes.apt_sources import Sources
from portalops.model.message import msg


def state(look: Look) -> Mapping[str, str] | Missing:
    """Return by source whether it is verified, and what waives that."""
    _probe, fact = look.either(apt_sources.PROBE, dnf_sources.PROBE)
    if isinstance(fact, Missing):
        return fact
    unsigned = fact.untrusted if isinstance(fact, Sources) else fact.unchecked
    found = {name: "unsigned" if name in unsigned else "signed" for name in fact.names}
    if isinstance(fact, Sources):
        found |= dict.fromkeys(fact.waiving, "waived")
    return found


KIND = Kind("repository", msg("package source"), (apt_sources.PROBE, dnf_sources.PROBE), by_state(state), state)
