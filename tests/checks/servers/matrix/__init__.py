"""Which fault each check finds on a whole host, and what it says once that is repaired, or can't be looked at any more.

One file a family, found by its name, with `FAULTS`; `test_matrix.py` makes hosts good, makes every fault at once, repairs
them, and takes away what checks look with. What cannot be made real on such a host stands in `elsewhere.py`.

`SEEDS` of the same files are made one after the other on a good host, and each is judged alone:

    SEEDS = (
        Seed("ids.ssh-jail", "jail-ignores-everybody", fails="ignores-all", make="...", undo="..."),  # a near miss
        Seed("ids.ssh-jail", "jail-of-another-name", make="...", undo="..."),  # harmless: it must pass
    )

A check without a seed of each kind, or without such a sample, has its reason in `unseeded.toml`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

from tests.hosts import Extras

ALL = frozenset({13, 12, 11})
PACKAGES = (
    *("clamav", "clamav-daemon", "clamav-freshclam", "apt-utils", "gnupg", "unattended-upgrades", "chrony", "aide"),
    *("nut-server", "redis-server", "systemd-journal-remote", "faketime", "haproxy", "socat", "rsyslog", "kmod"),
    "libpam-pwquality",
)
NEWEST_ONLY = ("lastlog2", "suricata", "mariadb-server")
"""What Debian 12 and 11 do not have, or what is large and the same in all."""
EXTRAS = {
    13: Extras("matrix", (*PACKAGES, *NEWEST_ONLY, "opendoas", "polkitd")),
    12: Extras("matrix", (*PACKAGES, "opendoas", "polkitd")),
    11: Extras("matrix", (*PACKAGES, "doas", "policykit-1")),
}


@dataclass(frozen=True)
class Fault:
    """One check on one host; scripts run there as root, and `declared` may name their variables, such as $ADDRESS."""

    check: str
    fails: str
    """The reason why it fails while the fault is there; empty where no fault can be made."""
    bad: str = ""
    """A script that makes the fault."""
    good: str = ""
    """A script that makes the host as it should be: at the beginning, and to repair the fault."""
    gone: str = ""
    """A script that takes away what the check looks with."""
    unknown: str = ""
    """The reason why it is unknown then; empty where nothing is taken away."""
    declared: Mapping[str, object] = field(default_factory=dict)
    """What the portal declares of the host."""
    declared_bad: Mapping[str, object] = field(default_factory=dict)
    """What it declares instead while the fault is there."""
    on: str = "web1"
    """The host on which scripts run."""
    of: str = ""
    """The group of hosts that is judged, where it is not that host."""
    releases: frozenset[int] = ALL
    """Of Debian."""

    def __str__(self) -> str:
        return f"{self.check} of {self.of or self.on}"


@dataclass(frozen=True)
class Seed:
    """A near miss or a harmless setting on a good host; scripts run there as root.

    A near miss has `fails`, or `unknown` where no more can be seen than that; with neither it is harmless, and must pass.
    The host is made good by the `good` scripts of the faults of the same check.
    """

    check: str
    name: str
    """What is seeded, in a few words."""
    make: str
    undo: str
    """Makes the host good again."""
    fails: str = ""
    """The reason of the fail."""
    unknown: str = ""
    """The reason for which it is unknown."""
    declared: Mapping[str, object] = field(default_factory=dict)
    """What the portal declares of the host while it is there, beside what the faults of the check declare."""
    on: str = "web1"
    of: str = ""
    """The group of hosts that is judged, where it is not that host."""
    releases: frozenset[int] = ALL

    @property
    def kind(self) -> str:
        """Return the kind, as samples call it."""
        return "near-miss" if self.fails or self.unknown else "harmless"

    @property
    def expected(self) -> tuple[str, str]:
        """Return verdict and reason."""
        if self.fails:
            return "fail", self.fails
        return ("unknown", self.unknown) if self.unknown else ("pass", "")

    def __str__(self) -> str:
        return f"{self.check} of {self.of or self.on}: {self.name}"


GROUPS: Mapping[str, Mapping[str, object]] = {
    "balancers": {"kind": "load-balancer", "members": ["web1", "web2"]},
    "logs": {"kind": "log-collector", "members": ["web1", "web2"]},
    "databases": {"kind": "mysql", "members": ["web1", "web2"]},
    "spares": {"kind": "spare", "members": ["web1", "web2"]},
}
"""What the portal declares of groups, where a fault is of one."""


def faults(release: int) -> tuple[Fault, ...]:
    """Return those of a release, family after family."""
    return tuple(
        one for module in _families().values() for one in getattr(module, "FAULTS", ()) if release in one.releases
    )


def seeds(release: int) -> Mapping[str, tuple[Seed, ...]]:
    """Return those of a release by family; a family without any is left out."""
    found = {
        name: tuple(one for one in getattr(module, "SEEDS", ()) if release in one.releases)
        for name, module in _families().items()
    }
    return {name: rows for name, rows in found.items() if rows}


def _families() -> Mapping[str, ModuleType]:
    names = sorted(one.name for one in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
