"""Why a unit's week has its verdict, item by item: shown, sent to the unit, confirmed, and judged again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.checks.updates.site import Site
from tests.shapes import validate_answer
from tests.web import answer, web_server

CONFIGURATION = """
[portal]
id = "khanhhoa"
name = {{ vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }}

[state]
folder = "state"

[updates]
judge_weeks = 2

[[unit]]
id = "so-y-te"
name = {{ vi = "Sở Y tế", en = "Department of Health" }}

[[updates.source]]
id = "soyte-rss"
kind = "feed"
channel = "subportal"
unit = "so-y-te"
url = "{url}/rss"

[[updates.source]]
id = "so-den"
kind = "register"
channel = "submission"
file = "register.csv"
"""
REGISTER = "số đến,ngày đến,tác giả,số ký hiệu,trích yếu\n1,2026-11-09,Sở Y tế,1/SYT,Tin tuần trước\n"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


class Department:
    """A department with a feed, polled in week 47; its second item of the week is undated and may be of the next."""

    def __init__(self, folder: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.site, self._capsys = folder, site, capsys
        (folder / "register.csv").write_text(REGISTER, "utf-8")
        (folder / "portalops.toml").write_text(CONFIGURATION.format(url=site.server.url), "utf-8")

    def call(self, *arguments: str, at: str = "2026-11-23 10:00") -> tuple[int, Any]:
        with time_machine.travel(moment(at), tick=True):
            code = run(["--json", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        found = json.loads(self._capsys.readouterr().out)
        validate_answer(arguments, found)
        return code, found["data"] if found["error"] is None else found["error"]

    def shown(self, *arguments: str) -> str:
        with time_machine.travel(moment("2026-11-23 10:00"), tick=True):
            run(["--config", str(self.folder / "portalops.toml"), *arguments], {"LANG": "vi_VN.UTF-8"})
        return self._capsys.readouterr().out


@pytest.fixture
def department(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Department]:
    with ExitStack() as servers:
        site = Site(servers.enter_context(web_server()), feed_length=8)
        for number in range(6):
            site.publish(f"/cu-{number}", on=f"2026-10-{20 + number} 09:00")
        found = Department(tmp_path, site, capsys)
        found.call("updates", "collect", at="2026-11-14 20:00")
        found.call("updates", "collect", at="2026-11-15 20:00")
        for day in ("16", "17"):
            found.call("updates", "collect", at=f"2026-11-{day} 08:00")
        site.publish("/thu-ba", on="2026-11-17 09:00")
        for evening in range(17, 23):
            found.call("updates", "collect", at=f"2026-11-{evening} 20:00")
        page = site.server.pages["/rss"]
        assert isinstance(page, bytes)
        entry = f"<item><link>{site.server.url}/chu-nhat</link><title>Tin /chu-nhat</title></item>".encode()
        site.server.pages["/rss"] = answer(page.partition(b"\r\n\r\n")[2].replace(b"<channel>", b"<channel>" + entry))
        found.call("updates", "collect", at="2026-11-23 08:00")
        yield found


PORTAL_SOURCE = """
[[updates.source]]
id = "cong-rss"
kind = "feed"
channel = "portal"
url = "{url}/cong"
"""


def test_a_day_of_the_portal_is_explained_by_its_items_and_by_what_nobody_saw(department: Department) -> None:
    with (department.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(PORTAL_SOURCE.format(url=department.site.server.url))
    pages = department.site.server.pages
    pages["/cong"] = pages["/rss"]
    department.call("updates", "collect", at="2026-11-23 09:00")
    department.site.publish("/thu-hai", on="2026-11-23 09:30")
    pages["/cong"] = pages["/rss"]
    department.call("updates", "collect", at="2026-11-23 09:50")

    code, (monday,) = department.call("updates", "why", "portal", "2026-11-23")
    _code, week = department.call("updates", "why", "khanhhoa", "2026-W48")
    said = department.shown("updates", "why", "portal", "2026-11-23")

    assert (code, monday["verdict"], monday["bounds"]["least"]) == (ExitCode.OK, "met", 1)
    assert {one["title"]: one["counts"] for one in monday["items"]}["Tin /thu-hai"] == "yes"
    assert week == [monday]
    assert "Tin, bài liên quan đến ngày này" in said
    _code, (friday,) = department.call("updates", "why", "portal", "2026-11-20")
    assert friday["unseen"][0]["source"] == "cong-rss"


def test_an_item_that_was_dropped_is_listed_on_its_day_of_the_portal_with_the_cause(department: Department) -> None:
    with (department.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write(PORTAL_SOURCE.format(url=department.site.server.url))
    pages = department.site.server.pages
    pages["/cong"] = pages["/rss"]
    for day in range(23, 27):
        department.call("updates", "collect", at=f"2026-11-{day} 21:00")
    department.site.publish("/muon", on="2026-11-23 09:30")
    pages["/cong"] = pages["/rss"]
    department.call("updates", "collect", at="2026-11-27 08:00")

    _code, (monday,) = department.call("updates", "why", "portal", "2026-11-23", at="2026-11-27 09:00")

    dropped = next(one for one in monday["items"] if one["title"] == "Tin /muon")
    assert (dropped["counts"], dropped["why"]) == ("no", "its polls show that it came on another day")


@pytest.mark.parametrize("named", ["2026-11-24", "2026-W49", "hôm qua"])
def test_a_day_of_the_portal_that_is_none_or_to_come_is_wrong_usage(department: Department, named: str) -> None:
    code, error = department.call("updates", "why", "portal", named)

    assert code == ExitCode.USAGE
    assert error["hint"]


def _undated(department: Department) -> dict[str, Any]:
    _code, week = department.call("updates", "why", "so-y-te", "2026-W47")
    found: dict[str, Any] = next(one for one in week["items"] if one["title"] == "Tin /chu-nhat")
    return found


def test_a_week_that_hangs_on_an_undated_item_says_so_with_both_its_polls(department: Department) -> None:
    code, week = department.call("updates", "why", "so-y-te", "2026-W47")
    said = department.shown("updates", "why", "so-y-te", "2026-W47")

    assert week["subportal_bounds"] == {"least": 1, "most": 2, "due_least": 2, "due_most": 2, "unread": 0}
    assert (week["subportal_verdict"], code) == (
        "insufficient-evidence",
        ExitCode.PARTIAL,
    )  # nobody's paper stands in the register either
    undated = next(one for one in week["items"] if one["title"] == "Tin /chu-nhat")
    assert undated["counts"] == "perhaps"
    assert (undated["since"][:16], undated["until"][:16]) == ("2026-11-22T13:00", "2026-11-23T01:00")
    assert "ít nhất 1, nhiều nhất 2; yêu cầu 2" in said


def test_an_item_names_the_kept_answers_that_bound_it(department: Department) -> None:
    code, item = department.call("updates", "show", _undated(department)["id"][:12])

    assert (code, item["is_sure"], item["grade"]) == (ExitCode.OK, True, "A")
    assert item["evidence_before"] and item["evidence"] and item["evidence_before"] != item["evidence"]
    assert len(item["grounds"]) == 2
    assert department.call("updates", "show", "zzzz")[0] == ExitCode.USAGE


def test_the_units_sheet_names_every_item_and_is_written_as_page_paper_and_document(department: Department) -> None:
    code, sheet = department.call(
        "updates", "sheet", "so-y-te", "2026-W47", "--output", str(department.folder / "b.html")
    )
    assert (
        department.call("updates", "sheet", "so-y-te", "2026-W47", "--output", str(department.folder / "b.docx"))[0]
        == 0
    )

    page = (department.folder / "b.html").read_text("utf-8")
    assert (code, {one["counts"] for one in sheet["items"]}) == (ExitCode.OK, {"yes", "perhaps"})
    assert "Tin /thu-ba" in page and "Tin /chu-nhat" in page
    assert "Tin, bài chưa xác định được" in page, "in Vietnamese, as it is sent"
    assert (department.folder / "b.docx").read_bytes()[:2] == b"PK"
    wrong = department.call("updates", "sheet", "so-y-te", "2026-W47", "--output", str(department.folder / "b.txt"))
    assert wrong[0] == ExitCode.USAGE
    assert department.call("updates", "sheet", "so-y-te", "2026-47")[0] == ExitCode.USAGE
    assert department.call("updates", "why", "so-y-te", "2027-W47")[0] == ExitCode.USAGE


def test_the_sheet_names_no_source_by_its_id_and_no_hour_that_nobody_knows(department: Department) -> None:
    lines = f"{REGISTER}2,2026-11-17,Sở Y tế,2/SYT,Tin trong tuần\n3,,Sở Y tế,3/SYT,Tin không ngày\n"
    (department.folder / "register.csv").write_text(lines, "utf-8")
    department.call("updates", "collect", at="2026-11-24 09:00")

    department.call(
        "updates", "sheet", "so-y-te", "2026-W47", "--output", str(department.folder / "b.html"), at="2026-11-24 10:00"
    )

    page = (department.folder / "b.html").read_text("utf-8")
    assert "1 dòng hoặc mục của sổ văn bản đến không đọc được" in page
    assert "ngày 17/11/2026" in page
    assert [word for word in ("so-den", "soyte-rss", "00:00", "K1", "K2") if word in page] == []


def test_a_day_without_an_hour_is_shown_as_a_day(department: Department) -> None:
    _code, week = department.call("updates", "why", "so-y-te", "2026-W46")
    paper = next(one["id"] for one in week["items"] if one["source"] == "so-den")

    shown = [
        department.shown("updates", *arguments)
        for arguments in (("why", "so-y-te", "2026-W46"), ("show", paper), ("list", "--period", "2026-W46"))
    ]

    assert [("09/11/2026" in text, "00:00" in text) for text in shown] == [(True, False)] * 3


def test_the_sheet_names_papers_of_unknown_senders_with_what_to_answer(department: Department) -> None:
    line = "2,2026-11-17,Phòng Sở Y tế A,2/SYT,Tin lạ\n"
    (department.folder / "register.csv").write_text(f"{REGISTER}{line}", "utf-8")
    department.call("updates", "collect", at="2026-11-23 09:00")

    _code, sheet = department.call(
        "updates", "sheet", "so-y-te", "2026-W47", "--output", str(department.folder / "b.html")
    )

    page = (department.folder / "b.html").read_text("utf-8")
    paper = next(one["id"] for one in sheet["items"] if one["source"] == "so-den")
    assert page.count(paper[:12]) == 1
    assert "Phòng Sở Y tế A" in page and "của đơn vị" in page


def test_a_confirmed_day_settles_what_the_polls_leave_open_and_cannot_contradict_them(department: Department) -> None:
    item = _undated(department)["id"]
    by = ("--officer", "Nguyễn Văn An", "--document", "07/BB-SYT, 23/11/2026")

    early = department.call("updates", "confirm", item, "--on", "2026-11-20", *by)
    late = department.call("updates", "confirm", item, "--on", "2026-11-24", *by)
    code, _done = department.call("updates", "confirm", item, "--on", "2026-11-22", *by)
    typed = department.shown("updates", "show", item)
    _met, week = department.call("updates", "why", "so-y-te", "2026-W47", at="2026-11-23 11:00")

    assert (early[0], late[0], code) == (ExitCode.USAGE, ExitCode.USAGE, ExitCode.OK)
    assert "would have shown item" in early[1]["message"]
    assert (week["subportal_verdict"], week["subportal_bounds"]["least"]) == ("met", 2)
    assert [(one["counts"], one["why"]) for one in week["items"] if one["id"] == item] == [
        ("yes", "counts on 2026-11-22; the document is not kept")
    ]
    assert "chưa lưu văn bản" in typed


def test_judging_again_gives_the_recorded_verdicts_until_somebody_touches_the_store(department: Department) -> None:
    code, proven = department.call("updates", "verify")
    assert (code, proven["verdicts"], proven["weeks"] > 0) == (ExitCode.OK, [], True)

    with sqlite3.connect(department.folder / "state/observations.sqlite") as store:
        store.execute("DROP TRIGGER observation_no_update")
        store.execute("UPDATE observation SET looked_before_at = first_seen_at - 1000 WHERE title = 'Tin /chu-nhat'")
    store.close()
    code, proven = department.call("updates", "verify")

    assert code == ExitCode.INTEGRITY
    assert {(one["unit"], one["week"]) for one in proven["verdicts"]} >= {("so-y-te", "2026-W47")}


@pytest.mark.parametrize(
    ("days", "expected"),
    [(["2027-03-05"], ExitCode.OK), (["2026-11-11", "2026-11-18"], ExitCode.PARTIAL)],
)
def test_a_calendar_of_other_days_leaves_verdicts_proven_and_one_of_the_same_days_proves_none(
    department: Department, days: list[str], expected: ExitCode
) -> None:
    rows = ", ".join(f'{{ date = {day}, name = "bão", document = "1/QĐ" }}' for day in days)
    (department.folder / "own.toml").write_text(f"province_off = [{rows}]\n", "utf-8")
    configuration = department.folder / "portalops.toml"
    configuration.write_text('[calendar]\nfile = "own.toml"\n' + configuration.read_text("utf-8"), "utf-8")

    code, proven = department.call("updates", "verify")
    said = department.shown("updates", "verify")

    assert (code, proven["weeks"] > 0, proven["others"] > 0) == (
        expected,
        expected is ExitCode.OK,
        expected is not ExitCode.OK,
    )
    assert ("Không kết luận đã ghi nào đánh giá lại được" in said) is (expected is not ExitCode.OK)


def test_a_copy_names_its_original_everywhere_and_no_confirmation_makes_it_count(department: Department) -> None:
    site, at = department.site, "2026-11-24 09:00"
    page = site.server.pages["/rss"]
    assert isinstance(page, bytes)
    text = " ".join(f"Đoàn công tác số {number} làm việc với phường Nha Trang." for number in range(40))
    for path, day, hour in (("/goc", 23, "09:00"), ("/lai", 23, "20:00")):
        item = (
            f"<item><link>{site.server.url}{path}</link><title>Đoàn công tác của Sở</title><content:encoded xmlns:content="
            f"'http://purl.org/rss/1.0/modules/content/'>{text}</content:encoded><pubDate>{day}/11/2026 {hour}</pubDate></item>"
        )
        page = page.replace(b"<channel>", b"<channel>" + item.encode())
        site.server.pages["/rss"] = answer(page.partition(b"\r\n\r\n")[2])
        department.call("updates", "collect", at=f"2026-11-{day} {hour}")
    _code, week = department.call("updates", "why", "so-y-te", "2026-W48", at=at)
    (copy,) = [one for one in week["items"] if one["url"].endswith("/lai")]
    (original,) = [one["id"] for one in week["items"] if one["url"].endswith("/goc")]
    by = ("--officer", "Nguyễn Văn An", "--document", "1/BB-SYT, 24/11/2026")

    _code, item = department.call("updates", "show", copy["id"], at=at)
    _code, sheet = department.call("updates", "sheet", "so-y-te", "2026-W48", at=at)
    code, error = department.call("updates", "confirm", copy["id"], *by, at=at)

    named = f"item {original[:12]}, Đoàn công tác của Sở, of Department of Health"
    assert item["copy_of"] == original
    assert copy["why"].startswith("the same text was published before: ") and named in copy["why"]
    assert any(named in one["why"] for one in sheet["items"])
    assert (code, named in error["message"]) == (ExitCode.USAGE, True)
    assert f"updates show {copy['id'][:12]}" in error["hint"]
