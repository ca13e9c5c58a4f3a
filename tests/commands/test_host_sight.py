"""`portalops host sight` and `hand-over`, and what the check of places makes of them."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.registers.places import PLACE_KINDS
from portalops.system.clock import SystemClock
from tests.shapes import run_validated

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "local"
"""
WHERE = ("--site", "46 Lê Quý Đôn", "--room", "204", "--rack", "Tủ A, U12", "--holder", "Phòng Hạ tầng số")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run_validated("--config", str(home / "portalops.toml"), "--lang", "en", *arguments)


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


def sight(home: Path, *more: str) -> int:
    return portalops(home, "host", "sight", "web1", "--by", "Nguyễn Văn An", "--json", *more)


def location(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    portalops(home, "check", "run", "--check", "inventory.location", "--json")
    (result,) = data_of(capsys)
    return result["verdict"], result["reason"]


def records(home: Path) -> int:
    try:
        ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    except Exception:  # noqa: BLE001  # there is none
        return 0
    return len(list(ledger.records(kinds=PLACE_KINDS)))


def test_sighting_is_kept_with_its_document_and_judged(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert location(home, capsys) == ("unknown", "no-register")
    (home / "minutes.pdf").write_bytes(b"%PDF minutes")

    assert sight(home, *WHERE, "--file", str(home / "minutes.pdf")) == ExitCode.OK

    data = data_of(capsys)
    digest = hashlib.sha256(b"%PDF minutes").hexdigest()
    assert (data["room"], data["seen_by"], data["evidence"]) == ("204", "Nguyễn Văn An", [digest])
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    assert ledger.blob(digest) == b"%PDF minutes"  # type: ignore[arg-type]
    assert location(home, capsys) == ("pass", "")


def test_what_is_not_given_is_as_last_seen_and_a_hand_over_names_another_holder(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sight(home, *WHERE)
    capsys.readouterr()

    assert portalops(home, "host", "hand-over", "web1", "--holder", "Trần Thị Bình", "--json") == ExitCode.OK
    handed = data_of(capsys)
    assert (handed["before"], handed["holder"]) == ("Phòng Hạ tầng số", "Trần Thị Bình")
    assert sight(home, "--room", "205") == ExitCode.OK
    seen = data_of(capsys)
    assert (seen["site"], seen["room"], seen["holder"]) == ("46 Lê Quý Đôn", "205", "Trần Thị Bình")

    portalops(home, "host", "show", "web1", "--json")
    place = data_of(capsys)["place"]
    assert (place["room"], place["rack"], place["record"]) == ("205", "Tủ A, U12", seen["record"])
    portalops(home, "host", "list")
    listed = capsys.readouterr().out
    assert all(text in listed for text in ("205", "Tủ A, U12", "Trần Thị Bình", "today"))


def test_sighting_of_an_earlier_day_corrects_only_with_a_reason(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sight(home, *WHERE)
    long_ago = (date.today() - timedelta(days=500)).isoformat()  # noqa: DTZ011  # any day long past
    capsys.readouterr()

    assert sight(home, "--on", long_ago) == ExitCode.USAGE
    assert "--reason" in capsys.readouterr().err
    assert sight(home, "--on", long_ago, "--reason", "typing error") == ExitCode.OK
    capsys.readouterr()
    assert location(home, capsys) == ("fail", "sighting-too-old")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("host", "sight", "web9", *WHERE), "there is no host web9"),
        (("host", "sight", "web1", "--room", "204"), "these options are needed: --site, --rack, --holder"),
        (("host", "sight", "web1", *WHERE, "--on", "2126-01-01"), "is ahead"),
        (("host", "sight", "web1", *WHERE, "--on", "tomorrow"), "is no day"),
        (("host", "sight", "web1", *WHERE, "--file", "/nowhere.pdf"), "cannot read /nowhere.pdf"),
        (("host", "sight", "web1", *WHERE, "--file", "/"), "cannot read /"),
        (("host", "sight", "web1", "--site", " ", "--room", "1", "--rack", "1", "--holder", "x"), "--site is empty"),
        (("host", "sight", "web1", *WHERE, "--by", "x" * 1001), "1,001 characters"),
        (("host", "hand-over", "web9", "--holder", "An"), "there is no host web9"),
        (("host", "hand-over", "web1", "--holder", "An", "--on", "2126-01-01"), "is ahead"),
        (("host", "hand-over", "web1", "--holder", "\u00a0 "), "--holder is empty"),
    ],
)
def test_bad_input_is_refused_with_what_to_do_and_nothing_is_recorded(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert portalops(home, *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert records(home) == 0


def test_each_record_of_a_host_stands_with_its_document_and_who_has_answered_since_when(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "minutes.pdf").write_bytes(b"%PDF minutes")
    minutes = hashlib.sha256(b"%PDF minutes").hexdigest()
    sight(home, *WHERE)
    portalops(home, "host", "hand-over", "web1", "--holder", "Trần Thị Bình", "--document", "05/BB-BG", "--file",
              str(home / "minutes.pdf"))  # fmt: skip
    sight(home)
    capsys.readouterr()

    portalops(home, "host", "show", "web1", "--json")
    data = data_of(capsys)
    first, handed, again = data["place_records"]
    assert (handed["what"], handed["before"], handed["evidence"]) == ("handed-over", "Phòng Hạ tầng số", [minutes])
    assert (data["place"]["holder_record"], data["place"]["holder_evidence"]) == (handed["record"], [minutes])
    assert (data["place"]["record"], data["place"]["days_ago"]) == (again["record"], 0)
    portalops(home, "host", "show", "web1")
    shown = capsys.readouterr().out
    assert all(text in shown for text in (minutes[:16], "05/BB-BG", "Sightings and hand-overs"))
    assert first["record"] < handed["record"]


def test_hand_over_of_an_earlier_day_than_is_known_needs_a_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (date.today() - timedelta(days=3)).isoformat()  # noqa: DTZ011  # any day past
    sight(home, *WHERE)
    capsys.readouterr()
    handed = ("host", "hand-over", "web1", "--holder", "Bình", "--on", before)

    assert portalops(home, *handed) == ExitCode.USAGE
    assert "was seen on" in capsys.readouterr().err
    assert portalops(home, *handed, "--reason", "minutes came late") == ExitCode.OK
    assert records(home) == 2


def test_host_that_nobody_saw_for_a_year_is_marked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    sight(home, *WHERE, "--on", (today - timedelta(days=500)).isoformat())
    capsys.readouterr()

    portalops(home, "host", "list", "--json")
    (host,) = data_of(capsys)
    assert (host["place"]["overdue"], host["place"]["days_ago"]) == (True, 500)
    portalops(home, "host", "list")
    assert "more than 12 months ago" in capsys.readouterr().out


MEMBERS = """
[[actor]]
role = "unit"
name = { vi = "Trung tâm Công nghệ thông tin", en = "IT Centre" }

[checks.declared.members."tran-thi-binh"]
[checks.declared.members."nguyen-van-an"]
"""


def test_holder_is_a_member_or_an_office_or_is_marked_and_nobody_who_left(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "portalops.toml").write_text(CONFIGURATION + MEMBERS, encoding="utf-8")

    for holder, known, told in (
        ("Tran-Thi-Binh", True, ""),
        ("Trung tâm Công nghệ thông tin", True, ""),
        ("Phó phòng Trần Thị Bình", True, ""),
        ("Phòng Hạ tầng số", False, "neither a member nor an office"),
    ):
        assert portalops(home, "host", "hand-over", "web1", "--holder", holder) == ExitCode.OK
        said = capsys.readouterr().err
        assert told in said and bool(told) == ("warning:" in said)
        portalops(home, "host", "show", "web1", "--json")
        assert data_of(capsys)["place"]["holder_known"] is known

    portalops(home, "host", "hand-over", "web1", "--holder", "nguyen-van-an")
    portalops(home, "credential", "leave", "nguyen-van-an")
    capsys.readouterr()
    assert portalops(home, "host", "hand-over", "web1", "--holder", "nguyen-van-an") == ExitCode.USAGE
    assert "nguyen-van-an left" in capsys.readouterr().err
    portalops(home, "host", "show", "web1")
    assert "who left on" in capsys.readouterr().out
    assert portalops(home, "host", "hand-over", "web1", "--holder", "Phó phòng Nguyễn Văn An") == ExitCode.OK
    assert "nguyen-van-an left on" in capsys.readouterr().err


def test_account_of_a_member_is_recorded_as_the_member_and_said_whose_it_is(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = (
        '[checks.declared.members."tran-thi-binh"]\naccounts = ["binh", "chung"]\n'
        '[checks.declared.members."nguyen-van-an"]\naccounts = ["an", "chung"]\n'
    )
    (home / "portalops.toml").write_text(CONFIGURATION + members, encoding="utf-8")

    told = {}
    for holder in ("binh", "chung"):
        assert portalops(home, "host", "hand-over", "web1", "--holder", holder, "--json") == ExitCode.OK
        said = json.loads(capsys.readouterr().out)
        told[holder] = (said["data"]["holder"], str(said["warnings"]))
    portalops(home, "credential", "leave", "nguyen-van-an")
    capsys.readouterr()
    left = portalops(home, "host", "hand-over", "web1", "--holder", "an")

    assert [name for name, _ in told.values()] == ["tran-thi-binh", "chung"]
    assert "binh is the account of tran-thi-binh" in told["binh"][1]
    assert "several members: nguyen-van-an, tran-thi-binh" in told["chung"][1]
    assert (left, "nguyen-van-an left" in capsys.readouterr().err) == (ExitCode.USAGE, True)


def test_dry_run_shows_and_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sight(home, *WHERE, "--dry-run") == ExitCode.OK

    assert data_of(capsys)["record"] is None
    assert records(home) == 0
    assert not (home / "state").exists()


def test_escapes_that_a_person_pastes_reach_no_terminal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sight(home, "--site", "a\x1b[31mb", "--room", "204", "--rack", "A", "--holder", "\u202eAn")
    capsys.readouterr()

    portalops(home, "host", "show", "web1")

    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told
