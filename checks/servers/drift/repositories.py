"""Where packages come from, and whether their signatures are asked for."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import apt_sources, dnf_sources
from checks.servers.probes.apt_sources import Sources
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by source whether it is verified, and what waives that."""
    _probe, fact = look.either(apt_sources.PROBE, dnf_sources.PROBE)
    if isinstance(fact, MissingFact):
        return fact
    unsigned = fact.untrusted if isinstance(fact, Sources) else fact.unchecked
    found = {name: "unsigned" if name in unsigned else "signed" for name in fact.names}
    if isinstance(fact, Sources):
        found |= dict.fromkeys(fact.waiving, "waived")
    return found


KIND = Kind("repository", msg("package source"), (apt_sources.PROBE, dnf_sources.PROBE), compare_states(state), state)
