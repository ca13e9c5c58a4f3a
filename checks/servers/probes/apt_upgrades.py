"""What apt would install now: `apt-get -s dist-upgrade`, as apt-get(8) has it. Debian and Ubuntu.

Simulating needs neither root nor a lock. `dist-upgrade`, since `upgrade` leaves back what needs new packages. Only the
`Inst` lines are read, and the list of what is kept back; the prose around them is for people and changes.

A pin that forbids an archive makes apt name none of its fixes. So where there are preferences (apt_preferences(5)) or a default
release, it is simulated once more without them, behind the line `without pins`.

    Inst libssl3t64 [3.5.1-1] (3.5.4-1~deb13u2 Debian-Security:13/stable-security [amd64])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_INST = re.compile(r"Inst (?P<name>\S+) (?:\[(?P<old>[^\]]*)\] )?\((?P<new>\S+) (?P<origins>[^)]*?) ?\[[^\]]+\]\)")
_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
set -- apt-get -s -o APT::Get::Show-User-Simulation-Note=0
"$@" dist-upgrade || exit $?
grep -qi default-release /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null || for f in /etc/apt/preferences /etc/apt/preferences.d/* ''; do
  [ "$f" ] || exit 0
  [ ! -s "$f" ] || break
done
echo 'without pins'
exec "$@" -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o APT::Default-Release= dist-upgrade
"""
_WITHOUT_PINS = "without pins"
_KEPT_BACK = "The following packages have been kept back:"
_BY_CONTRACT = "UbuntuESM"
"""With what the archives begin that Ubuntu itself pins away where no contract opens them."""
_SECURITY = re.compile(r"Debian-Security:|Ubuntu[A-Za-z]*:[^/]*/\S*-security$")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One package that apt would install."""

    package: str
    old: str
    """The installed version; empty for a package that would come new."""
    new: str
    origins: tuple[str, ...]
    """Every archive that has the new version, such as `Debian-Security:13/stable-security`."""
    is_pinned: bool = False
    """A pin of the host keeps it away."""
    is_kept_back: bool = False
    """apt knows a newer version and does not install it; which one it is it does not tell."""

    @property
    def is_security(self) -> bool:
        """Say whether one of its archives is a security archive."""
        return any(_SECURITY.match(origin) for origin in self.origins)

    @property
    def is_by_contract(self) -> bool:
        """Say whether only archives have it that a contract opens."""
        return all(origin.startswith(_BY_CONTRACT) for origin in self.origins)


def read_upgrades(lines: Iterable[str]) -> tuple[Upgrade, ...]:
    """Read the `Inst` lines.

    Raises:
        Unparseable: an `Inst` line of another form; none is left out in silence.
    """
    found = []
    for line in lines:
        if not line.startswith("Inst "):
            continue
        match = _INST.match(line)
        if match is None:
            raise Unparseable(msg("apt printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        origins = tuple(origin.strip() for origin in match["origins"].split(",") if origin.strip())
        found.append(Upgrade(match["name"], match["old"] or "", match["new"], origins))
    return tuple(found)


def parse(output: Output) -> tuple[Upgrade, ...]:
    """Read the upgrades; an answer without a word is no answer."""
    if not output.text.strip():
        raise Unparseable(msg("apt printed nothing at all"))
    lines = output.lines()
    at = lines.index(_WITHOUT_PINS) if _WITHOUT_PINS in lines else len(lines)
    upgrades = read_upgrades(lines[:at])
    kept_back = (Upgrade(name, "", "", (), is_kept_back=True) for name in _kept_back(lines[:at]))
    seen = {each.package for each in upgrades}
    pinned = (
        replace(each, is_pinned=True)
        for each in read_upgrades(lines[at:])
        if each.is_security and each.package not in seen and not each.is_by_contract
    )
    return (*upgrades, *pinned, *kept_back)


def _kept_back(lines: Sequence[str]) -> list[str]:
    """Return the packages of the list that apt prints before its plan."""
    if _KEPT_BACK not in lines:
        return []
    rows = takewhile(lambda line: line.startswith(" "), lines[lines.index(_KEPT_BACK) + 1 :])
    return [name for row in rows for name in row.split()]


PROBE = Probe(
    "apt.upgrades",
    ("sh", "-c", _SCRIPT),
    parse,
    timeout_seconds=60,
    limit_bytes=1 << 20,
)
