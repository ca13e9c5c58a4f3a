"""What is wrong with a schedule is found, also where nothing makes a sound: a timer that is off, dead or without a next moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portalops.model.runs import JobKind
from portalops.schedule.marks import marked
from portalops.schedule.plan import SchedulePart
from portalops.schedule.standing import (
    FileState,
    Flaw,
    JobStanding,
    Way,
    compared,
    file_flaws,
    job_flaws,
    unit_flaws,
    way_flaws,
)
from portalops.schedule.systemd import SystemdUnitState
from portalops.schedule.units import UnitFile
from tests.schedule.plans import job

NOW = datetime(2026, 11, 26, 17, 20, tzinfo=UTC)
WITHIN = timedelta(minutes=16)
TIMER = SystemdUnitState(
    "portalops.timer", is_loaded=True, load="loaded", active="active", sub="waiting", enabled="enabled",
    path="/etc/systemd/system/portalops.timer", drop_ins=(), is_stale=False, next_at=NOW + timedelta(minutes=10),
    last_at=NOW - timedelta(minutes=5), result="success", exit_code=None,
)  # fmt: skip
SERVICE = replace(
    TIMER, name="portalops.service", active="inactive", sub="dead", enabled="static", next_at=None, exit_code=1
)


def said(timer: SystemdUnitState, service: SystemdUnitState = SERVICE) -> list[str]:
    flaws = unit_flaws({each.name: each for each in (timer, service)}, [SchedulePart.REST], NOW, within=WITHIN)
    return [f"{flaw.subject}: {flaw.seen}" for flaw in flaws]


def test_a_timer_that_waits_and_a_service_that_answered_are_well() -> None:
    assert said(TIMER) == []


@pytest.mark.parametrize(
    ("timer", "what"),
    [
        (replace(TIMER, active="inactive", sub="dead", next_at=None), "the timer is not running"),
        (replace(TIMER, active="failed", sub="failed", next_at=None), "the timer is not running"),
        (replace(TIMER, enabled="disabled"), "not enabled"),
        (replace(TIMER, next_at=None), "will never start a job again"),
        (replace(TIMER, sub="elapsed", next_at=None), "will never start a job again"),
        (replace(TIMER, next_at=NOW + timedelta(days=40)), "waits until 2027-01-05"),
        (replace(TIMER, next_at=NOW - timedelta(hours=2)), "did not start its job at"),
        (replace(TIMER, is_stale=True), "not read its newest version"),
        (replace(TIMER, is_loaded=False, load="not-found"), "systemd does not know it: not-found"),
        (replace(TIMER, is_loaded=False, load="masked"), "systemd does not know it: masked"),
    ],
)
def test_a_timer_that_starts_nothing_is_told(timer: SystemdUnitState, what: str) -> None:
    [line] = said(timer)

    assert line.startswith("portalops.timer: ") and what in line


def test_a_timer_has_no_next_moment_while_its_service_runs() -> None:
    assert said(replace(TIMER, sub="running", next_at=None)) == []


@pytest.mark.parametrize(
    "service",
    [
        replace(SERVICE, active="failed", result="exit-code", exit_code=4),
        replace(SERVICE, active="failed", result="timeout", exit_code=15),
        replace(SERVICE, is_loaded=False, load="bad-setting"),
        replace(SERVICE, is_stale=True),
    ],
)
def test_a_service_that_failed_or_is_not_the_newest_is_told(service: SystemdUnitState) -> None:
    assert len(said(TIMER, service)) == 1


def standing_of(
    *files: tuple[str, bytes], planned: Iterable[tuple[str, str]] = (("a.timer", "x\n"),)
) -> list[FileState]:
    wanted = [UnitFile(name, marked(text)) for name, text in planned]
    return [each.state for each in compared(wanted, dict(files), "/etc/systemd/system", {})]


def test_files_are_told_apart() -> None:
    assert standing_of() == [FileState.ABSENT]
    assert standing_of(("a.timer", marked("x\n"))) == [FileState.CURRENT]
    assert standing_of(("a.timer", marked("y\n"))) == [FileState.OUTDATED]
    assert standing_of(("a.timer", marked("x\n") + b"#")) == [FileState.EDITED]
    assert standing_of(("a.timer", b"[Timer]\n")) == [FileState.FOREIGN]
    assert standing_of(("b.timer", marked("x\n")), planned=()) == [FileState.NEEDLESS]
    assert standing_of(("b.timer", b"[Timer]\n"), planned=()) == []


def test_whatever_is_not_as_planned_is_a_flaw_and_a_stranger_s_file_unknown() -> None:
    files = compared(
        [UnitFile(name, marked("x\n")) for name in ("absent", "current", "outdated", "edited", "foreign")],
        {
            "current": marked("x\n"),
            "outdated": marked("y\n"),
            "edited": marked("x\n") + b"#",
            "foreign": b"x",
            "needless": marked("x\n"),
        },
        "/etc",
        {},
    )

    flaws = {flaw.subject: flaw.is_unknown for flaw in file_flaws(files)}

    assert flaws == {"absent": False, "outdated": False, "edited": False, "foreign": True, "needless": False}


def test_an_overdue_job_is_a_flaw_unless_it_is_at_work() -> None:
    late = JobStanding(job(JobKind.BACKUP), NOW, is_due=True, is_late=True)

    assert [flaw.subject for flaw in job_flaws([late])] == ["daily-backup"]
    assert list(job_flaws([replace(late, is_running=True)])) == []
    assert list(job_flaws([replace(late, is_late=False)])) == []


def ways(*found: Way, cron_runs: bool | None = None, is_needed: bool = True, watched: bool = False) -> list[Flaw]:
    return list(way_flaws(found, is_needed=is_needed, cron_runs=cron_runs, watcher_expected=watched))


def test_nothing_that_knocks_is_a_flaw_where_something_is_planned() -> None:
    assert [flaw.is_unknown for flaw in ways()] == [False]
    assert "schedule watch" in str(ways(watched=True)[0].seen)
    assert ways(is_needed=False) == []


def test_a_watcher_whose_lock_may_not_be_read_is_not_called_dead() -> None:
    [flaw] = way_flaws((), is_needed=True, cron_runs=None, watcher_expected=True, watcher_hidden=True)

    assert flaw.is_unknown and "it is not known whether" in str(flaw.seen)


def test_a_cron_file_without_a_cron_daemon_starts_nothing() -> None:
    assert ways(Way.CRON, cron_runs=True) == []
    assert [flaw.is_unknown for flaw in ways(Way.CRON, cron_runs=False)] == [False]
    assert [flaw.is_unknown for flaw in ways(Way.CRON, cron_runs=None)] == [True]


def test_two_ways_at_once_are_told() -> None:
    assert "2 schedules start the jobs: systemd, cron" in str(ways(Way.SYSTEMD, Way.CRON, cron_runs=True)[0].seen)
