"""`updates observe` and `register`: what people attest counts, is shown, and can be taken back (Article 9.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.shapes import validate_answer

CONFIGURATION = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế", en = "Department of Health" }

[[unit]]
id = "so-tu-phap"
name = { vi = "Sở Tư pháp", en = "Department of Justice" }
has_subportal = false

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""
REGISTER = """
[[updates.source]]
id = "so-den"
kind = "register"
file = "register.csv"
channel = "submission"
"""
YEAR = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).year
ROWS = "số đến,ngày đến,tác giả,số ký hiệu,trích yếu\n7,2026-11-09,Sở Tư pháp,12/STP,Tin bài\n"
PAPER = ("--unit", "so-tu-phap", "--subject", "Tin, bài tuần 46")
SEEN = ("--unit", "so-y-te", "--channel", "subportal", "--officer", "Nguyễn Văn An")
ADDRESS = "https://soyte.khanhhoa.example/tin/12"


class Office:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], configuration: str) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "portalops.toml").write_text(configuration, "utf-8")
        (folder / "register.csv").write_text(ROWS, "utf-8")

    def call(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = run(["--json", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        validate_answer(arguments, answer)
        return code, answer

    def data(self, *arguments: str) -> Any:
        code, envelope = self.call(*arguments)
        assert code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}, envelope
        return envelope["data"]

    def week(self, unit: str) -> dict[str, Any]:
        weeks = self.data("updates", "matrix", "--period", "2026-W46")
        return next(week for week in weeks if week["unit"] == unit)

    def items(self) -> list[dict[str, Any]]:
        return [*self.data("updates", "list", "--period", "2026-W46")]


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys, CONFIGURATION)


@pytest.fixture
def registry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys, CONFIGURATION + REGISTER)


def test_papers_count_without_any_source_and_no_longer_once_they_are_taken_back(office: Office) -> None:
    office.call("updates", "collect")
    for number, day in (("118", "2026-11-10"), ("121", "2026-11-12")):
        office.data("updates", "register", *PAPER, "--number", number, "--arrived", day)

    before = office.week("so-tu-phap")
    listed = office.items()
    report = office.data("updates", "status", "--date", "2026-11-12")
    office.data("updates", "register", "--withdraw", f"RG-{YEAR}-002", "--reason", "ghi nhầm đơn vị")
    after = office.week("so-tu-phap")

    assert (before["submissions"], before["submissions_verdict"]) == (2, "met")
    assert [(item["id"], item["grade"], item["source"]) for item in listed] == [
        (f"RG-{YEAR}-001", "D", "updates.registered"),
        (f"RG-{YEAR}-002", "D", "updates.registered"),
    ]
    assert [item["counts_at"][:10] for item in listed] == ["2026-11-09", "2026-11-11"]  # midnight there, evening in UTC
    assert {one["id"]: one.get("items") for one in report}["so-tu-phap"] == 1
    assert (after["submissions"], after["submissions_verdict"]) == (1, "insufficient-evidence")
    assert [item["id"] for item in office.items()] == [f"RG-{YEAR}-001"]


def test_an_item_that_an_officer_saw_counts_on_the_day_it_was_seen(office: Office) -> None:
    office.call("updates", "collect")
    picture = office.folder / "anh.png"
    picture.write_bytes(b"\x89PNG")
    made = office.data(
        "updates", "observe", *SEEN, "--title", "Lịch tiêm chủng", "--address", ADDRESS, "--when", "2026-11-10T09:30",
        "--file", str(picture),
    )  # fmt: skip

    week = office.week("so-y-te")
    (item,) = office.items()

    assert made["id"] == f"OB-{YEAR}-001" and made["file"]
    assert (week["subportal"], week["submissions"]) == (1, 0)
    assert (item["counts_at"], item["url"], item["grade"]) == ("2026-11-10T02:30:00.000Z", ADDRESS, "D")


def test_a_dry_run_shows_and_records_nothing(office: Office) -> None:
    shown = office.data("updates", "register", *PAPER, "--number", "118", "--arrived", "2026-11-10", "--dry-run")

    office.call("updates", "collect")
    assert (shown["id"], shown["record"]) == (f"RG-{YEAR}-001", None)
    assert office.items() == []


def test_a_number_of_arrival_is_taken_once_a_year_and_free_again_when_it_is_taken_back(office: Office) -> None:
    office.data("updates", "register", *PAPER, "--number", "118", "--arrived", "2026-11-10")

    code, twice = office.call("updates", "register", *PAPER, "--number", "118", "--arrived", "2026-11-12")
    other_year = office.data("updates", "register", *PAPER, "--number", "118", "--arrived", "2025-11-12")
    office.data("updates", "register", "--withdraw", f"RG-{YEAR}-001", "--reason", "ghi nhầm")
    again = office.data("updates", "register", *PAPER, "--number", "118", "--arrived", "2026-11-12")

    assert code == ExitCode.USAGE
    assert twice["error"]["message"] == f"arrival number 118 of 2026 is taken by RG-{YEAR}-001"
    assert (other_year["id"], again["id"]) == (f"RG-{YEAR}-002", f"RG-{YEAR}-003")


def test_a_paper_of_the_registers_file_is_not_registered_twice_nor_counted_twice(registry: Office) -> None:
    registry.data("updates", "register", *PAPER, "--number", "9", "--arrived", "2026-11-10", "--code", "15/STP")
    registry.call("updates", "collect")
    code, refused = registry.call("updates", "register", *PAPER, "--number", "7", "--arrived", "2026-11-09")
    rows = registry.folder / "register.csv"
    rows.write_text(rows.read_text("utf-8") + '9,10/11/2026,Sở Tư pháp,15/STP,"Tin, bài tuần 46"\n', "utf-8")
    registry.call("updates", "collect")

    listed = registry.items()

    assert code == ExitCode.USAGE
    assert "so-den" in refused["error"]["message"]
    assert [(item["source"], item["counts_at"][:10]) for item in listed] == [
        ("so-den", "2026-11-08"),
        ("so-den", "2026-11-09"),
    ]


def test_an_address_that_a_source_shows_too_counts_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = """
[[updates.source]]
id = "rss"
kind = "feed"
file = "feed.xml"
channel = "subportal"
unit = "so-y-te"
"""
    office = Office(tmp_path, capsys, CONFIGURATION + feed)
    (tmp_path / "feed.xml").write_text('<rss version="2.0"><channel><title>x</title></channel></rss>', "utf-8")
    office.call("updates", "collect")
    office.data(
        "updates", "observe", *SEEN, "--title", "Lịch", "--address", f"{ADDRESS}#x", "--when", "2026-11-10T09:30"
    )
    item = f"<item><title>Lịch</title><link>{ADDRESS}</link><pubDate>Tue, 10 Nov 2026 09:00:00 +0700</pubDate></item>"
    (tmp_path / "feed.xml").write_text(f'<rss version="2.0"><channel><title>x</title>{item}</channel></rss>', "utf-8")
    office.call("updates", "collect")

    counted = {one["source"]: one["counts_at"] is not None for one in office.items()}

    assert counted == {"updates.observed": True, "rss": False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("register", *PAPER, "--number", "1", "--arrived", "2999-01-01"), "--arrived: 1 Jan 2999 is ahead"),
        (("register", *PAPER, "--number", "1", "--arrived", "10/11/2026"), "--arrived: 10/11/2026 is no day"),
        (("register", *PAPER), "--number is empty"),
        (("register", "--unit", "so-la", "--number", "1", "--subject", "x"), "there is no unit so-la"),
        (("register", "--number", "1", "--subject", "x"), "--unit is missing"),
        (("register", *PAPER, "--number", "1" * 41), "is not an arrival number"),
        (("observe", *SEEN, "--title", "x"), "nobody else could see the item"),
        (
            ("observe", *SEEN, "--title", "x", "--address", "https://soyte.khanhhoa.example/"),
            "is not the address of an item",
        ),
        (("observe", *SEEN, "--title", "x", "--address", "javascript:1"), "is not the address of an item"),
        (("observe", *SEEN, "--title", "x", "--address", ADDRESS, "--when", "2999-01-01T08:00"), "--when"),
        (("observe", "--unit", "so-y-te", "--channel", "web", "--title", "x"), "--channel: web"),
        (("observe", "--withdraw", "OB-2026-001", "--reason", "x"), "no entry OB-2026-001 can be taken back"),
        (("register", "--withdraw", f"RG-{YEAR}-001"), "--reason"),
    ],
)
def test_what_cannot_be_attested_is_refused_before_anything_is_recorded(
    office: Office, arguments: tuple[str, ...], said: str
) -> None:
    code, envelope = office.call("updates", *arguments)

    assert code == ExitCode.USAGE
    assert said in envelope["error"]["message"]
    assert envelope["error"]["hint"]


def test_one_kind_does_not_take_back_the_other(office: Office) -> None:
    office.data("updates", "register", *PAPER, "--number", "118", "--arrived", "2026-11-10")

    code, _envelope = office.call("updates", "observe", "--withdraw", f"RG-{YEAR}-001", "--reason", "x")

    assert code == ExitCode.USAGE


FEED = """
[[updates.source]]
id = "rss"
kind = "feed"
file = "feed.xml"
channel = "subportal"
unit = "so-y-te"

[[updates.source]]
id = "rss-stp"
kind = "feed"
file = "feed-stp.xml"
channel = "subportal"
unit = "so-tu-phap"
"""


@pytest.fixture
def polled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    office = Office(tmp_path, capsys, CONFIGURATION.replace("has_subportal = false\n", "") + FEED)
    _write_feeds(office, ("cu",), ("tp",))
    office.call("updates", "collect")
    _write_feeds(office, ("moi", "cu"), ("tp",))
    office.call("updates", "collect")
    return office


def _write_feeds(office: Office, own: Iterable[str], others: Iterable[str]) -> None:
    for name, host, slugs in (("feed.xml", "soyte", own), ("feed-stp.xml", "sotuphap", others)):
        items = "".join(
            f"<item><title>Tin {one}</title><link>https://{host}.khanhhoa.example/{one}</link></item>" for one in slugs
        )
        (office.folder / name).write_text(
            f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>', "utf-8"
        )


def test_a_moment_that_a_poll_refutes_is_no_officers_to_give(polled: Office) -> None:
    code, envelope = polled.call(
        "updates", "observe", *SEEN, "--title", "Tin moi", "--address", "https://soyte.khanhhoa.example/moi",
        "--when", "2026-11-04T09:00",
    )  # fmt: skip

    assert code == ExitCode.USAGE
    assert "would have shown item" in envelope["error"]["message"]


def test_another_units_item_is_no_sighting_of_this_one(polled: Office) -> None:
    code, envelope = polled.call(
        "updates", "observe", *SEEN, "--title", "Tin tp", "--address", "https://sotuphap.khanhhoa.example/tp"
    )

    assert code == ExitCode.USAGE
    assert "is of unit so-tu-phap" in envelope["error"]["message"]


def test_a_sighting_without_its_picture_names_that_nothing_is_kept(polled: Office) -> None:
    _code, envelope = polled.call(
        "updates", "observe", *SEEN, "--title", "Tin x", "--address", "https://soyte.khanhhoa.example/x"
    )

    assert any("the document is not kept" in line for line in envelope["warnings"])


def test_a_typed_paper_that_is_not_kept_says_so_where_it_counts(office: Office) -> None:
    (office.folder / "cong-van.pdf").write_bytes(b"%PDF-1.7")
    typed = ("updates", "register", *PAPER, "--arrived", "2026-11-10")
    office.data("updates", "collect")

    _code, bare = office.call(*typed, "--number", "118")
    _code, kept = office.call(*typed, "--number", "119", "--file", str(office.folder / "cong-van.pdf"))
    items = office.data("updates", "why", "so-tu-phap", "2026-W46")["items"]

    assert ("the document is not kept" in bare["warnings"][0], kept["warnings"]) == (True, [])
    assert ["the document is not kept" in one["why"] for one in items] == [True, False]
