"""Releases of systems: how the makers' records name them, and how their packages are told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.vulnerabilities.versions import KeyOf, deb_key, rpm_key

_NAME = re.compile(r"(?P<system>[a-z]+(?:-pro)?):(?P<version>[0-9]{1,2}(?:\.[0-9]{2})?)")
_DEBIAN_NAMES = {"10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie", "14": "forky"}
_MAJOR_ALONE = {"almalinux": "AlmaLinux", "rocky": "Rocky Linux"}


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a system, such as `debian:12`."""

    name: str
    """`debian:12`, `ubuntu:24.04`, `ubuntu-pro:22.04` (with the fixes of Ubuntu Pro), `almalinux:9`, `rocky:9`, `rhel:9`."""

    @property
    def system(self) -> str:
        return self.name.partition(":")[0]

    @property
    def version(self) -> str:
        return self.name.partition(":")[2]

    @property
    def is_debian_like(self) -> bool:
        """Its packages are matched by their sources; those of the others by themselves."""
        return self.system in {"debian", "ubuntu", "ubuntu-pro"}

    @property
    def key_of(self) -> KeyOf:
        """How its versions are ordered."""
        return deb_key if self.is_debian_like else rpm_key

    @property
    def codename(self) -> str:
        """How Debian's security tracker calls it; empty for what it does not know."""
        return _DEBIAN_NAMES.get(self.version, "") if self.system == "debian" else ""

    @property
    def file_name(self) -> str:
        """The name of its bundle."""
        return f"{self.name.replace(':', '-')}.vulnerabilities.jsonl"

    def has(self, ecosystem: str) -> bool:
        """Say whether an OSV ecosystem is exactly this release: `Debian:12`, never the bare `Debian`.

        Ubuntu's have the suffix `:LTS` where they are one; Red Hat has one for each of a release's repositories
        (`Red Hat:enterprise_linux:9::appstream`), and others for its extended-support streams, which are none of this.
        """
        if self.system == "debian":
            return ecosystem == f"Debian:{self.version}"
        if self.system in _MAJOR_ALONE:
            return ecosystem == f"{_MAJOR_ALONE[self.system]}:{self.version}"
        if self.system == "rhel":
            parts = ecosystem.split(":")
            return (
                parts[:2] == ["Red Hat", "enterprise_linux"]
                and parts[2:3] != []
                and (parts[2].partition(".")[0] == self.version)
            )
        plain = ecosystem.removesuffix(":LTS")
        if plain == f"Ubuntu:{self.version}":
            return True
        return self.system == "ubuntu-pro" and plain == f"Ubuntu:Pro:{self.version}"


SYSTEMS = ("debian", "ubuntu", "ubuntu-pro", "almalinux", "rocky", "rhel")


def release_named(name: str) -> Release | None:
    """Return the release of that name, or None if it is none that is known here."""
    match = _NAME.fullmatch(name)
    if match is None or match["system"] not in SYSTEMS:
        return None
    has_two_parts = "." in match["version"]
    return Release(name) if has_two_parts == match["system"].startswith("ubuntu") else None


def release_of(system: str, version: str, *, is_pro: bool = False) -> Release | None:
    """Return the release of a host by `ID` and `VERSION_ID` of its os-release, or None if it is none known here.

    Args:
        system: such as `debian`.
        version: such as `12`, `24.04` or `9.6`.
        is_pro: the host gets the fixes of Ubuntu Pro.
    """
    if system == "ubuntu":
        return release_named(f"ubuntu{'-pro' if is_pro else ''}:{version}")
    return release_named(f"{system}:{version.partition('.')[0]}")
