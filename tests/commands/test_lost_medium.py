"""A medium that is away for a time: the others carry the set, its copy is owed, and it is made once it is back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from portalops.errors import ExitCode
from portalops.ledger.runs import read_attempts
from portalops.model.backups import CopyState
from portalops.model.verdicts import DutyVerdict, RunOutcome
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
