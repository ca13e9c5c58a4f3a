"""Installed versions that no archive has, where none has a newer one either: `apt list`. Debian and Ubuntu; captured with apt 3.0.4 on
Debian 13.

Of what is installed, every line is told that is not known to be of an archive, or older than what an archive has; then all versions of
these. apt says that what it prints may change, so a line of another form is not guessed at. Sources: apt(8), apt-patterns(7).

    apt 3.0.4 (amd64)
    software-properties-common/now 0.99.30-4.1~deb12u1 all [installed,local]
    sudo/now 1.9.99-local amd64 [installed,local]
    sudo/stable 1.9.16p2-3 amd64
    end
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.vulnerabilities.versions import NotAVersion, deb_key
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt >/dev/null || exit 127
apt-get --version | head -n 1
L=$(apt -qq list --installed 2>/dev/null) || exit $?
L=$(printf '%s\n' "$L" | sed -E '/ \[installed(,automatic|,auto-removable|,upgradable to: [^]]*)?\]$/d; /^$/d')
printf '%s\n' "$L"
set -- $(printf '%s\n' "$L" | sed -n 's#/.*,local\]$##p' | sort -u)
[ $# = 0 ] || apt -qq list -a "$@" 2>/dev/null || exit $?
echo end
"""
_VERSION = re.compile(r"apt ([0-9][A-Za-z0-9.+~]{0,40})(?: \(\S+\))?")
_PACKAGE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.+-]*)/\S* (?P<version>\S+) (?P<architecture>\S+)(?: \[(?P<state>[a-z][^\]]*)\])?"
)
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
    names: set[str] = set()
    local: dict[tuple[str, str], str] = {}
    newest: dict[tuple[str, str], str] = {}
    for line in filter(None, lines[1:-1]):
        odd = Unparseable(msg("apt lists a package in a form that cannot be parsed: {line}", line=shown(line, 80)))
        package = _PACKAGE.fullmatch(line)
        if package is None:
            raise odd
        key = package["name"], package["architecture"]
        if package["state"] == "installed,local":
            names.add(key[0])
            local[key] = package["version"]
        if key[0] not in names:
            raise odd
        try:
            newest[key] = max(newest.get(key, "0"), package["version"], key=deb_key)
        except NotAVersion as error:
            raise odd from error
    return tuple(sorted({key[0] for key in local if newest[key] == local[key]}))


PROBE = Probe("apt.obsolete", ("sh", "-c", _SCRIPT), parse, timeout_seconds=60, limit_bytes=1 << 20)
