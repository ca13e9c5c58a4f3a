"""Debian's cron does what is due by `schedule install --cron`, mails what failed, and has nothing left to do after `uninstall`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import Host, Hosts
from tests.installed import MailSink, installed, write
from tests.schedule.parts import configuration, prepare, runs_of, schedule, verified, wait_until, written

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

EVERY_MINUTE = "[schedule]\nevery_minutes = 1\n"
CHANNEL = """
[[notify.channel]]
id = "on-duty"
kind = "mail"
levels = ["failure"]
language = "en"
host = "{sink.host}"
port = {sink.port}
security = "none"
sender = "portalops@khanhhoa.example"
recipients = ["truc@khanhhoa.example"]
"""
SENDMAIL = """
account default
host {sink.host}
port {sink.port}
from cron@khanhhoa.example
aliases /etc/aliases
"""


@pytest.fixture
def host(hosts: Hosts, sink: MailSink) -> Iterator[Host]:
    """A host with cron, whose accounts' mail goes to its administrator."""
    with installed(hosts) as made:
        assert made.sh("systemctl is-active cron") == "active\n"
        write(made, "/etc/msmtprc", SENDMAIL.format(sink=sink), mode=0o644)
        write(made, "/etc/aliases", "default: root@khanhhoa.example\n", mode=0o644)
        yield made


def test_cron_does_what_is_due_mails_what_failed_and_is_left_as_it_was(host: Host, sink: MailSink) -> None:
    more = EVERY_MINUTE + CHANNEL.format(sink=sink)
    prepare(host, configuration("weekly-backup", "daily-anchor", more=more))
    before = host.sh("find /etc -type f | sort")

    schedule(host, "install", "--cron")
    host.sh("mv /srv/disk-a /srv/disk-b /mnt")  # no medium can be reached
    wait_until(lambda: "anchor.finished" in [each.kind for each in written(host)], "cron fires")

    runs = {name: kinds for name, kinds in runs_of(written(host)).items() if name.startswith(("anchor:", "backup:"))}
    assert sorted(name.split(":")[1] for name in runs) == ["daily-anchor", "weekly-backup"]
    assert all(len(kinds) == 2 for kinds in runs.values())
    sink.wait_for(2)
    to = {recipients[0]: mail for recipients, mail in zip(sink.recipients, sink.mails, strict=True)}
    assert set(to) == {"truc@khanhhoa.example", "root@khanhhoa.example"}
    assert "weekly-backup" in to["truc@khanhhoa.example"].get_content()
    assert "weekly-backup" in to["root@khanhhoa.example"].get_content()  # what cron itself mails
    assert "run --due" in str(to["root@khanhhoa.example"]["Subject"])

    host.sh("mv /mnt/disk-a /mnt/disk-b /srv")
    schedule(host, "uninstall")
    assert host.sh("find /etc -type f | sort") == before
    verified(host)
