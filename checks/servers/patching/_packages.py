"""Which package manager a host has, by what its system says of itself."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from checks.servers.check import CheckOutcome, unknown
from checks.servers.facts import Facts
from checks.servers.probes import os_release
from checks.servers.probes.os_release import OsRelease
from portalops.model.message import msg


class Packages(StrEnum):
    """The package managers that are known here."""

    APT = "apt"
    DNF = "dnf"
    OTHER = "other"


_BY_SYSTEM = {
    **dict.fromkeys(("debian", "ubuntu"), Packages.APT),
    **dict.fromkeys(("rhel", "almalinux", "rocky", "centos", "ol"), Packages.DNF),
}


def packages_of(system: OsRelease) -> Packages:
    """Return the package manager of a system."""
    return _BY_SYSTEM.get(system.id, Packages.OTHER)


def judged_by(
    facts: Facts, *, apt: Callable[[Facts], CheckOutcome], dnf: Callable[[Facts], CheckOutcome]
) -> CheckOutcome:
    """Judge by the rule of the host's package manager; a system that is not known here is unknown."""
    system = facts[os_release.PROBE]
    match packages_of(system):
        case Packages.APT:
            return apt(facts)
        case Packages.DNF:
            return dnf(facts)
        case Packages.OTHER:
            return unknown(
                "unknown-system", msg("portalops does not know how {system} gets its fixes", system=system.name)
            )
