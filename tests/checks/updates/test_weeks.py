"""A province over five weeks and a half, by the commands alone, with the machine's clock moved: who updated, who did not, what was done.

What each unit does is written down in `Province.live`; what it comes to in the report, in `EXPECTED`, was counted by hand.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from docx import Document
from openpyxl import load_workbook

from commands.cli.entry import run
from portalops.calendar import load
from tests.checks.updates.scene import QUERY, ZONE, content_database
from tests.checks.updates.site import Site
from tests.shapes import validate_answer
from tests.web import WebServer, held_port, web_server

CONFIGURATION = """
[portal]
id = "khanhhoa"
name = {{ vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }}

[state]
folder = "state"

[updates]
judge_weeks = 8
cases_from = 2026-08-10

[office]
parent = {{ vi = "Sở Khoa học và Công nghệ Khánh Hòa" }}
abbreviation = "TTCĐS"

[[actor]]
role = "department"
name = {{ vi = "Sở Thông tin và Truyền thông" }}
valid_to = 2025-02-28

[[actor]]
role = "department"
name = {{ vi = "Sở Khoa học và Công nghệ" }}
valid_from = 2025-03-01
{units}
[[updates.source]]
id = "cong-tinh"
kind = "feed"
channel = "portal"
url = "{front}/rss"
{feeds}
[[updates.source]]
id = "so-y-te-so-do"
kind = "sitemap"
channel = "subportal"
unit = "so-y-te"
url = "{health}/sitemap.xml"

[[updates.source]]
id = "so-noi-vu-csdl"
kind = "sql"
channel = "subportal"
unit = "so-noi-vu"
url = "sqlite:///portal.sqlite"
query = "{query}"
trust_created = true

[[updates.source]]
id = "so-den"
kind = "register"
channel = "submission"
file = "so-den.csv"

[[job]]
id = "thu-thap"
kind = "updates"
every = "day"
at = ["01:00", "20:00"]
"""
UNITS = {
    "so-y-te": ("Sở Y tế", ""),
    "so-xay-dung": ("Sở Xây dựng", ""),
    "so-cong-thuong": ("Sở Công Thương", ""),
    "so-noi-vu": ("Sở Nội vụ", ""),
    "xa-khanh-son": ("UBND xã Khánh Sơn", "has_subportal = false"),
    "phong-vh": ("Phòng Văn hóa", 'has_subportal = false\nvalid_to = 2026-08-31\nsuccessors = ["phong-vh-xh"]'),
    "phong-vh-xh": ("Phòng Văn hóa - Xã hội", "has_subportal = false\nvalid_from = 2026-09-01"),
    "phuong-nha-trang": ("UBND phường Nha Trang", ""),
    "so-tu-phap": ("Sở Tư pháp", "has_subportal = false"),
}
FEEDS = ("so-y-te", "so-xay-dung", "so-cong-thuong", "phuong-nha-trang")
FIRST, LAST = date(2026, 8, 10), date(2026, 9, 14)
DOWN = date(2026, 8, 26)
"""Nobody answers for the ward's site on this day."""
MISSED = date(2026, 9, 9)
"""The portal itself shows nothing new."""
OLD = [(f"/cu-{number}", f"2026-07-{26 - number} 09:00") for number in range(1, 5)]
LEGACY = "Së T­ ph¸p göi tin, bµi vÒ c«ng t¸c phæ biÕn, gi¸o dôc ph¸p luËt trªn ®Þa bµn tØnh sè"
CALENDAR = load()


def _days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"2026-{text}") for text in texts)


TWICE = _days("08-11", "08-13", "08-18", "08-20", "08-25", "08-27", "09-03", "09-08", "09-10")
ONCE = _days("08-12", "08-19", "08-26", "09-03", "09-09")
FRIDAYS = _days("08-14", "08-21", "08-28", "09-04", "09-11")
PAPERS = _days("08-10", "08-12", "08-17", "08-19", "08-24", "09-03", "09-07", "09-09", "09-14")
"""Of the commune, which sent one less in W35."""

# 15 August to 14 September: weeks 33 to 37 end in it; 31 August to 2 September are off, so that week 36 asks for one.
# Items, times on the sub-portal, times sent in, weeks met/assessed, days not reached, in words.
EXPECTED = {
    "Sở Y tế": (14, 7, 7, "5/5", 0, "đạt"),
    "Sở Xây dựng": (11, 4, 7, "1/5", 0, "không đạt"),  # one item each Friday, dated back to Wednesday
    "Sở Công Thương": (7, 0, 7, "0/5", 0, "không đạt"),  # old items with new dates
    "Sở Nội vụ": (31, 4, 7, "1/5", 0, "không đạt"),  # six items in twenty minutes, once a week
    "UBND xã Khánh Sơn": (7, 0, 7, "4/5", 0, "không đạt"),
    "Phòng Văn hóa": (4, 0, 4, "3/3", 0, "đạt"),
    "Phòng Văn hóa - Xã hội": (3, 0, 3, "2/2", 0, "đạt"),
    "UBND phường Nha Trang": (14, 7, 7, "5/5", 1, "đạt"),
    "Sở Tư pháp": (7, 0, 7, "5/5", 0, "đạt"),
}
TOGETHER = (98, 22, 56, "26/40")
K1, K2 = "11.2-subportals", "11.2-submissions"
SAID = ("--reason", "thiếu người", "--by", "Văn phòng")
CASES: dict[str, list[tuple[str, ...]]] = {  # a hearing lasts three working days from its reminder
    "08-18": [("remind", f"2026-W33/{unit}/{K1}") for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")],
    "08-20": [("explain", f"2026-W33/{unit}/{K1}", *SAID) for unit in ("so-xay-dung", "so-noi-vu")],
    "08-24": [
        ("decide", f"2026-W33/so-xay-dung/{K1}", "--reject", "--reason", "không có căn cứ"),
        ("decide", f"2026-W33/so-noi-vu/{K1}", "--accept", "--reason", "có biên bản sự cố"),
        ("close", f"2026-W33/so-noi-vu/{K1}", "--reason", "đã chấp nhận"),
    ],
    "08-25": [("remind", f"2026-W34/{unit}/{K1}") for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")],
    "08-27": [("explain", f"2026-W34/{unit}/{K1}", *SAID) for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")],
    "09-03": [
        *(("escalate", f"2026-W34/{unit}/{K1}", "--to", "department") for unit in ("so-xay-dung", "so-cong-thuong")),
        *(
            ("decide", f"2026-W34/{unit}/{K1}", "--reject", "--reason", "lặp lại")
            for unit in ("so-xay-dung", "so-cong-thuong")
        ),
        ("decide", f"2026-W34/so-noi-vu/{K1}", "--accept", "--reason", "có biên bản sự cố"),
        *(("remind", f"2026-W35/{unit}/{K1}") for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")),
    ],
    # Papers may be entered on 3 September, the first working day after the week: only then is K2 judged.
    "09-04": [("remind", f"2026-W35/xa-khanh-son/{K2}")],
    "09-07": [
        ("explain", f"2026-W35/xa-khanh-son/{K2}", *SAID),
        *(("explain", f"2026-W35/{unit}/{K1}", *SAID) for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")),
    ],
    "09-08": [
        ("remind", f"2026-W36/so-cong-thuong/{K1}"),
        *(("remedy", f"2026-W33/{unit}/{K1}", "--reason", "đã đăng bù") for unit in ("so-xay-dung", "so-cong-thuong")),
        *(("close", f"2026-W33/{unit}/{K1}", "--reason", "đã khắc phục") for unit in ("so-xay-dung", "so-cong-thuong")),
    ],
    "09-10": [
        ("decide", f"2026-W35/xa-khanh-son/{K2}", "--accept", "--reason", "mất điện, có biên bản"),
        *(("escalate", f"2026-W35/{unit}/{K1}", "--to", "committee") for unit in ("so-xay-dung", "so-cong-thuong")),
        *(
            ("decide", f"2026-W35/{unit}/{K1}", "--reject", "--reason", "lặp lại")
            for unit in ("so-xay-dung", "so-cong-thuong")
        ),
        ("decide", f"2026-W35/so-noi-vu/{K1}", "--accept", "--reason", "có biên bản sự cố"),
        ("explain", f"2026-W36/so-cong-thuong/{K1}", *SAID),
    ],
    "09-11": [
        *(("close", f"2026-W34/{unit}/{K1}", "--reason", "đã xử lý") for unit in ("so-xay-dung", "so-cong-thuong")),
        *(("close", f"2026-W{week}/so-noi-vu/{K1}", "--reason", "đã chấp nhận") for week in (34, 35)),
        *(("close", f"2026-W35/{unit}/{K1}", "--reason", "đã xử lý") for unit in ("so-xay-dung", "so-cong-thuong")),
        ("close", f"2026-W35/xa-khanh-son/{K2}", "--reason", "đã chấp nhận"),
        ("remind", "2026-W37/portal/11.1"),
    ],
    "09-14": [
        ("escalate", f"2026-W36/so-cong-thuong/{K1}", "--to", "committee"),
        ("decide", f"2026-W36/so-cong-thuong/{K1}", "--reject", "--reason", "lặp lại"),
        ("close", f"2026-W36/so-cong-thuong/{K1}", "--reason", "đã xử lý"),
    ],
}
"""What officers record, at nine in the morning."""
CLOSED = {(step, case) for steps in CASES.values() for step, case, *_more in steps if step == "close"}
OPEN = {
    "2026-W37/portal/11.1",
    *(f"2026-W37/{unit}/{K1}" for unit in ("so-xay-dung", "so-cong-thuong", "so-noi-vu")),
}


class Province:
    """A portal, its units, and who watches them."""

    def __init__(self, folder: Path, servers: ExitStack, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys, self._servers = folder, capsys, servers
        self._port = servers.enter_context(held_port())
        self._ward: ExitStack | None = None
        self._items = self._papers = 0
        self.front = Site(servers.enter_context(web_server()), feed_length=5)
        self.sites = {unit: Site(servers.enter_context(web_server()), feed_length=5) for unit in FEEDS[:3]}
        self.sites[FEEDS[3]] = Site(WebServer(), feed_length=5)
        self.answer(is_up=True)
        for site in (self.front, *self.sites.values()):
            site.items = [*OLD]
            site.show()
        content_database(folder, [(1, "Tin cũ", "2026-08-03 09:00", "2026-08-03 09:00", "", "")])
        (folder / "so-den.csv").write_text(
            "Số đến,Ngày đến,Tác giả,Số ký hiệu,Ngày văn bản,Trích yếu\n1,03/08/2026,Sở Y tế,1/SYT,03/08/2026,Tin tuần trước\n"
        )
        units = "".join(
            f'\n[[unit]]\nid = "{unit}"\nname = {{ vi = "{name}" }}\n{more}\n' for unit, (name, more) in UNITS.items()
        )
        feeds = "".join(
            f'\n[[updates.source]]\nid = "{unit}-rss"\nkind = "feed"\nchannel = "subportal"\nunit = "{unit}"\n'
            f'url = "{site.server.url}/rss"\n'
            for unit, site in self.sites.items()
        )
        (folder / "portalops.toml").write_text(
            CONFIGURATION.format(
                units=units,
                feeds=feeds,
                front=self.front.server.url,
                health=self.sites["so-y-te"].server.url,
                query=QUERY,
            ),
            "utf-8",
        )
        (folder / "van-ban.pdf").write_bytes(b"%PDF-1.7 da ky")

    def call(self, *arguments: str) -> tuple[int, Any]:
        code = run(["--json", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        envelope = json.loads(self._capsys.readouterr().out)
        assert envelope["error"] is None, envelope
        validate_answer(arguments, envelope)
        return code, envelope["data"]

    def live(self, day: date) -> None:
        """Do what is done on a day before the evening."""
        if (CALENDAR.is_working(day) and day != MISSED) or day == date(2026, 8, 29):
            self.front.publish(self._path(), on=f"{day} 08:00")
        if day in TWICE:
            for unit in ("so-y-te", "phuong-nha-trang"):
                self.sites[unit].publish(self._path(), on=f"{day} 09:00")
            own = self.sites["so-cong-thuong"]
            own.items = [(own.items[-1][0], f"{day} 09:00"), *own.items[:-1]]  # the last becomes the first
            own.show()
            old, new = ("phong-vh",), ("phong-vh-xh",)
            for unit in ("so-y-te", "so-xay-dung", "so-cong-thuong", "so-noi-vu", "phuong-nha-trang"):
                self._paper(unit, day)
            self._paper(*(new if day >= date(2026, 9, 1) else old), day)
            self._paper("so-tu-phap", day, LEGACY)
        if day in FRIDAYS:
            self.sites["so-xay-dung"].publish(self._path(), on=f"{day - timedelta(days=2)} 09:00")
        if day in PAPERS:
            self._paper("xa-khanh-son", day)
        if day in ONCE:
            rows = []
            for minute in range(0, 24, 4):
                self._items += 1
                at = f"{day} 14:{minute:02}"
                rows.append(
                    (1000 + self._items, f"Tin dồn {self._items}", at, at, "", f"Bài đăng dồn số {self._items}")
                )
            with closing(sqlite3.connect(self.folder / "portal.sqlite")) as database, database:
                database.executemany("INSERT INTO news VALUES (?, ?, ?, ?, ?, ?)", rows)

    def handle(self, day: date) -> None:
        """Record what officers do in the morning of a day."""
        for number, (step, case, *more) in enumerate(CASES.get(f"{day:%m-%d}", ())):
            signed = self.folder / f"{day:%m%d}{number}.pdf"
            signed.write_bytes(f"%PDF-1.7 {signed.stem}".encode())
            paper = ["--number", f"{signed.stem}/TTCĐS", "--file", str(signed)]
            assert self.call("case", step, case, *more, *(paper if step in {"remind", "escalate"} else []))[0] == 0

    def report(self, to: str, formats: str = "docx,markdown,pdf,xlsx") -> list[dict[str, str]]:
        folder = str(self.folder / "papers")
        how = ["--month", "2026-09", "--to", to, "--format", formats, "--output", folder]
        code, files = self.call("updates", "report", *how)
        assert code == 0
        return list(files)

    def send(self) -> None:
        for number, to in enumerate(("department", "committee"), 20):
            paper = ["--number", f"{number}/BC-TTCĐS", "--file", str(self.folder / "van-ban.pdf")]
            span = ["--period", "2026-08-15..2026-09-14", "--to", to]
            assert self.call("report", "sent", "updates", *span, *paper)[0] == 0

    def verdicts(self) -> dict[str, str]:
        found = self.call("status", "--period", "2026-08-15..2026-09-14")[1]
        return {one["id"]: one["verdict"] for one in found if one["id"].startswith(("11", "7.6"))}

    def answer(self, *, is_up: bool) -> None:
        site = self.sites[FEEDS[3]]
        if not is_up and self._ward is not None:
            self._ward.close()
            self._ward = None
        elif is_up and self._ward is None:
            self._ward = self._servers.enter_context(ExitStack())
            pages = site.server.pages
            site.server = self._ward.enter_context(web_server(port=self._port))
            site.server.pages |= pages

    def _path(self) -> str:
        self._items += 1
        return f"/tin-{self._items}"

    def _paper(self, unit: str, day: date, about: str = "Tin, bài gửi đăng Cổng số") -> None:
        self._papers += 1
        number, name = self._papers + 100, UNITS[unit][0]
        line = f'{number},{day:%d/%m/%Y},{name},{number}/VP,{day:%d/%m/%Y},"{about} {number}"\n'
        with (self.folder / "so-den.csv").open("a", encoding="utf-8") as register:
            register.write(line)


def _at(day: date, hour: int) -> time_machine.travel:
    return time_machine.travel(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE), tick=True)


@pytest.fixture
def province(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Province]:
    with ExitStack() as servers:
        yield Province(tmp_path, servers, capsys)


@pytest.mark.heavy
def test_five_weeks_of_a_province_end_in_cases_and_a_report_that_were_counted_by_hand(province: Province) -> None:
    evening = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    with _at(FIRST - timedelta(days=1), 22):
        assert province.call("updates", "collect")[0] == 0  # what is there already is the beginning, and nothing more
    for day in evening:
        province.answer(is_up=day != DOWN)
        with _at(day, 1):
            province.call("run")  # what the evening's poll shows first came on this day
        with _at(day, 9):
            province.handle(day)
        province.live(day)
        with _at(day, 20):
            code, done = province.call("run")
        assert code in {0, 1, 3}, "of all duties"
        assert {job["exit_code"] for job in done["jobs"]} == {3 if day == DOWN else 0}, day

    with _at(LAST + timedelta(days=1), 7):
        assert province.call("updates", "collect")[0] == 0  # the last evening is seen as well
        said = {one["id"]: one for one in province.call("updates", "status", "--date", f"{MISSED}")[1]}
        assert (said["khanhhoa"]["verdict"], said["khanhhoa"]["updates"]) == ("unmet", 0)
        assert {unit: said[unit]["state"] for unit in UNITS if unit in said} == {
            "so-y-te": "met", "so-xay-dung": "missed", "so-cong-thuong": "missed", "so-noi-vu": "missed",
            "xa-khanh-son": "met", "phong-vh-xh": "met", "phuong-nha-trang": "met", "so-tu-phap": "met",
        }  # fmt: skip

    with _at(LAST + timedelta(days=1), 8):
        cases = {one["id"]: one["state"] for one in province.call("case", "list", "--all")[1]}
        assert {name for name, state in cases.items() if state == "closed"} == {case for _step, case in CLOSED}
        assert {name for name, state in cases.items() if state != "closed"} == OPEN
        steps = province.call("case", "show", f"2026-W33/so-cong-thuong/{K1}")[1]["steps"]
        assert [(one["step"], one["by"]) for one in steps][3] == ("rejected", ""), "it gave no explanation in time"
        assert province.verdicts()["11.3-reporting"] == "pending", "it is due on the 16th"
        first, other = province.report("department"), province.report("committee", "markdown")
        assert {one["due_on"] for one in (*first, *other)} == {"2026-09-16"}
        province.send()
        assert province.verdicts() == {
            "11.1": "unmet", "11.2-subportals": "unmet", "11.2-submissions": "unmet", "11.3-tracking": "met",
            "11.3-handling": "pending", "11.3-reporting": "met", "7.6": "unmet",
        }  # fmt: skip
        code, verified = province.call("ledger", "verify")
        assert (code, verified["integrity"]["holds"], verified["completeness"]["holds"]) == (0, True, True)
        assert province.call("updates", "verify")[0] == 0

    _says_what_was_counted(first)
    above = Path(other[0]["id"]).read_text("utf-8")
    assert "Sở Công Thương: 4 lần trong quý" in above, "the Committee is told who fell short again and again"
    assert "thuộc trách nhiệm của Đơn vị quản lý Cổng: 09/09/2026" in above
    with _at(LAST + timedelta(days=1), 9):
        (province.folder / "state/observations.sqlite").unlink()
        province.call("updates", "collect")  # the ledger and the kept answers give the store again
        again = province.report("department")
    assert [one["sha256"] for one in first] == [one["sha256"] for one in again]


def _says_what_was_counted(report: list[dict[str, str]]) -> None:
    papers = {Path(one["id"]).suffix: Path(one["id"]) for one in report}
    table = load_workbook(papers[".xlsx"]).worksheets[-2]
    rows = {
        row[1]: (*row[2:6], row[7], row[9])
        for row in table.iter_rows(values_only=True)
        if row[1] in {*EXPECTED, "Tổng cộng"}
    }
    assert rows.pop("Tổng cộng")[:4] == TOGETHER
    assert rows == EXPECTED

    text = papers[".md"].read_text("utf-8")
    word = "\n".join(one.text for one in Document(str(papers[".docx"])).paragraphs)
    page = subprocess.run(
        ["pdftotext", "-layout", papers[".pdf"], "-"], check=True, capture_output=True
    ).stdout.decode()
    for said in (text, word, " ".join(page.split())):
        for sentence in (
            "Kính gửi: Sở Khoa học và Công nghệ",
            "được cập nhật 18/19 ngày làm việc",
            "thuộc trách nhiệm của Đơn vị quản lý Cổng: 09/09/2026",
            "Ghi nhận 98 tin, bài được tính: 22 lần cập nhật trên cổng con",
            "56 lần gửi thông tin",
            "26 lượt đạt yêu cầu, 14 lượt không đạt",
            "ghi lùi ngày: 4 tin, bài",
            "đăng lại tin cũ: 4 tin, bài",
            "UBND phường Nha Trang: 1 ngày không truy cập được",
        ):
            assert sentence in said
    assert "| 5 | UBND xã Khánh Sơn | 7 | 0 | 7 | 4/5 | 14/09/2026 |" in text, "in the portal's zone"
