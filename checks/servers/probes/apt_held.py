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
from fnmatch import fnmatchcase
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.apt_index import Index
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


class Pin(NamedTuple):
    """What a pin raises or lowers."""

    packages: str
    """A pattern of names, or the setting."""
    of: str = ""
    """Which versions, as apt_preferences(5) writes it: `release l=Debian-Security`."""
    priority: int = 0

    def is_for(self, index: Index) -> bool | None:
        """Say whether the versions of an archive are meant; None where that is not evaluated here."""
        kind, _, conditions = self.of.partition(" ")
        seen = {"o": index.origin, "l": index.label, "a": index.suite, "n": index.codename}
        asked = [each.strip().partition("=") for each in conditions.split(",")]
        if kind != "release" or any(key not in seen or value.startswith("/") for key, _, value in asked):
            return None
        return all(fnmatchcase(seen[key], value) for key, _, value in asked)


@dataclass(frozen=True, slots=True)
class HeldPackages:
    """What is kept from being upgraded."""

    packages: tuple[str, ...]
    """On hold, by dpkg's own state."""
    pins: tuple[Pin, ...]
    """Those that give a version another priority than the usual 500, and a default release, which does so to all versions of
    other archives."""
    upgrades: tuple[Upgrade, ...]
    """What would come if nothing were on hold; empty where nothing is."""


def parse(output: Output) -> HeldPackages:
    """Read holds, pins and the plan without holds."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of held packages is cut short"))
    packages: list[str] = []
    pins: list[Pin] = []
    pattern = of = ""
    for line in lines[:-1]:
        word, _, rest = line.strip().partition(" ")
        if word == "held" and rest.count("|") == 2:
            packages.append(rest.split("|")[1])
        elif word == "default":
            pins.append(Pin(f"APT::Default-Release={rest.strip()}"))
        elif word == "Package:":
            pattern, of = rest.strip(), ""
        elif word == "Pin:":
            of = " ".join(rest.split())
        elif word == "Pin-Priority:":
            priority = _number(rest.strip())
            if priority != USUAL:
                pins.append(Pin(pattern, of, priority))
        elif word != "Inst":
            raise Unparseable(msg("a line of the held packages cannot be parsed: {line}", line=shown(line, 80)))
    return HeldPackages(tuple(packages), tuple(pins), read_upgrades(lines))


def _number(priority: str) -> int:
    try:
        return int(priority)
    except ValueError as error:
        raise Unparseable(msg("a pin has the priority {seen}", seen=shown(priority, 20))) from error


PROBE = Probe("apt.held", ("sh", "-c", _SCRIPT), parse, timeout_seconds=60, limit_bytes=1 << 20, form=PIPED)
