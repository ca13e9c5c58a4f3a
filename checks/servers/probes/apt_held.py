"""Packages held back, and what they would get if they were not. Debian and Ubuntu: dpkg-query(1), apt-get(8).

A held package vanishes from the `Inst` lines, so the simulation is run once more without holds, and only where there are
any. Pins of apt_preferences(5) are listed as well, and a default release: a version that has less priority than another, or
than what is installed, is not what apt would install, be it the fix.

    held hi |openssl|3.5.1-1
    Inst openssl [3.5.1-1] (3.5.4-1~deb13u2 Debian-Security:13/stable-security [amd64])
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.apt_upgrades import Upgrade, read_upgrades
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
all=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Version}\n') || exit $?
held=$(printf '%s\n' "$all" | grep '^h')
for f in /etc/apt/preferences /etc/apt/preferences.d/*; do
  case $f in *.disabled|*.save|*.bak|*~) continue;; esac
  [ -f "$f" ] || continue
  grep -h -E '^(Package|Pin|Pin-Priority):' "$f"
done
apt-config dump APT::Default-Release | sed -n 's/^APT::Default-Release "\(..*\)";$/default \1/p'
if [ -n "$held" ]; then
  printf '%s\n' "$held" | sed 's/^/held /'
  plan=$(apt-get -s --ignore-hold -o APT::Get::Show-User-Simulation-Note=0 dist-upgrade) || exit $?
  printf '%s\n' "$plan" | grep '^Inst '
fi
echo end
"""


USUAL = 500
"""The priority of what no pin names (apt_preferences(5))."""


@dataclass(frozen=True, slots=True)
class HeldPackages:
    """What is kept from being upgraded."""

    packages: tuple[str, ...]
    """On hold, by dpkg's own state."""
    pinned: tuple[str, ...]
    """Package patterns whose pin gives a version another priority than the usual 500, and a default release, which does so
    to all versions of other archives."""
    upgrades: tuple[Upgrade, ...]
    """What would come if nothing were on hold; empty where nothing is."""


def parse(output: Output) -> HeldPackages:
    """Read holds, pins and the plan without holds."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of held packages is cut short"))
    packages: list[str] = []
    pinned: list[str] = []
    pattern = ""
    for line in lines[:-1]:
        word, _, rest = line.strip().partition(" ")
        if word == "held" and rest.count("|") == 2:
            packages.append(rest.split("|")[1])
        elif word == "default":
            pinned.append(f"APT::Default-Release={rest.strip()}")
        elif word == "Package:":
            pattern = rest.strip()
        elif word == "Pin-Priority:":
            if _keeps_back(rest.strip()):
                pinned.append(pattern)
        elif word not in {"Pin:", "Inst"}:
            raise Unparseable(msg("a line of the held packages cannot be parsed: {line}", line=shown(line, 80)))
    return HeldPackages(tuple(packages), tuple(pinned), read_upgrades(lines))


def _keeps_back(priority: str) -> bool:
    try:
        number = int(priority)
    except ValueError as error:
        raise Unparseable(msg("a pin has the priority {seen}", seen=shown(priority, 20))) from error
    return number != USUAL


PROBE = Probe("apt.held", ("sh", "-c", _SCRIPT), parse, timeout_seconds=60, limit_bytes=1 << 20, form=PIPED)
