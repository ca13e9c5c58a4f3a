"""NUT, with the driver that it has for trying it out in the place of a supply's own."""

from tests.checks.servers.matrix import Fault

_SUPPLY = r"""
printf 'ups.status: {status}\nbattery.charge: {charge}\n' >/etc/nut/portal.dev
[ -e /run/nut/upsd.pid ] || {
  printf 'MODE=standalone\n' >/etc/nut/nut.conf
  printf '[portal]\ndriver = dummy-ups\nport = /etc/nut/portal.dev\nmode = dummy-once\n' >/etc/nut/ups.conf
  printf 'LISTEN 127.0.0.1 3493\n' >/etc/nut/upsd.conf
  chgrp nut /etc/nut/*; chmod 640 /etc/nut/*; install -d -o root -g nut -m 770 /run/nut
  upsdrvctl start >/dev/null 2>&1; upsd >/dev/null 2>&1
}
timeout 60 sh -c 'until timeout 5 upsc portal ups.status 2>/dev/null | grep -q "{status}"; do sleep 0.2; done'
"""
FAULTS = (
    Fault(
        "power.ups",
        "not-ready",
        good=_SUPPLY.replace("{status}", "OL").replace("{charge}", "100"),
        bad=_SUPPLY.replace("{status}", "OB LB").replace("{charge}", "12"),
        gone="rm -f $(command -v upsc)",
        unknown="command-missing",
        declared={"ups": ["portal"]},
        releases=frozenset({13}),
    ),
)
