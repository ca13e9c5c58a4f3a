"""A medium that is away for a time: the others carry the set, its copy is owed, and it is made once it is back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from commands.doctor.diagnosis import DiagnosticState, diagnose
from portalops.errors import ExitCode
from portalops.ledger.runs import read_attempts
from portalops.model.backups import CopyState
from portalops.model.verdicts import DutyVerdict, RunOutcome
from tests.backups.media.test_disk import require_root
from tests.backups.test_prune import Portal
from tests.shapes import data_of

COPY = '\n[[job]]\nid = "daily-copy"\nkind = "copy"\nevery = "day"\n'


class Rotating(Portal):
    """A small portal whose disks are carried away; its jobs are done as a timer does them."""

    def __init__(self, folder: Path, *, jobs: str = COPY) -> None:
        super().__init__(folder)
        path = folder / "portalops.toml"
        path.write_text(path.read_text().replace("create = true\n", "") + jobs)
        for name in ("disk-a", "disk-b"):
            (folder / name).mkdir()

    def run_due(self) -> Any:
        session = self.session("run", "--due")
        try:
            return data_of(call(session))
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()

    def hours(self, count: int) -> list[Any]:
        """Do what is due in each of so many hours."""
        done = []
        for _hour in range(count):
            done.append(self.run_due())
            self.clock.move(timedelta(hours=1, minutes=1))
        return done

    def warned(self, *arguments: str) -> list[str]:
        """Call a verb, and return what it warns of media that fill up."""
        session = self.session(*arguments)
        try:
            call(session)
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()
        return [str(each) for each in session.warnings if "full soon" in str(each)]

    def carry_away(self, medium: str) -> None:
        (self.folder / medium).rename(self.folder / f"away-{medium}")

    def bring_back(self, medium: str) -> None:
        (self.folder / f"away-{medium}").rename(self.folder / medium)

    def outcomes(self, job: str) -> list[RunOutcome | None]:
        session = self.session()
        jobs = [each for each in session.settings.jobs if each.id == job]
        return [
            each.outcome
            for each in read_attempts(session.ledger, jobs, self.clock.now(), session.zone_of_portal)
            if each.outcome is not None
        ]

    def standing(self, duty: str) -> Any:
        (found,) = [each for each in data_of(call(self.session("status"))) if each["id"] == duty]
        return found


@pytest.fixture
def portal(tmp_path: Path) -> Rotating:
    return Rotating(tmp_path)


def test_a_medium_that_is_away_for_a_day_costs_no_second_set(portal: Rotating) -> None:
    portal.hours(2)
    portal.clock.move(timedelta(days=7))
    portal.carry_away("disk-b")

    done = portal.hours(24)

    assert len(portal.on("disk-a")) == 2, "one set a week"
    (made,) = [job for each in done for job in each["jobs"] if job["id"] == "weekly-backup"]
    assert (made["outcome"], made["exit_code"]) == ("complete", ExitCode.PARTIAL)
    assert any("owed" in problem and "disk-b" in problem for problem in made["problems"])


def test_the_owed_copy_is_made_once_the_medium_is_back(portal: Rotating) -> None:
    portal.hours(2)
    portal.clock.move(timedelta(days=7))
    portal.carry_away("disk-b")
    portal.hours(5)
    newest = portal.sets()[-1]
    assert [copy.state for copy in newest.copies] == [CopyState.VERIFIED, CopyState.FAILED]

    portal.bring_back("disk-b")
    portal.hours(2)

    assert portal.on("disk-b") == portal.on("disk-a")
    assert {copy.state for copy in portal.sets()[-1].copies} == {CopyState.VERIFIED}


def test_without_a_copy_job_the_owed_copy_is_made_all_the_same(tmp_path: Path) -> None:
    portal = Rotating(tmp_path, jobs="")
    assert [job["id"] for each in portal.hours(2) for job in each["jobs"]] == ["weekly-backup"]
    portal.clock.move(timedelta(days=7))
    portal.carry_away("disk-b")
    done = [job["id"] for each in portal.hours(3) for job in each["jobs"]]
    assert done == ["weekly-backup", "copy", "copy"], "the copy is tried each hour, the set made once"

    portal.bring_back("disk-b")

    assert [(job["id"], job["outcome"]) for each in portal.hours(3) for job in each["jobs"]] == [("copy", "complete")]
    assert portal.on("disk-b") == portal.on("disk-a")


def test_the_week_is_met_by_the_copies_that_are_there_and_says_what_is_owed(portal: Rotating) -> None:
    portal.hours(2)
    portal.clock.move(timedelta(days=7))
    portal.carry_away("disk-b")
    portal.hours(2)

    interval, medium = portal.standing("10.2-interval"), portal.standing("10.2-medium")

    assert "disk-b" not in str(medium["reason"])
    for standing in (interval, medium):
        (owed,) = [line for line in map(str, standing["details"]) if "owed" in line]
        assert "disk-b" in owed
    portal.bring_back("disk-b")
    portal.hours(2)
    assert "owed" not in str((portal.standing("10.2-interval"), portal.standing("10.2-medium")))


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Rotating]:
    """A portal whose disk-b is a file system of 1 MiB; each set takes more than a quarter of it."""
    require_root()
    portal = Rotating(tmp_path)
    (tmp_path / "articles" / "scan.bin").write_bytes(os.urandom(300_000))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path / "disk-b"], check=True)
    yield portal
    subprocess.run(["umount", tmp_path / "disk-b"], check=True)


def test_a_medium_that_will_be_full_within_its_next_sets_is_told_before(tiny: Rotating) -> None:
    tiny.folder.joinpath("articles", "scan.bin").rename(tiny.folder / "scan.bin")
    assert not tiny.warned("backup", "run")
    tiny.folder.joinpath("scan.bin").rename(tiny.folder / "articles" / "scan.bin")
    tiny.clock.move(timedelta(days=7))

    (line,) = tiny.warned("backup", "run")

    assert line.startswith("disk-b is full soon: 1 of its next 4 sets fit; that of ")
    listed = {each["id"]: str(each["alarms"]) for each in data_of(call(tiny.session("media", "list")))}
    assert "full soon" in listed["disk-b"] and "full soon" not in listed["disk-a"]
    assert tiny.warned("media", "check") == [line]
    (found,) = [each for each in diagnose(tiny.session()) if each.subject == "space" and "full soon" in str(each.seen)]
    assert found.state is DiagnosticState.WARNING


def test_a_set_that_no_medium_has_verified_is_made_again(portal: Rotating) -> None:
    portal.hours(2)
    portal.clock.move(timedelta(days=7))
    for name in ("disk-a", "disk-b"):
        portal.carry_away(name)
    portal.hours(2)
    assert portal.outcomes("weekly-backup")[-1] is RunOutcome.FAILED

    portal.bring_back("disk-a")
    portal.hours(2)

    assert len(portal.on("disk-a")) == 2
    assert portal.standing("10.2-interval")["verdict"] != DutyVerdict.UNMET
