"""Installed packages that no enabled repository has: `dnf -C list --extras`. RHEL and AlmaLinux.

Captured with dnf 4.23 on Debian, over a repository made for it; not run on RHEL or AlmaLinux. It prints nothing where there
is none, and older ones end with 1 and "No matching Packages to list"; it also prints nothing where it finds no package
installed, and all of them where it knows no repository, so rpm is asked how many there are. Root's cache is asked, since an
ordinary account has one of its own.

    Extra Packages
    zabbix-agent.noarch                     6.0.30-1.el9                     @System
    installed 2
    end
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dnf >/dev/null && command -v rpm >/dev/null || exit 127
exec 3>&1
e=$(dnf -q -C list --extras 2>&1 >&3)
case $?:$e in 0:*|1:*'No matching Packages to list'*) ;; *) printf '%s\n' "$e" >&2; exit 3 ;; esac
printf 'installed %s\nend\n' "$(rpm -qa --qf '%{NAME}\n' | grep -vx gpg-pubkey | sort -u | wc -l)"
"""
_PACKAGE = re.compile(r"(?P<name>\S+)\.(?:noarch|x86_64|i686|aarch64|ppc64le|s390x)\s+\S+\s+@\S*")
_INSTALLED = re.compile(r"installed (\d{1,6})")


def parse(output: Output) -> tuple[str, ...]:
    """Read the packages' names; none where dnf lists none and rpm knows of installed ones."""
    lines = [line.strip() for line in output.lines()]
    installed = _INSTALLED.fullmatch(lines[-2]) if len(lines) >= 2 and lines[-1] == "end" else None
    if installed is None:
        raise Unparseable(msg("dnf's list of extra packages is cut short"))
    found: set[str] = set()
    for line in lines[:-2]:
        package = _PACKAGE.fullmatch(line)
        if package is not None:
            found.add(package["name"])
        elif line != "Extra Packages":
            raise Unparseable(msg("dnf printed a line that cannot be parsed: {line}", line=shown(line, 80)))
    if len(found) >= int(installed[1]):
        raise Unparseable(
            msg(
                "dnf knows no repository, or no package: {n} of {all} are in none", n=len(found), all=int(installed[1])
            ),
            reason="no-cache",
        )
    return tuple(sorted(found))


PROBE = Probe("dnf.extras", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=1 << 20)
