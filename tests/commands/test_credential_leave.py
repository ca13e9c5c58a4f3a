"""What `credential leave` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.system.clock import SystemClock
from tests.commands.test_credential import CONFIGURATION, asked, portalops


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def test_day_of_who_comes_back_is_refused_and_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    back = ("credential", "leave", "nguyen-van-an", "--back", "--reason", "stays")

    assert portalops(tmp_path, *back, "--on", "2026-11-30") == ExitCode.USAGE

    assert "--back and --on exclude each other" in capsys.readouterr().err


def test_last_day_is_put_off_with_a_reason_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(home, capsys, "credential", "leave", "nguyen-van-an", "--on", "2026-11-20")
    later = ("credential", "leave", "nguyen-van-an", "--on", "2099-01-01")

    assert portalops(home, *later) == ExitCode.USAGE

    assert "nguyen-van-an left on" in capsys.readouterr().err
    asked(home, capsys, *later, "--reason", "ở lại thêm")
    asked(home, capsys, "credential", "leave", "nguyen-van-an", "--on", "2026-11-19")


def test_who_leaves_hands_over_what_they_answer_for_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIGURATION.replace("[state]", '[office]\ncontact = "Nguyễn Văn An, 0258 3 822 000"\n\n[state]')
    (home / "portalops.toml").write_text(text, encoding="utf-8")
    place = ("--site", "Sở", "--room", "204", "--rack", "A", "--holder", "Nguyễn Văn An")
    asked(home, capsys, "host", "sight", "web1", *place)
    lost = ("--what", "mất khóa", "--kind", "other", "--severity", "high", "--detected", "2026-11-20T08:00")
    asked(home, capsys, "incident", "open", *lost, "--holder", "nguyen-van-an", "--host", "web1")
    leave = ("credential", "leave", "nguyen-van-an")

    left = asked(home, capsys, *leave, expected=ExitCode.UNMET)

    assert [(each["id"], each["record"]) for each in left["to_hand_over"]] == [
        ("host:web1", 2),
        ("incident:IN-2026-001", 3),
        ("configuration:office.contact", None),
    ]
    portalops(home, *leave)
    assert "portalops host hand-over web1 --holder NAME" in capsys.readouterr().out
    asked(home, capsys, "host", "hand-over", "web1", "--holder", "Trần Thị Bình")
    other = ("--holder", "tran-thi-binh", "--reason", "An thôi việc")
    asked(home, capsys, "incident", "correct", "IN-2026-001", *other)
    (home / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    assert asked(home, capsys, *leave)["to_hand_over"] == []


def test_who_holds_no_credential_and_is_no_member_can_leave_all_the_same(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--site", "Sở", "--room", "204", "--rack", "A", "--holder", "Lê Văn Chi")
    asked(home, capsys, "host", "sight", "web1", *place)

    left = asked(home, capsys, "credential", "leave", "lê văn chi", expected=ExitCode.UNMET)

    assert (left["id"], [each["id"] for each in left["to_hand_over"]]) == ("Lê Văn Chi", ["host:web1"])


def test_records_that_cannot_be_read_leave_it_unknown_whether_all_is_handed_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(home, capsys, "credential", "leave", "nguyen-van-an")
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    ledger.append("change.requested", run=NO_RUN, subject="CH-2026-001", body=b"{}")
    ledger.close()

    left = asked(home, capsys, "credential", "leave", "nguyen-van-an", expected=ExitCode.PARTIAL)

    assert left["unreadable_records"] == [3]
