"""The operating system's name and version: `cat /etc/os-release`, as os-release(5) has it.

Debian, Ubuntu, RHEL and AlmaLinux alike; captured on Debian 13.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import date

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class OsRelease:
    """Which system it is."""

    id: str
    """Lower case, such as `debian`."""
    version: str
    """Such as `13` or `24.04`; empty for a rolling or unreleased system."""
    codename: str
    support_end: date | None
    """The maker's own statement, where the file has one."""

    @property
    def name(self) -> str:
        """Return it for a sentence."""
        return shown(f"{self.id} {self.version}".strip(), 60)


_READ = frozenset({"ID", "VERSION_ID", "VERSION_CODENAME", "SUPPORT_END"})


def parse(output: Output) -> OsRelease:
    """Read the shell-like assignments."""
    values: dict[str, str] = {}
    for line in output.lines():
        key, equals, value = line.strip().partition("=")
        if not equals or key not in _READ:
            continue
        try:
            values[key] = next(iter(shlex.split(value)), "")
        except ValueError as error:
            raise Unparseable(msg("the host's os-release is broken at {line}", line=shown(line, 80))) from error
    if not values.get("ID"):
        raise Unparseable(msg("the host's os-release names no system"))
    return OsRelease(
        values["ID"].lower(),
        values.get("VERSION_ID", ""),
        values.get("VERSION_CODENAME", ""),
        _day(values.get("SUPPORT_END")),
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


PROBE = Probe("os.release", ("cat", "/etc/os-release"), parse)
