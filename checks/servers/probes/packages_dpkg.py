"""Every package with the source that it was built from: `dpkg-query -W`. Debian and Ubuntu; captured on Debian 13.

Vulnerabilities are recorded by source package and the source's version. Those differ from the package's own: libssl3t64 is
built from openssl, and a rebuild (`+b1`) changes the package's version alone. Source: dpkg-query(1).

    libc6:amd64	ii 	2.41-12+deb13u2	glibc	2.41-12+deb13u2
    linux-image-6.12.57+deb13-amd64	ii 	6.12.57-1	linux-signed-amd64	6.12.57+1
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_FORMAT = r"${binary:Package}\t${db:Status-Abbrev}\t${Version}\t${source:Package}\t${source:Version}\n"
_ABSENT = frozenset("nc")
"""States of which no program is left: not installed, and only configuration files."""


@dataclass(frozen=True, slots=True)
class DebPackage:
    """One package that is there, also half installed."""

    name: str
    """With its architecture where dpkg tells it apart by it: `libc6:amd64`."""
    version: str
    source: str
    source_version: str


def parse(output: Output) -> tuple[DebPackage, ...]:
    """Read one package a line."""
    found: list[DebPackage] = []
    for line in output.lines():
        parts = line.strip().split("\t")
        if len(parts) != 5 or not parts[0] or len(parts[1]) < 2:
            raise Unparseable(msg("dpkg lists a package in a form that cannot be parsed: {line}", line=shown(line, 80)))
        name, state, version, source, source_version = parts
        if state[1] not in _ABSENT:
            found.append(DebPackage(name, version, source, source_version))
    if not found:
        raise Unparseable(msg("dpkg lists no package"))
    return tuple(found)


PROBE = Probe("packages.dpkg", ("dpkg-query", "-W", "-f", _FORMAT), parse, timeout_seconds=30, limit_bytes=2 << 20)
