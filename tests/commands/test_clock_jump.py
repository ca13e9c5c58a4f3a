"""A clock that is far ahead stops nothing: no record of the future is taken, unless somebody vouches for the clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.clock import is_kept, note_clock
from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import DiagnosticState, diagnose
from portalops.errors import ClockJumped, ExitCode, LedgerMissing
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ports import Clock
from portalops.system.clock import SystemClock
from portalops.system.surroundings import LocalSurroundings
from tests.commands.signed_home import CONFIGURATION
from tests.doubles import FixedClock


class Kernel(LocalSurroundings):
    """A machine whose kernel says this of its clock."""

    def __init__(self, *, synchronised: bool | None) -> None:
        super().__init__({})
        self._synchronised = synchronised

    def clock_is_synchronised(self) -> bool | None:
        return self._synchronised


class SetClock(SystemClock):
    """The machine's clock, set by so much."""

    def __init__(self, by: timedelta = timedelta()) -> None:
        self.by = by

    def now(self) -> datetime:
        return super().now() + self.by


WEEK = timedelta(days=7)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def session_at(home: Path, clock: Clock, *, synchronised: bool | None = False) -> Session:
    invocation = replace(Invocation(arguments=()), config=home / "portalops.toml")
    return Session(invocation, {}, clock=clock, surroundings=Kernel(synchronised=synchronised))


def recorded(home: Path) -> int:
    return Ledger.open(home / "state", SystemClock(), create=False).count()


def test_nothing_is_recorded_by_a_clock_a_week_ahead_that_nobody_keeps(home: Path) -> None:
    session_at(home, SetClock()).require_clock()
    note_clock(home / "state", SetClock())

    with pytest.raises(ClockJumped, match="more than a day after the newest record"):
        session_at(home, SetClock(WEEK)).writable_ledger.append("note", run=NO_RUN, body=b"{}")

    assert recorded(home) == 1


def test_a_process_that_goes_on_asks_again(home: Path) -> None:
    clock = SetClock()
    session = session_at(home, clock)
    session.require_clock()
    note_clock(home / "state", clock)
    clock.by = WEEK

    with pytest.raises(ClockJumped):
        session.require_clock()


@pytest.mark.parametrize("synchronised", [True, None])
def test_a_machine_that_was_off_for_a_week_records_by_a_clock_that_a_service_keeps(
    home: Path, synchronised: bool | None
) -> None:
    session_at(home, SetClock(-WEEK)).require_clock()

    session_at(home, SetClock(), synchronised=synchronised).require_clock()


def test_a_machine_without_a_time_service_that_ran_all_week_records(home: Path) -> None:
    """Its clock went on as the time since boot did, which a run had noted."""
    session_at(home, SetClock(-WEEK)).require_clock()
    note_clock(home / "state", SetClock())

    session_at(home, SetClock()).require_clock()


def test_a_gap_of_less_than_a_day_is_no_jump(home: Path) -> None:
    session_at(home, SetClock(-timedelta(hours=23))).require_clock()

    session_at(home, SetClock()).require_clock()


def test_a_boot_since_the_note_vouches_for_nothing(home: Path) -> None:
    session_at(home, SetClock(-WEEK)).require_clock()
    (home / "state" / "booted-at").write_text("0000 2026-11-01T00:00:00+00:00\n", encoding="ascii")

    assert not is_kept(home / "state", SetClock(), Kernel(synchronised=False))


def confirm(
    home: Path, clock: Clock, capsys: pytest.CaptureFixture[str], moment: str, *more: str
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    arguments = ["--json", "--lang", "en", "--config", str(home / "portalops.toml"), "ledger", "confirm-clock", moment]
    code = run([*arguments, "--by", "Nguyễn Văn An", *more], {}, clock=clock)
    return code, json.loads(capsys.readouterr().out)


def test_a_person_vouches_for_the_clock_and_records_are_taken_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session_at(home, SetClock(-WEEK)).require_clock()
    read = datetime.now(UTC).isoformat(timespec="minutes")

    tried, _answer = confirm(home, SetClock(), capsys, read, "--dry-run")
    before = recorded(home)
    code, answer = confirm(home, SetClock(), capsys, read)

    assert (tried, before) == (ExitCode.OK, 1)
    assert (code, answer["data"]["seq"]) == (ExitCode.OK, 2)
    ledger = session_at(home, SetClock()).writable_ledger
    record = ledger.last()
    assert record is not None and record.kind == "clock.confirmed"
    assert b'"by":"Nguy\xe1\xbb\x85n V\xc4\x83n An"' in ledger.blob(record.body)


def test_a_clock_that_another_one_contradicts_is_not_confirmed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = FixedClock(datetime(2026, 12, 1, 2, tzinfo=UTC))
    session_at(home, clock).require_clock()

    code, answer = confirm(home, clock, capsys, "2026-11-24T09:00")

    assert code == ExitCode.USAGE
    assert "timedatectl" in answer["error"]["hint"]
    assert recorded(home) == 1


def test_no_ledger_begins_by_confirming_a_clock(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = confirm(home, FixedClock(datetime(2026, 12, 1, 2, tzinfo=UTC)), capsys, "2026-12-01T09:00")

    assert (code, answer["error"]["code"]) == (LedgerMissing.exit_code, "PO1102")


def test_the_doctor_fails_by_a_clock_that_has_jumped_ahead_and_names_the_way_out(home: Path) -> None:
    session_at(home, SetClock()).require_clock()
    note_clock(home / "state", SetClock())

    jumped, kept = (
        [
            one
            for one in diagnose(session_at(home, SetClock(WEEK), synchronised=way), only=["ledger"])
            if one.about == "clock"
        ]
        for way in (False, True)
    )

    assert [one.state for one in jumped] == [DiagnosticState.BAD]
    assert "ledger confirm-clock" in str(jumped[0].cure)
    assert kept == []
