"""A PostgreSQL cluster as its members tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.check import CheckOutcome, failed
from checks.servers.probes import postgresql_standby
from checks.servers.probes.postgresql_standby import ClusterMember
from checks.servers.standby import GroupFacts
from checks.servers.wording import listed
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Cluster:
    """One primary and those that follow it."""

    primary: str
    """Its host."""
    leads: ClusterMember
    standbys: Mapping[str, ClusterMember]


def cluster_of(facts: GroupFacts) -> Cluster | CheckOutcome:
    """Return who leads and who follows, or what is wrong with that."""
    members = facts[postgresql_standby.PROBE]
    leading = [name for name, member in members.items() if not member.follows]
    if not leading:
        return failed("no-primary", msg("no member accepts writes: all are replicas"))
    if len(leading) > 1:
        return failed("several-primaries", msg("more than one member accepts writes: {hosts}", hosts=listed(leading)))
    if len({member.system for member in members.values()}) > 1:
        return failed(
            "not-one-cluster", msg("the members do not belong to one cluster: {hosts}", hosts=listed(members))
        )
    (primary,) = leading
    others = {name: member for name, member in members.items() if name != primary}
    return Cluster(primary, members[primary], others)
