"""Which package manager a host has, by what its system says of itself."""

from __future__ import annotations

from enum import StrEnum

from checks.servers.probes.os_release import OsRelease


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
