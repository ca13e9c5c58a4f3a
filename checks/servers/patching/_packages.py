"""Which package manager a host has, and which of its packages are looked up in the bundle of its release."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from checks.servers.check import CheckOutcome, unknown
from checks.servers.facts import Facts
from checks.servers.probes import os_release
from checks.servers.probes.os_release import OsRelease
from checks.servers.probes.packages_dpkg import DebPackage
from checks.servers.probes.packages_rpm import RpmPackage
from checks.vulnerabilities.matching import MatchedPackage
from checks.vulnerabilities.versions import deb_key, rpm_key
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


_IMAGE = re.compile(r"linux-image-(?:unsigned-)?[0-9]")


_SIGNED_KERNEL = re.compile(r"linux-signed(?P<kind>-[a-z0-9.-]+)?")


_ARCHITECTURES = frozenset({"-amd64", "-arm64", "-i386"})


def installed_of(packages: Sequence[DebPackage | RpmPackage]) -> tuple[MatchedPackage, ...]:
    """Return what is looked up: each source once for each of its versions, or each package of RHEL and AlmaLinux.

    Of kernels only the newest counts, since older ones stay installed beside it; whether it runs is asked by
    patching.reboot-required. Debian's kernels are built from `linux-signed-amd64`, and recorded as `linux`.

    Raises:
        NotAVersion: a kernel has a version that is none.
    """
    found: set[MatchedPackage] = set()
    kernels: dict[str, list[MatchedPackage]] = {}
    for package in packages:
        if isinstance(package, RpmPackage):
            one = MatchedPackage(package.name, package.version, package.module)
            if package.name.partition("-")[0] == "kernel":
                kernels.setdefault(package.name, []).append(one)
            else:
                found.add(one)
        elif _IMAGE.match(package.name):
            source = _kernel_source(package.source)
            kernels.setdefault(source, []).append(MatchedPackage(source, package.version))
    found |= {
        MatchedPackage(package.source, package.source_version)
        for package in packages
        if isinstance(package, DebPackage)
        and package.source != "linux"
        and package.source not in kernels
        # what else a kernel's source builds are headers and documents
        and _kernel_source(package.source) not in kernels
    }
    key_of = rpm_key if packages and isinstance(packages[0], RpmPackage) else deb_key
    found |= {max(some, key=lambda one: key_of(one.version)) for some in kernels.values()}
    return tuple(sorted(found))


def digest_of(installed: Iterable[MatchedPackage]) -> str:
    """Return what ties a section to the packages that it is about."""
    text = "".join(f"{one.name}\t{one.version}\t{one.module}\n" for one in sorted(set(installed)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _kernel_source(source: str) -> str:
    signed = _SIGNED_KERNEL.fullmatch(source)
    if signed is None:
        return source
    kind = signed["kind"] or ""
    return "linux" if kind in _ARCHITECTURES else f"linux{kind}"
