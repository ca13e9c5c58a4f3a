"""Which fault each check finds on a whole host, and what it says once that is repaired, or can't be looked at any more.

One file a family, found by its name, with `FAULTS`; `test_matrix.py` makes hosts good, makes every fault at once, repairs
them, and takes away what checks look with. What cannot be made real on such a host stands in `elsewhere.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.hosts import Extras

ALL = frozenset({13, 12, 11})
PACKAGES = (
    *("clamav", "clamav-daemon", "clamav-freshclam", "apt-utils", "gnupg", "unattended-upgrades", "chrony", "aide"),
    *("nut-server", "redis-server", "systemd-journal-remote", "faketime", "haproxy", "socat", "rsyslog", "kmod"),
)
NEWEST_ONLY = ("lastlog2", "suricata", "mariadb-server")
"""What Debian 12 and 11 do not have, or what is large and the same in all."""
EXTRAS = {
    13: Extras("matrix", (*PACKAGES, *NEWEST_ONLY)),
    12: Extras("matrix", PACKAGES),
    11: Extras("matrix", PACKAGES),
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


GROUPS: Mapping[str, Mapping[str, object]] = {
    "balancers": {"kind": "load-balancer", "members": ["web1", "web2"]},
    "logs": {"kind": "log-collector", "members": ["web1", "web2"]},
    "databases": {"kind": "mysql", "members": ["web1", "web2"]},
    "spares": {"kind": "spare", "members": ["web1", "web2"]},
}
"""What the portal declares of groups, where a fault is of one."""


def faults(release: int) -> tuple[Fault, ...]:
    """Return those of a release, family after family."""
    names = sorted(one.name for one in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return tuple(one for module in modules for one in getattr(module, "FAULTS", ()) if release in one.releases)
