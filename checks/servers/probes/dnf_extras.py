"""Installed packages that no enabled repository has: `dnf -C list --extras`. RHEL and AlmaLinux.

Written in the form that dnf(8) of dnf 4 gives; not run on RHEL or AlmaLinux. dnf ends with 1 and "No matching Packages to
list" where there is none. Root's cache is asked, since an ordinary account has one of its own.

    Extra Packages
    zabbix-agent.x86_64                6.0.30-1.el9                @@commandline
    end
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dnf >/dev/null || exit 127
LC_ALL=C dnf -q -C list --extras 2>&1
case $? in 0|1) echo end;; *) exit 3;; esac
"""
_PACKAGE = re.compile(r"(?P<name>\S+)\.(?:noarch|x86_64|i686|aarch64|ppc64le|s390x)\s+\S+\s+@\S*")
_NONE = "Error: No matching Packages to list"


def parse(output: Output) -> tuple[str, ...]:
    """Read the packages' names."""
    lines = [line.strip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("dnf's list of extra packages broke off"))
    if lines[:-1] == [_NONE]:
        return ()
    found: set[str] = set()
    for line in lines[:-1]:
        package = _PACKAGE.fullmatch(line)
        if package is not None:
            found.add(package["name"])
        elif line != "Extra Packages":
            raise Unparseable(msg("dnf printed a line of unknown form: {line}", line=shown(line, 80)))
    if not found:
        raise Unparseable(msg("dnf lists no extra package and does not say that there is none"))
    return tuple(sorted(found))


PROBE = Probe("dnf.extras", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=1 << 20)
