"""A run that a real host stops, kills or loses its power in is told of as what it was, and the next timer's run just works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import Host, Hosts
from tests.installed import installed
from tests.schedule.parts import (
    SLOW,
    SLOW_SOURCE,
    configuration,
    prepare,
    runs_of,
    schedule,
    verified,
    wait_until,
    written,
)

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

EVERY_MINUTE = "[schedule]\nevery_minutes = 1\nrandom_delay_minutes = 0\n"
MEDIA = "find /srv/disk-a /srv/disk-b -mindepth 1 -maxdepth 1"


@pytest.fixture
def host(hosts: Hosts) -> Iterator[Host]:
    """A host whose timer is installed, and whose next backup takes long."""
    with installed(hosts) as made:
        prepare(made, configuration("weekly-backup", more=SLOW_SOURCE + EVERY_MINUTE))
        made.sh(f"touch {SLOW}")
        schedule(made, "install", "--systemd")
        yield made


def begin(host: Host) -> None:
    """Let the timer start the service, and go on when it is in the middle of its backup."""
    wait_until(lambda: host.sh("pgrep --exact sleep || true") != "", "the backup begins")
    host.sh(f"rm {SLOW}")
    assert host.sh("systemctl is-active portalops-backup.service || true") == "activating\n"


def next_run(host: Host) -> list[list[str]]:
    """Wait for the run that the timer starts next, with nothing done by a person, and return the records of all runs."""
    done = ["backup.started", "backup.finished"]
    wait_until(lambda: list(runs_of(written(host)).values())[1:] == [done], "the timer's next run")
    wait_until(lambda: "activating" not in host.sh("systemctl is-active portalops-backup.service || true"), "it ends")
    return list(runs_of(written(host)).values())


def outcome(host: Host) -> str:
    """Return how systemd says that the service ended."""
    return host.sh("systemctl show --property=Result,ExecMainCode,ExecMainStatus portalops-backup.service")


def lies_half_done(host: Host) -> list[str]:
    """Return what lies on the media beside whole sets."""
    sets = host.sh(MEDIA).split()
    return [each for each in sets if "/." in each or host.sh(f"ls {each}/set.json 2>/dev/null || true") == ""]


def test_a_service_that_is_stopped_stops_cleanly(host: Host) -> None:
    begin(host)

    host.sh("systemctl stop portalops-backup.service")

    assert "Result=timeout" not in outcome(host)
    assert host.accounts_processes("portalops") == []
    assert lies_half_done(host) == []
    assert next_run(host)[0] == ["backup.started", "backup.finished"]
    assert lies_half_done(host) == []
    verified(host)


def test_a_service_that_is_killed_shows_as_unfinished_and_the_next_run_needs_no_unlocking(host: Host) -> None:
    begin(host)

    host.sh("systemctl kill --signal=KILL portalops-backup.service")
    wait_until(lambda: "Result=signal" in outcome(host), "the service has failed")

    assert "weekly-backup" in verified(host).partition("Runs that began and did not finish")[2]
    assert next_run(host) == [["backup.started"], ["backup.started", "backup.finished"]]
    assert lies_half_done(host) == []
    verified(host)


def test_a_host_that_loses_its_power_works_on_by_itself_when_it_is_back(host: Host) -> None:
    begin(host)

    host.down()
    host.up()

    assert next_run(host) == [["backup.started"], ["backup.started", "backup.finished"]]
    assert lies_half_done(host) == []
    verified(host)
