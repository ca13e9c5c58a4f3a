"""NUT, with the driver that it has for trying it out in the place of a supply's own, and under another name."""

from tests.checks.servers.matrix import Fault, Seed

_SUPPLY = r"""
printf 'battery.charge: {charge}\n{more}ups.status: {status}\n' >/etc/nut/portal.dev
[ -e /run/nut/upsd.pid ] || {
  printf 'MODE=standalone\n' >/etc/nut/nut.conf
  [ -e /lib/nut/portal-ups ] || cp /lib/nut/dummy-ups /lib/nut/portal-ups
  printf '[portal]\ndriver = portal-ups\nport = /etc/nut/portal.dev\nmode = dummy-once\n' >/etc/nut/ups.conf
  printf 'LISTEN 127.0.0.1 3493\n' >/etc/nut/upsd.conf
  chgrp nut /etc/nut/*; chmod 640 /etc/nut/*; install -d -o root -g nut -m 770 /run/nut
  upsdrvctl start >/dev/null 2>&1; upsd >/dev/null 2>&1
}
timeout 60 sh -c 'until timeout 5 upsc portal ups.status 2>/dev/null | grep -q "{status}"; do sleep 0.2; done'
"""


def _supply(status: str, charge: int, more: str = "") -> str:
    return _SUPPLY.replace("{status}", status).replace("{charge}", str(charge)).replace("{more}", more)


_GOOD = _supply("OL", 100)
_READ = "sleep 20\n"  # the driver reads its file again
FAULTS = (
    Fault(
        "power.ups",
        "not-ready",
        good=_GOOD,
        bad=_supply("OB LB", 12),
        gone="rm -f $(command -v upsc)",
        unknown="command-missing",
        declared={"ups": ["portal"]},
        releases=frozenset({13}),
    ),
)

SEEDS = (
    Seed(
        "power.ups",
        "a full battery that lasts for seconds",
        make=_supply("OL", 100, "battery.runtime: 11\\n") + _READ,
        undo=_supply("OL", 100, "battery.runtime: 1260\\n") + _READ,
        fails="not-ready",
        releases=frozenset({13}),
    ),
    Seed(
        "power.ups",
        "a calibration that empties the battery",
        make=_supply("OL CAL", 100),
        undo=_supply("OL", 100),
        unknown="status-unclear",
        releases=frozenset({13}),
    ),
    Seed(
        "power.ups",
        "it is on line, and still charges",
        make=_supply("OL CHRG", 91),
        undo=_supply("OL", 100),
        releases=frozenset({13}),
    ),
)
