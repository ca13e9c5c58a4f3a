"""Every package with its module stream: `rpm -qa`. RHEL and AlmaLinux.

Written by rpm(8) and the names of `rpm --querytags` of rpm 4.20; not run on RHEL or AlmaLinux. What a package lacks is
printed as `(none)`; several kernels stand beside each other.

    openssl-libs	1	3.2.2	6.el9_5	x86_64	openssl-3.2.2-6.el9_5.src.rpm	(none)
    nodejs	1	20.18.2	1.module_el9.5.0+134+c6bf8e52	x86_64	nodejs-20.18.2-1.src.rpm	nodejs:20:9050020250123:rhel9
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_FORMAT = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\n"


@dataclass(frozen=True, slots=True)
class RpmPackage:
    """One installed package."""

    name: str
    version: str
    """`EPOCH:VERSION-RELEASE`."""
    module: str
    """`nodejs:20`; empty where it came from no module."""


def parse(output: Output) -> tuple[RpmPackage, ...]:
    """Read one package a line; the keys that rpm keeps as packages are none."""
    found: list[RpmPackage] = []
    for line in output.lines():
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 7 or not parts[0] or not parts[1].isdecimal():
            raise Unparseable(msg("rpm lists a package in a form that cannot be parsed: {line}", line=shown(line, 80)))
        name, epoch, version, release, _architecture, _source, label = parts
        if name == "gpg-pubkey":
            continue
        module = "" if label in {"(none)", ""} else ":".join(label.split(":")[:2])
        found.append(RpmPackage(name, f"{epoch}:{version}-{release}", module))
    if not found:
        raise Unparseable(msg("rpm lists no package"))
    return tuple(found)


PROBE = Probe("packages.rpm", ("rpm", "-qa", "--qf", _FORMAT), parse, timeout_seconds=30, limit_bytes=2 << 20)
