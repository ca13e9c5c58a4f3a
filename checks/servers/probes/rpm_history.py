"""When each package that is there now was installed or upgraded: `rpm -qa`. RHEL and AlmaLinux.

rpm(8)'s database keeps the moment of each package's last change, in seconds since 1970; what was removed is not in it.

    1764051000 nginx
"""

from __future__ import annotations

from datetime import UTC, datetime

from checks.servers.drifted import PackageChange
from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


def parse(output: Output) -> tuple[PackageChange, ...]:
    """Read one package a line, oldest first; the keys that rpm keeps as packages are none."""
    found: dict[int, list[str]] = {}
    for line in output.lines():
        moment, _, name = line.strip().partition(" ")
        if not moment.isdecimal() or len(moment) > 11 or not name:
            raise Unparseable(msg("rpm lists a package in a form that cannot be parsed: {line}", line=shown(line, 80)))
        if name != "gpg-pubkey":
            found.setdefault(int(moment), []).append(name)
    if not found:
        raise Unparseable(msg("rpm lists no package"))
    return tuple(
        PackageChange(datetime.fromtimestamp(moment, UTC), "", tuple(sorted(names)))
        for moment, names in sorted(found.items())
    )


PROBE = Probe(
    "rpm.history", ("rpm", "-qa", "--qf", r"%{INSTALLTIME} %{NAME}\n"), parse, timeout_seconds=30, limit_bytes=1 << 20
)
