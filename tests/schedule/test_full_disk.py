"""A state folder on a full disk: the scheduled run says so, people hear of it, nothing is left half done, and space is all that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import Host, Hosts
from tests.installed import MailSink, installed, portalops
from tests.schedule.parts import CONFIG, STATE, configuration, prepare, runs_of, schedule, verified, written
from tests.schedule.test_cron import CHANNEL

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

SERVICE = "portalops-backup.service"
FULL = {
    "space": f"dd if=/dev/zero of={STATE}/filler bs=4k 2>/dev/null || true",
    "inodes": f"mkdir {STATE}/filler; i=0; while touch {STATE}/filler/$i 2>/dev/null; do i=$((i+1)); done",
}


@pytest.fixture
def host(hosts: Hosts, sink: MailSink) -> Iterator[Host]:
    """A host whose state folder is a small disk of its own, on which a ledger has begun."""
    with installed(hosts) as made:
        small = f"install -d {STATE}; mount -t tmpfs -o size=8m,nr_inodes=400 small {STATE}; chown portalops: {STATE}"
        made.sh(f"{small}; chmod 750 {STATE}")
        prepare(made, configuration("weekly-backup", "daily-anchor", more=CHANNEL.format(sink=sink)))
        begun = portalops(made, "--config", CONFIG, "run", "daily-anchor")
        assert begun.returncode in {0, 1, 3}, begun.stdout + begun.stderr
        yield made


def files(host: Host) -> str:
    return host.sh(
        f"find {STATE} /srv/disk-a /srv/disk-b -not -path '*/filler*' -not -path '*/locks*' -not -name '*.sqlite-*' -type f | sort"
    )


@pytest.mark.parametrize("what", FULL)
def test_a_full_disk_is_told_and_undoes_nothing(host: Host, sink: MailSink, what: str) -> None:
    schedule(host, "install", "--systemd")
    host.sh("systemctl stop portalops.timer portalops-backup.timer")  # this test says when they knock
    before, recorded = files(host), written(host)
    host.sh(FULL[what])

    host.sh(f"systemctl start {SERVICE} || true")

    assert "Result=exit-code" in host.sh(f"systemctl show --property=Result {SERVICE}")
    assert "ExecMainStatus=4" in host.sh(f"systemctl show --property=ExecMainStatus {SERVICE}")
    log = host.sh(f"journalctl --no-pager --output=cat --unit={SERVICE}")
    assert "No space left on device" in log and f"Check the free space and the owner of the folder {STATE}" in log, log
    assert written(host) == recorded
    assert files(host) == before
    told = sink.wait_for(1)[0].get_content()
    assert "weekly-backup" in told and "disk" in told, told

    host.sh(f"rm -r {STATE}/filler; systemctl start {SERVICE}")
    backups = [kinds for name, kinds in runs_of(written(host)).items() if name.startswith("backup:")]
    assert backups == [["backup.started", "backup.finished"]]
    verified(host)
