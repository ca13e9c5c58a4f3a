"""Five weeks go by on a machine of its own kernel and clock, one of them with the machine switched off.

The machine is emulated in software, so the clock is set from one moment to the next: systemd's own timers notice, and knock. Each
moment lies half a minute behind a quarter of an hour, when the timers of all parts have come due. The year is one with a week 53,
and far ahead: systemd lets no machine start before the day on which it was built itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.hosts import Hosts
from tests.installed import USER, layers
from tests.schedule.parts import CONFIG, FOLDERS, READ_LEDGER, Record, configuration, runs_of
from tests.vm import Done, Machine, boot_again, open_machine

pytestmark = [pytest.mark.vm, pytest.mark.hosts, pytest.mark.heavy]

JOBS = ("weekly-backup", "weekly-verify", "weekly-report")
SCHEDULE = "[schedule]\nevery_minutes = 15\nrandom_delay_minutes = 0\n"
PARTS = ("portalops-backup", "portalops-media", "portalops")
BACKUP = "portalops-backup.service"
SECONDS = 400
"""How long the services of one knock may take together."""


def test_each_weekly_job_is_done_once_in_each_week_that_the_machine_lives_in(hosts: Hosts, tmp_path: Path) -> None:
    with open_machine(tmp_path) as vm:
        vm.run("date", "--set", "2032-12-06T03:01:00+07:00")  # Monday of 2032-W50
        install(vm, layers(hosts)[0])
        let_be(vm, "2032-12-06T03:15:31+07:00")
        first_week = ledger(vm)
        let_be(vm, "2032-12-14T08:00:31+07:00")  # Tuesday of W51
        vm.run("sync")
    assert sorted(done(first_week)) == sorted((job, "2032-W50", False) for job in JOBS)

    with boot_again(tmp_path, at=datetime.fromisoformat("2032-12-27T07:03:00+07:00")) as vm:  # Monday of W53
        settle(vm, dict.fromkeys(PARTS, "0"))  # nobody does anything: the timers catch up by themselves
        caught_up = ledger(vm)
        let_be(vm, "2032-12-30T22:30:31+07:00")  # Thursday of the same week
        let_be(vm, "2033-01-04T09:00:31+07:00")  # Tuesday of 2033-W01

        before = ledger(vm)
        vm.run("date", "--set", "2033-01-01T09:01:00+07:00")
        refused = vm.run("systemctl", "start", BACKUP, check=False)
        said = vm.run("journalctl", "--no-pager", "--output=cat", "--lines=30", f"--unit={BACKUP}").output
        meanwhile = ledger(vm)
        let_be(vm, "2033-01-05T10:00:31+07:00")  # Wednesday of the same week

        after_all = ledger(vm)
        verified = json.loads(portalops(vm, "ledger", "verify", "--json").output)["data"]
        timers = vm.run("systemctl", "is-active", *(f"{part}.timer" for part in PARTS), check=False).output

    weeks = (("2032-W50", False), ("2032-W51", False), ("2032-W53", True), ("2033-W01", False))
    assert sorted(done(after_all)) == sorted((job, week, late) for job in JOBS for week, late in weeks)
    assert {tuple(kind.partition(".")[2] for kind in kinds) for kinds in runs_of(after_all).values()} == {
        ("started", "finished")
    }
    by_themselves = {job for job, week, _late in done(caught_up) if week == "2032-W53"}
    assert "weekly-report" in by_themselves
    assert by_themselves != {"weekly-report"}  # of the backup and the verification, one may wait for the next knock
    assert refused.code != 0
    assert "the clock says 2033-01-01T02:01" in said
    assert meanwhile == before
    assert verified["integrity"]["holds"], verified
    missing = [(each["job"], each["slot"]) for each in verified["completeness"]["missing"]]
    assert sorted(missing) == sorted((job, "2032-W52") for job in JOBS)
    assert verified["completeness"]["crashed"] == []
    assert timers == "active\n" * len(PARTS)


def install(vm: Machine, layer: Path) -> None:
    """Install portalops, a portal and its schedule, as on any machine."""
    vm.put_layer(layer)
    vm.shell(f"{USER}{FOLDERS}")
    vm.write(CONFIG, configuration(*JOBS, more=SCHEDULE))
    vm.shell(f"chgrp portalops {CONFIG}; chmod 640 {CONFIG}")
    assert portalops(vm, "init", "--no-input", "--keys").code == 0
    installed = portalops(vm, "schedule", "install", "--systemd", user="root")
    assert installed.code == 0, installed


def portalops(vm: Machine, *arguments: str, user: str = "portalops") -> Done:
    """Run portalops in the machine, whatever its exit code."""
    home = "cd ~portalops && exec runuser -u"
    return vm.shell(f"{home} {user} -- portalops --config {CONFIG} {' '.join(arguments)}", check=False)


def let_be(vm: Machine, moment: str) -> None:
    """Set the clock forward, and wait until the timers have knocked and what they started has ended."""
    before = {part: ended for part, (_state, ended) in look(vm).items()}
    vm.run("date", "--set", moment)
    settle(vm, before)


def settle(vm: Machine, before: Mapping[str, str]) -> None:
    """Wait until each service has ended once more.

    Args:
        before: when each ended last, by the part.
    """
    until = time.monotonic() + SECONDS
    while True:
        found = look(vm)
        if all(
            state in {"inactive", "failed"} and ended not in {before[part], "0"}
            for part, (state, ended) in found.items()
        ):
            return
        assert time.monotonic() < until, vm.shell("date; systemctl --no-pager status 'portalops*'", check=False)
        time.sleep(2)


def look(vm: Machine) -> dict[str, tuple[str, str]]:
    """Return each service's state, and when since the machine's start it ended last: 0 before then, and while it is at work."""
    asked = ("--property=ActiveState", "--property=ExecMainExitTimestampMonotonic")
    shown = vm.run("systemctl", "show", *asked, *(f"{part}.service" for part in PARTS)).output
    found = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.strip().split("\n\n")]
    return {
        part: (each["ActiveState"], each["ExecMainExitTimestampMonotonic"])
        for part, each in zip(PARTS, found, strict=True)
    }


def ledger(vm: Machine) -> Sequence[Record]:
    """Return what the ledger holds, read from outside of portalops."""
    return [
        Record(*each)
        for each in json.loads(vm.run("runuser", "-u", "portalops", "--", "python3", "-c", READ_LEDGER).output)
    ]


def done(records: Sequence[Record]) -> list[tuple[str, str, bool]]:
    """Return of each run that ended its job, its week, and whether its record says that it was late."""
    ended = [(each.run.split(":"), each.late) for each in records if each.run and each.kind.endswith(".finished")]
    return [(job, week, late) for (_kind, job, week, *_attempt), late in ended]
