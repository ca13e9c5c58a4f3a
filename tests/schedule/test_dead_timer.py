"""A timer that died on one host is noticed from another one in time, whatever kept it from working: the witness's mail tells.

The clock of such a host is the machine's and cannot be moved, so portalops on both hosts is started under libfaketime, by which a
day goes by at once on both of them. Timers, SSH, mail and what becomes of them are real; each timer knocks every five seconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts import Host, Hosts
from tests.installed import MailSink, installed, mail_sink, portalops, write
from tests.schedule.parts import CONFIG, configuration, prepare, schedule, verified, wait_until, written

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

HOUR = 3600
GRACE = 26 * HOUR
"""The default of `max_silence_hours`."""
CLOCK = "/etc/portalops/clock"
BOOTED_AT = "/var/lib/portalops/state/booted-at"
"""A run's note of the boot; without it the moved clock is that of a machine which a time service keeps."""
PROGRAM = f"""#!/bin/sh
exec env LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_CACHE_DURATION=86400 \
DONT_FAKE_MONOTONIC=1 /usr/bin/python3 -P -c 'from commands.app import main; main()' "$@"
"""
OFTEN = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/5\nRandomizedDelaySec=0\nAccuracySec=100ms\n"
PROGRAM_NAMED = '[schedule]\nprogram = "/usr/local/bin/portalops"\n'
ANSWER = "/usr/local/bin/portalops --config /etc/portalops/portalops.toml ledger extend --ssh --json"
WITNESS = """
portal   = {{ id = "so-tttt", name = {{ vi = "Sở Thông tin và Truyền thông" }} }}
state    = {{ folder = "/var/lib/portalops/state" }}

[[witness.ledger]]
id = "khanh-hoa"
kind = "ssh"
host = "{address}"
user = "portalops"
identity_file = "/var/lib/portalops/witness_ssh"
host_key = "{host_key}"
key = "{key}"
timeout_seconds = 10
alarm = {{ host = "{sink.host}", port = {sink.port}, security = "none", sender = "witness@khanhhoa.example", recipients = ["truc@khanhhoa.example"] }}
"""
BEGINS = re.compile(r"ALARM: no new head for (\d+) hours")
OVER = "new heads arrive again"


@dataclass
class Watch:
    """A portal's host and its witness."""

    portal: Host
    witness: Host
    sink: MailSink

    def set_clocks(self, seconds: int) -> None:
        """Let it be so many seconds later on both than it was at the beginning."""
        for host in (self.portal, self.witness):
            write(host, CLOCK, f"+{seconds}\n", mode=0o644)
        self.portal.sh(f"rm -f {BOOTED_AT}")

    def look(self) -> None:
        """Wait until the witness's timer made a whole look that began from now on; its clock of this kind is this machine's."""
        now = int(time.monotonic() * 1_000_000)
        wait_until(
            lambda: now < self._moment("ExecMainStart") < self._moment("ExecMainExit"),
            "the witness's timer makes it look",
        )

    def _moment(self, which: str) -> int:
        show = f"systemctl show --value --property={which}TimestampMonotonic portalops-watch.service"
        return int(self.witness.sh(show))

    def alarms(self) -> list[str]:
        """Return what the mails' subjects say, in English."""
        return [str(mail["Subject"]).partition(" / ")[2] for mail in self.sink.mails]

    def heads(self) -> int:
        """Return how many heads the witness keeps."""
        return len(
            self.witness.sh("ls /var/lib/portalops/state/witness/khanh-hoa/heads/*.txt 2>/dev/null || true").split()
        )


@pytest.fixture
def watch(hosts: Hosts) -> Iterator[Watch]:
    with watched(hosts) as made:
        yield made


@contextmanager
def watched(hosts: Hosts) -> Iterator[Watch]:
    """Give a portal whose timer works, and a witness that has seen its first head."""
    with ExitStack() as stack:
        portal, witness = stack.enter_context(installed(hosts)), stack.enter_context(installed(hosts, name="witness"))
        sink = stack.enter_context(mail_sink(hosts))
        watch = Watch(portal, witness, sink)
        for host in (portal, witness):
            write(host, "/opt/portalops/bin/portalops", PROGRAM, mode=0o755)
        watch.set_clocks(0)
        prepare(portal, configuration("daily-anchor", more=PROGRAM_NAMED))
        start_timer(portal, "portalops")
        witness.sh("runuser -u portalops -- ssh-keygen -q -t ed25519 -N '' -f /var/lib/portalops/witness_ssh")
        public = witness.sh("cat /var/lib/portalops/witness_ssh.pub")
        portal.sh("install -d -o portalops -g portalops -m 700 /var/lib/portalops/.ssh")
        line = f'restrict,command="{ANSWER}" {public}'
        write(portal, "/var/lib/portalops/.ssh/authorized_keys", line, owner="portalops:portalops", mode=0o600)
        key = " ".join(portal.sh("cat /var/lib/portalops/keys/signing.pub").split()[:2])
        text = WITNESS.format(address=portal.address, host_key=portal.host_key, key=key, sink=sink)
        write(witness, "/etc/portalops/portalops.toml", text + PROGRAM_NAMED)
        wait_until(lambda: any(each.kind == "anchor.finished" for each in written(portal)), "the portal's first run")
        start_timer(witness, "portalops-watch")
        wait_until(lambda: watch.heads() > 0, "the witness's first look")
        yield watch


def start_timer(host: Host, name: str) -> None:
    schedule(host, "install", "--systemd")
    write(host, f"/etc/systemd/system/{name}.timer.d/local.conf", OFTEN, mode=0o644)
    host.sh(f"systemctl daemon-reload; systemctl restart {name}.timer")


def test_a_dead_timer_is_told_by_the_witness_within_the_grace_time_and_so_is_its_return(watch: Watch) -> None:
    day, heads = 25 * HOUR, watch.heads()
    watch.set_clocks(day)
    wait_until(lambda: watch.heads() > heads, "the next day's work is seen by the witness")
    assert watch.alarms() == []

    watch.portal.sh("systemctl disable --now portalops.timer")
    assert "inactive (dead)" in watch.portal.sh("systemctl status portalops.timer || true")
    watch.look()
    watch.set_clocks(day + GRACE - HOUR)
    watch.look()
    assert watch.alarms() == []

    watch.set_clocks(day + GRACE + 60)
    watch.sink.wait_for(1)
    (alarm,) = watch.alarms()
    assert BEGINS.match(alarm) and BEGINS.match(alarm)[1] == "26", alarm  # type: ignore[index]
    watch.look()
    assert len(watch.alarms()) == 1

    watch.portal.sh("systemctl enable --now portalops.timer")
    watch.sink.wait_for(2)
    assert watch.alarms()[1] == OVER
    verified(watch.portal)


def test_a_cut_network_a_host_without_power_and_a_dead_mail_server_hide_nothing(watch: Watch) -> None:
    watch.portal.cut()
    watch.sink.stop()
    watch.set_clocks(GRACE + 60)
    watch.look()
    shown = watch.witness.sh("journalctl --no-pager --output=cat --unit=portalops-watch.service")
    assert "1 mail waits for the next poll" in shown and watch.alarms() == []

    watch.sink.start()
    watch.sink.wait_for(1)
    watch.portal.mend()
    watch.sink.wait_for(2)
    begun, over = watch.alarms()
    assert BEGINS.match(begun) and over == OVER

    watch.portal.down()
    clock = Path(watch.portal.upper / CLOCK[1:])
    later = 2 * (GRACE + HOUR)
    clock.write_text(f"+{later}\n")
    Path(watch.portal.upper / BOOTED_AT[1:]).unlink(missing_ok=True)
    write(watch.witness, CLOCK, f"+{later}\n", mode=0o644)
    watch.sink.wait_for(3)
    assert BEGINS.match(watch.alarms()[2])
    assert "Problem: " in watch.sink.mails[2].get_content()  # that it was not reached

    watch.portal.up()
    watch.sink.wait_for(4)
    assert watch.alarms()[3] == OVER
    shown = portalops(watch.portal, "--config", CONFIG, "ledger", "verify").stdout
    assert "nothing was changed" in shown  # a day without power may lack its run, which that names
