"""The figures of a report are counted from the records alone, and what cannot be read is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import LedgerError
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import Ledger
from portalops.model.period import Period
from portalops.model.record import Digest, RunId
from portalops.model.runs import Plan
from portalops.registers.figures import BackupFigures, Figures, RunFigures, read_figures
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, WEEKLY, ZONE, new_ledger

PERIOD = Period(date(2026, 11, 23), date(2026, 11, 29))


class Book:
    """A ledger that is written to with few words."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(START)
        self.ledger = new_ledger(folder, self.clock)

    def at(self, moment: datetime) -> None:
        self.clock.at = moment

    def plan(self, *jobs: object, timezone: str = "") -> None:
        plan = {
            "jobs": jobs,
            "rulebook": "r@1",
            "configuration": "a" * 64,
            "timezone": timezone,
        }
        self.ledger.append("plan", run=RunId(""), body=bodies.write({"plan": plan}))

    def start(self, kind: str, run: str) -> None:
        self.ledger.append(f"{kind}.started", run=RunId(run), body=b"{}\n")

    def finish(self, kind: str, run: str, /, **parts: object) -> Digest:
        return self.ledger.append(f"{kind}.finished", run=RunId(run), body=bodies.write(parts)).body

    def do(self, kind: str, run: str, outcome: str, /, **parts: object) -> Digest:
        self.start(kind, run)
        self.clock.move(timedelta(minutes=1))
        return self.finish(kind, run, run={"outcome": outcome}, **parts)

    def figures(self, period: Period = PERIOD, *, as_of_seq: int | None = None) -> Figures:
        return read_figures(self.ledger, period, as_of_seq=as_of_seq or self.ledger.count(), zone=ZONE)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_runs_are_counted_by_how_they_ended(book: Book) -> None:
    for number, outcome in enumerate(["complete", "complete", "incomplete", "failed", "odd"]):
        book.do("check", f"c:{number}", outcome)
    book.finish("check", "c:never-begun")
    book.start("check", "c:crashed")

    assert book.figures().runs == {"check": RunFigures(2, 1, 1, unfinished=1, unknown=1, missing=0)}


def test_an_end_behind_the_last_record_that_counts_is_none(book: Book) -> None:
    book.start("check", "c:1")
    seq = book.ledger.count()
    book.finish("check", "c:1", run={"outcome": "complete"})

    assert book.figures(as_of_seq=seq).runs["check"].unfinished == 1
    assert book.figures().runs["check"].complete == 1


def test_a_run_counts_for_the_period_in_which_it_began(book: Book) -> None:
    book.start("backup", "b:1")
    book.at(datetime(2026, 11, 30, 3, tzinfo=UTC))
    book.finish("backup", "b:1", run={"outcome": "complete"}, backup={"set": {}, "copies": []})
    week_after = Period(date(2026, 11, 30), date(2026, 12, 6))

    assert book.figures().runs["backup"].complete == 1
    assert book.figures().backups == BackupFigures(0, 0)
    assert book.figures(week_after).runs == {}
    assert book.figures(week_after).backups == BackupFigures(1, 0)


def test_planned_slots_without_a_run_are_missing_once_they_have_ended(book: Book) -> None:
    book.plan(DAILY, WEEKLY)
    book.at(START + timedelta(days=2))
    book.do("check", f"12.4-testing:{DAILY.id}:2026-11-25", "failed")
    book.at(START + timedelta(days=8))
    book.start("check", "c:last")

    found = book.figures().runs
    assert found["check"].missing == 5, "each day from Tuesday on but Wednesday, which has a run"
    assert found["check"].failed == 1
    assert "backup" not in found, "the plan began in the middle of the week"
    assert book.figures(Period(date(2026, 11, 30), date(2026, 12, 6))).runs["check"].missing == 1


def test_days_begin_in_the_plans_own_zone(book: Book) -> None:
    book.plan(DAILY, timezone="America/New_York")
    book.at(datetime(2026, 11, 25, 4, 59, tzinfo=UTC))
    book.start("x", "x")
    assert book.figures().runs["check"].missing == 1, "in New York it is still Tuesday"
    book.at(datetime(2026, 11, 25, 5, 0, tzinfo=UTC))
    book.start("y", "y")
    assert book.figures().runs["check"].missing == 2


@pytest.mark.parametrize("harm", ["blob", "zone"])
def test_without_a_readable_plan_what_is_missing_is_unknown(book: Book, harm: str) -> None:
    book.plan(DAILY, timezone="Asia/Nowhere" if harm == "zone" else "")
    book.do("check", "c:1", "complete")
    if harm == "blob":
        BlobFolder(book.ledger.folder / "blobs").path(book.ledger.record(2).body).unlink()  # type: ignore[union-attr]

    assert book.figures().runs["check"].missing is None
    assert book.figures().data()["runs"]["check"]["missing"] is None  # type: ignore[index,call-overload]


def test_sets_and_verified_copies_are_those_that_the_ends_state(book: Book) -> None:
    copies = [{"state": "verified"}, {"state": "sealed"}, {"state": "verified"}]
    book.do("backup", "b:1", "complete", backup={"set": {"id": "s"}, "copies": copies})
    book.do("backup", "b:2", "failed", backup={"set": None, "copies": [{"state": "failed"}]})
    book.do("backup", "b:3", "failed")

    assert book.figures().backups == BackupFigures(1, 2)


def test_checks_are_those_of_the_newest_round_with_a_result(book: Book) -> None:
    assert book.figures().checks is None
    book.do("check", "c:1", "complete", check={"hosts": [{"results": [{"verdict": "fail"}]}]})
    results = [{"verdict": verdict} for verdict in ("pass", "pass", "not-applicable", "error", "unknown", 7, None)]
    book.do("check", "c:2", "complete", check={"hosts": [{"results": results[:3]}, {"results": results[3:]}]})
    book.do("check", "c:3", "failed")

    assert book.figures().checks == {"pass": 2, "fail": 0, "unknown": 1, "not-applicable": 1, "error": 1}


def test_days_and_weeks_are_those_of_the_newest_judging_that_lie_in_the_period(book: Book) -> None:
    days = [
        {"day": "2026-11-23", "working": True, "verdict": "met"},
        {"day": "2026-11-24", "working": True, "verdict": "unmet"},
        {"day": "2026-11-25", "working": True, "verdict": "met"},
        {"day": "2026-11-28", "working": False, "verdict": "exempt"},
        {"day": "2026-11-30", "working": True, "verdict": "met"},
        {"day": "20261126", "working": True, "verdict": "met"},
    ]
    weeks = [
        {"week": {"year": 2026, "number": 48}, "verdict": "met"},
        {"week": {"year": 2026, "number": 47}, "verdict": "unmet"},
        {"week": {"year": 2026, "number": 99}, "verdict": "unmet"},
        {"week": {"year": True, "number": 48}, "verdict": "unmet"},
    ]
    book.do("updates", "u:1", "complete", updates={"portal_days": days, "unit_weeks": weeks})

    found = book.figures()
    assert (found.portal_days, found.unit_weeks) == ({"met": 2, "unmet": 1}, {"met": 1})


def test_a_judging_from_long_before_the_period_does_not_count(book: Book) -> None:
    book.do("updates", "u:1", "complete", updates={"portal_days": [], "unit_weeks": []})
    month = timedelta(days=46)
    later = Period(PERIOD.first + month, PERIOD.last + month)

    assert book.figures().portal_days == {}
    assert book.figures(later).portal_days is None


@pytest.mark.parametrize(
    "parts",
    [
        {"backup": [], "run": 1},
        {"backup": {"set": {}, "copies": {"state": "verified"}}, "run": {"outcome": ["complete"]}},
        {"backup": {"set": [], "copies": ["verified", 1, None]}, "run": {"outcome": None}},
    ],
)
def test_odd_bodies_count_for_nothing_and_their_runs_are_unknown(book: Book, parts: Mapping[str, object]) -> None:
    book.start("backup", "b")
    book.finish("backup", "b", **parts)

    found = book.figures()
    assert found.runs["backup"] == RunFigures(unknown=1)
    assert found.backups.verified_copies == 0


def test_the_file_is_written_one_way_only(book: Book) -> None:
    book.do("check", "c:1", "complete", check={"hosts": []})

    assert bodies.write(book.figures().data()).decode() == (
        '{"as_of":"2026-11-23T01:01:00.000Z","backups":{"sets":0,"verified_copies":0},'
        '"checks":{"error":0,"fail":0,"not-applicable":0,"pass":0,"unknown":0},"format":1,'
        '"period":{"first":"2026-11-23","last":"2026-11-29"},"portal_days":null,'
        '"records":{"first":1,"in_period":3,"last":3},'
        '"runs":{"check":{"complete":1,"failed":0,"incomplete":0,"missing":0,"unfinished":0,"unknown":0}},'
        '"timezone":"Asia/Ho_Chi_Minh","unit_weeks":null}\n'
    )


def test_figures_as_of_a_record_that_there_is_not_are_refused(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, FixedClock(START), create=True)
    with pytest.raises(LedgerError, match="no record 7"):
        read_figures(ledger, PERIOD, as_of_seq=7, zone=ZONE)


def test_a_plan_counts_although_it_is_older_than_anything_else_that_is_read(book: Book) -> None:
    book.plan(DAILY)
    book.at(START + timedelta(days=100))
    book.start("x", "x")
    day = (START + timedelta(days=99)).date()

    assert book.figures(Period(day, day)).runs["check"].missing == 1
    assert Plan((DAILY,), "r@1", Digest("a" * 64)).timezone == ""
