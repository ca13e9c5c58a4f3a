"""`portalops report build yearly` on a real ledger: each month by the judging that tells of it, and none that had not begun."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.calendar import load as load_calendar
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.updates import PortalDay, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.rulebooks.load import load as load_rulebook
from tests.commands.test_report import CONFIGURATION
from tests.doubles import FixedClock

BEGAN = datetime(2025, 12, 30, 2, tzinfo=UTC)
BAD = date(2025, 3, 12)
"""A Wednesday on which nothing was seen."""
WEEKS = timedelta(weeks=13)


def judging(on: date) -> bytes:
    """Return a run's judging of thirteen weeks up to a day."""
    calendar = load_calendar(None)
    days = Period(on - WEEKS, on)
    portal = tuple(
        PortalDay(day, calendar.is_working(day), DutyVerdict.UNMET if day == BAD else DutyVerdict.MET, msg("seen"), 2)
        for day in days.days()
    )
    edition = load_rulebook("kh-37-2010", {}).edition
    return bodies.write(
        {"updates": UpdatesResult((), days.first, days.last, edition, calendar.version, portal, (), (), (), 0)}
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A ledger of the year 2025 with a judging every fifth day."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    clock = FixedClock(datetime(2025, 1, 1, 2, tzinfo=UTC))
    ledger = Ledger.open(tmp_path / "state", clock=clock, create=True)
    while clock.now() < BEGAN:
        on = clock.now().date()
        ledger.append("updates.finished", run=NO_RUN, subject="updates", body=judging(on))
        clock.move(timedelta(days=5))
    ledger.close()
    return tmp_path


def grid_of(home: Path, period: str) -> dict[str, Any]:
    code = run(
        ["--config", str(home / "portalops.toml"), "--lang", "en", "report", "build", "yearly", "--period", period,
         "--format", "json", "--language", "en", "--output", str(home / "out")], {},
    )  # fmt: skip
    assert code == ExitCode.OK
    (made,) = (home / "out").glob("*.json")
    blocks = json.loads(made.read_text(encoding="utf-8"))["blocks"]
    (grid,) = (block for block in blocks if block["type"] == "grid")
    return {row["label"].partition(":")[0]: [cell and cell["sign"] for cell in row["marks"]] for row in grid["rows"]}


@pytest.mark.heavy
def test_each_month_is_judged_by_the_newest_judging_that_reaches_back_to_its_first_day(home: Path) -> None:
    rows = grid_of(home, "2025-02..2025-08")

    assert rows["11.1"] == ["✓", "✗", "✓", "✓", "✓", "✓", "✓"]
    assert set(rows["12.1"]) == {"?"}


def test_months_before_the_ledger_are_not_known(home: Path) -> None:
    assert grid_of(home, "2024-11..2025-02")["11.3-tracking"][0] == "?"
