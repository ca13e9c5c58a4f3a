"""Installed packages that no archive has: `apt list '?obsolete'`. Debian and Ubuntu; captured with apt 3.0.4 on Debian 13.

apt knows that pattern since 2.0; an older one takes it for a name and lists nothing, so its version is asked beside it. apt
says that what it prints may change, so a line of another form is not guessed at. Sources: apt(8), apt-patterns(7).

    apt 3.0.4 (amd64)
    software-properties-common/now 0.99.30-4.1~deb12u1 all [installed,local]
    end
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.vulnerabilities.versions import deb_key
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt >/dev/null || exit 127
apt-get --version | head -n 1
found=$(apt -qq list '?obsolete' 2>/dev/null) || exit $?
printf '%s\n' "$found"
echo end
"""
_VERSION = re.compile(r"apt ([0-9][A-Za-z0-9.+~]{0,40})(?: \(\S+\))?")
_PACKAGE = re.compile(r"(?P<name>[a-z0-9][a-z0-9.+-]*)/\S* \S+ \S+ \[[a-z, -]+\]")
_FIRST_WITH_PATTERNS = "2.0"


def parse(output: Output) -> tuple[str, ...]:
    """Read the packages' names."""
    lines = [line.strip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("apt's list of obsolete packages is cut short"))
    version = _VERSION.fullmatch(lines[0])
    if version is None:
        raise Unparseable(
            msg("apt states its version in a form that cannot be parsed: {line}", line=shown(lines[0], 80))
        )
    if deb_key(version[1]) < deb_key(_FIRST_WITH_PATTERNS):
        raise Unparseable(
            msg("apt {version} can't list obsolete packages", version=shown(version[1], 40)), reason="apt-too-old"
        )
    found: set[str] = set()
    for line in lines[1:-1]:
        package = _PACKAGE.fullmatch(line)
        if package is None:
            raise Unparseable(msg("apt lists a package in a form that cannot be parsed: {line}", line=shown(line, 80)))
        found.add(package["name"])
    return tuple(sorted(found))


PROBE = Probe("apt.obsolete", ("sh", "-c", _SCRIPT), parse, timeout_seconds=60, limit_bytes=1 << 20)
