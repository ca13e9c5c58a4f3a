"""What the doctor sees of who recorded what."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import DiagnosticState, diagnose
from portalops.errors import ExitCode
from portalops.system.accounts import account_name
from portalops.system.surroundings import LocalSurroundings
from tests.accounts import as_ordinary_user
from tests.commands.signed_home import CONFIGURATION, Home
from tests.doubles import FixedClock


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys)


def seen(home: Home) -> tuple[DiagnosticState, str, str]:
    session = Session(Invocation((), config=home.folder / "portalops.toml"), {"LANG": "C.UTF-8"})
    (line,) = diagnose(session, only=["writers"])
    return line.state, str(line.seen), str(line.cure or "")


def test_a_ledger_of_before_is_asked_for_enroll_and_is_well_after_it(home: Home) -> None:
    home.call("head")
    before = seen(home)

    home.call("enroll")

    assert before[0] is DiagnosticState.WARNING
    assert "speaks as anybody" in before[1] and "'portalops ledger enroll'" in before[2]
    assert seen(home)[0] is DiagnosticState.GOOD


def test_a_machine_that_lost_its_key_is_asked_for_enroll(home: Home) -> None:
    home.call("enroll")
    home.call("head")
    (home.folder / "state/keys/writer").unlink()
    before = seen(home)

    home.call("enroll")

    assert before[0] is DiagnosticState.WARNING and "no writer claims" in before[1]
    assert seen(home)[0] is DiagnosticState.GOOD


def test_a_key_that_others_may_read_is_bad_and_says_how_to_close_it(home: Home) -> None:
    home.call("enroll")
    (home.folder / "state/keys/writer").chmod(0o644)

    state, said, cure = seen(home)

    assert state is DiagnosticState.BAD
    assert "can be read or changed by others" in said and "chmod 600" in cure


def test_a_copy_of_the_state_folder_is_the_same_writer(home: Home, tmp_path: Path) -> None:
    home.call("enroll")
    home.call("head")
    shutil.copytree(home.folder, tmp_path / "restored")
    copy = Home.__new__(Home)
    vars(copy).update(vars(home), folder=tmp_path / "restored")

    copy.call("head")
    found = copy.call("verify", expected=ExitCode.OK)["integrity"]

    assert seen(copy)[0] is DiagnosticState.GOOD
    assert (found["holds"], found["unclaimed"], len(found["writers"])) == (True, [], 1)


class Root(LocalSurroundings):
    """A machine on which root calls."""

    def user_id(self) -> int:
        return 0


def test_root_is_warned_who_records_into_another_accounts_folder() -> None:
    with as_ordinary_user() as folder:
        (folder / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
        clock = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))
        invocation = Invocation((), config=folder / "portalops.toml")
        session = Session(invocation, {}, clock=clock, surroundings=Root({}))

        session.writable_ledger.close()

        owner = folder.stat().st_uid
        assert owner == 0 or [f"chown -R {account_name(owner)}:" in str(each) for each in session.warnings] == [True]
