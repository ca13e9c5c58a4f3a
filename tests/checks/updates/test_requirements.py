"""What Article 11 asks, as far as no other test proves just that; `docs/updates-requirements.md` says which test proves what."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from openpyxl import load_workbook

from checks.updates.job import items_of
from commands.cli.calling import command_of
from commands.cli.entry import run
from portalops.model.period import Period
from portalops.model.runs import Every
from portalops.model.updates import FlagKind
from portalops.system.clock import SystemClock
from tests.checks.updates.scene import CALENDAR, HEALTH, PORTAL, QUERY, ZONE, at, content_database, rulebook
from tests.checks.updates.site import Collecting, source
from tests.shapes import validate_answer
from tests.web import WebServer, answer, redirect, web_server

ROOT = Path(__file__).parents[3]
HEAD = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế", en = "Department of Health" }

[[job]]
id = "thu-thap"
kind = "updates"
every = "day"
"""
CONTENT = """
[[updates.source]]
id = "csdl"
kind = "sql"
channel = "{channel}"
url = "sqlite:///portal.sqlite"
query = "{query}"
trust_created = true
"""
REGISTER = """
[[updates.source]]
id = "so-den"
kind = "register"
channel = "submission"
file = "so-den.csv"
"""
COLUMNS = "Số đến,Ngày đến,Tác giả,Số ký hiệu,Ngày văn bản,Trích yếu\n"


class Office:
    """A managing unit and its commands, at a moment."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], configuration: str) -> None:
        self.folder, self._capsys = folder, capsys
        self._now = at("2010-01-01 00:00")
        (folder / "portalops.toml").write_text(HEAD + configuration, "utf-8")

    def call(self, *arguments: str, on: str, lang: str = "vi") -> tuple[int, dict[str, Any]]:
        code, out, _err = self.say("--json", *arguments, on=on, lang=lang)
        envelope: dict[str, Any] = json.loads(out)
        validate_answer(arguments, envelope)
        return code, envelope

    def say(self, *arguments: str, on: str, lang: str = "vi") -> tuple[int, str, str]:
        """Call a command at a moment, or when the command before it ended if that is later: no ledger takes an older record."""
        with time_machine.travel(max(at(on), self._now), tick=True):
            code = run(["--lang", lang, "--config", str(self.folder / "portalops.toml"), *arguments], {})
            self._now = SystemClock().now()
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def report(self, on: str, *more: str, form: str = "markdown") -> str:
        arguments = ["updates", "report", "--format", form, "--output", str(self.folder), *more]
        code, envelope = self.call(*arguments, on=on)
        assert (code, envelope["error"]) == (0, None)
        return str(envelope["data"][0]["id"])

    def markdown(self, on: str, *more: str) -> str:
        return Path(self.report(on, *more)).read_text("utf-8")


def test_every_test_that_the_page_of_requirements_names_is_there() -> None:
    page = (ROOT / "docs/updates-requirements.md").read_text("utf-8")
    lost = [name for file, name in _named(page) if name not in _functions(ROOT / "tests" / file)]

    assert lost == []
    assert [int(number) for number in re.findall(r"(?m)^\| (\d+) \|", page)] == list(range(1, 36))


def _named(page: str) -> Iterator[tuple[str, str]]:
    for line in page.splitlines():
        file = ""
        for own, name in re.findall(r"`([\w/]+\.py)?::(\w+)`", line):
            file = own or file
            yield file, name


def _functions(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("settings", "flags"), [({}, (FlagKind.FUTURE,)), ({"gmt_means_local": True}, ())], ids=["as written", "mended"]
)
def test_a_date_seven_hours_ahead_never_counts_tomorrow_and_a_setting_of_its_source_mends_it(
    tmp_path: Path, settings: dict[str, object], flags: tuple[FlagKind, ...]
) -> None:
    """Requirement 15: the server prints its local time and calls it GMT; 19:30 of Tuesday reads as 02:30 of Wednesday."""
    with web_server() as server:
        own = source("feed", "rss", url=f"{server.url}/rss", **settings)
        collecting = Collecting(tmp_path, [own])
        for day, moments in (
            ("2026-11-16", ["Mon, 02 Nov 2026 08:30:00 GMT"]),
            ("2026-11-17", ["Tue, 17 Nov 2026 19:30:00 GMT"]),
        ):
            entries = "".join(
                f"<item><guid>{server.url}/{text[5:7]}</guid><title>Tin {text[5:7]}</title><pubDate>{text}</pubDate></item>"
                for text in (*moments, "Sun, 01 Nov 2026 08:30:00 GMT")
            )
            server.pages["/rss"] = answer(f"<rss version='2.0'><channel>{entries}</channel></rss>".encode())
            collecting.run(f"{day} 20:00")
        collecting.clock.at = at("2026-11-20 09:00")
        items = items_of(
            collecting.store, sources=[own], units=[HEALTH], portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR,
            period=Period(date(2026, 11, 16), date(2026, 11, 20)), now=collecting.clock.at, poll_every=Every.DAY,
        )  # fmt: skip

    (item,) = [one for one in items if one.seen.title == "Tin 17"]
    assert item.counts_at is not None
    assert datetime.fromtimestamp(item.counts_at / 1000, ZONE).date() == date(2026, 11, 17)
    assert tuple(flag for flag in item.flags if flag is FlagKind.FUTURE) == flags


def test_a_report_counts_kinds_and_languages_and_lists_what_has_no_english_pair(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requirement 22."""
    query = (
        "SELECT id AS external_id, title, published AS published_at, created AS created_at, 'so-y-te' AS unit, body,"
        " 'https://soyte.khanhhoa.example' || unit AS url, language, kind FROM news"
    )
    office = Office(tmp_path, capsys, CONTENT.format(query=query, channel="subportal"))
    with closing(sqlite3.connect(content_database(tmp_path))) as database:
        database.execute("ALTER TABLE news ADD language TEXT")
        database.execute("ALTER TABLE news ADD kind INTEGER")
        office.call("updates", "collect", on="2026-11-16 08:00")
        rows = ((17, "/vi/1", "vi", 3), (18, "/en/1", "en", 3), (19, "/vi/2", "vi", 12), (20, "/vi/3", "vi", None))
        for day, path, language, kind in rows:
            row = (
                day,
                f"Tin {path}",
                f"2026-11-{day} 09:00",
                f"2026-11-{day} 09:00",
                path,
                f"Nội dung {path}",
                language,
                kind,
            )
            database.execute("INSERT INTO news VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.commit()
    office.call("updates", "collect", on="2026-11-20 20:00")

    text = office.markdown("2026-11-23 09:00", "--period", "2026-W47")

    for line in (
        "| loại thông tin thứ 1 theo Điều 8 | 0 |",
        "| loại thông tin thứ 3 theo Điều 8 | 2 |",
        "| loại thông tin thứ 12 theo Điều 8 | 1 |",
        "| nguồn không cho biết loại | 1 |",
        "| bằng tiếng Việt | 3 |",
        "| bằng tiếng Anh | 1 |",
        "Tin, bài tiếng Việt chưa có bản tiếng Anh",
    ):
        assert line in text
    unpaired = text[text.index("Tin, bài tiếng Việt chưa có bản tiếng Anh") :]
    assert [path in unpaired for path in ("/vi/1", "/vi/2", "/vi/3")] == [False, True, True]


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("--document", "--document is empty"),
        ("--approver", "--approver is empty"),
        ("--from", "--from is missing"),
        ("--to", "--to is missing"),
    ],
)
def test_an_exemption_without_its_document_approver_or_days_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: str, said: str
) -> None:
    """Requirement 27."""
    office = Office(tmp_path, capsys, REGISTER)
    given = {
        "--from": "2026-11-16", "--to": "2026-11-20", "--kind": "fault", "--unit": "so-y-te",
        "--document": "15/QĐ-SKHCN", "--approver": "Giám đốc Sở",
    }  # fmt: skip
    del given[left_out]

    code, envelope = office.call(
        "updates", "exempt", *(word for pair in given.items() for word in pair), on="2026-11-16 09:00", lang="en"
    )

    assert (code, envelope["error"]["message"]) == (2, said)
    assert envelope["error"]["hint"]
    assert office.call("updates", "exemptions", on="2026-11-16 10:00")[1]["data"] == []


def test_no_option_of_the_report_takes_out_what_the_managing_unit_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requirement 31: whatever is asked for, what is said of the portal's own days is in it."""
    office = Office(tmp_path, capsys, CONTENT.format(query=QUERY, channel="portal"))
    days = [day for day in range(2, 31) if CALENDAR.is_working(date(2026, 9, day)) and day not in {9, 22}]
    content_database(
        tmp_path, [(day, f"Tin {day}", f"2026-09-{day:02} 08:00", f"2026-09-{day:02} 08:00", "", "") for day in days]
    )
    office.call("updates", "collect", on="2026-10-01 08:00")
    command = command_of("updates report")

    assert {name for one in command.params for name in one.opts} == {
        "--month", "--calendar-month", "--period", "--to", "--format", "--output", "--language", "--help",
    } - {"--help"}  # fmt: skip
    for more, missed in (
        (["--month", "2026-09", "--calendar-month"], "09/09/2026, 22/09/2026"),
        (["--month", "2026-09"], "09/09/2026"),
        (["--period", "2026-W37"], "09/09/2026"),
        (["--period", "2026-W37", "--to", "committee"], "09/09/2026"),
    ):
        text = office.markdown("2026-10-01 09:00", *more)
        assert "Các ngày không cập nhật, thuộc trách nhiệm của Đơn vị quản lý Cổng: " in text
        assert missed in text


def test_the_report_of_a_past_period_does_not_change_with_what_a_source_does_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requirement 30: which sources did not answer is told as of the period's end."""
    office = Office(tmp_path, capsys, REGISTER)
    register = tmp_path / "so-den.csv"
    register.write_text(COLUMNS + "7,17/11/2026,Sở Y tế,1/SYT,17/11/2026,Tin\n", "utf-8")
    for day in ("2026-11-20", "2026-11-23"):
        assert office.call("updates", "collect", on=f"{day} 20:00")[0] == 0
    span = ("--period", "2026-W47")
    first = Path(office.report("2026-11-24 09:00", *span)).read_bytes()

    register.unlink()
    assert office.call("updates", "collect", on="2026-11-24 20:00")[0] != 0
    later = Path(office.report("2026-11-25 09:00", *span)).read_bytes()

    assert later == first
    assert "trong lần thu thập cuối kỳ: nguồn thông tin các đơn vị gửi về" not in later.decode()
    assert "trong lần thu thập cuối kỳ: nguồn thông tin các đơn vị gửi về" in office.markdown(
        "2026-11-25 10:00", "--period", "2026-11-24"
    )


def test_stale_says_nothing_at_all_when_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requirement 33: cron mails whatever a command prints."""
    office = Office(tmp_path, capsys, REGISTER)
    (tmp_path / "so-den.csv").write_text(COLUMNS + "7,17/11/2026,Sở Y tế,1/SYT,17/11/2026,Tin tuần 47\n", "utf-8")
    office.call("updates", "collect", on="2026-11-18 08:00")

    well = office.say("updates", "stale", "--days", "5", on="2026-11-18 09:00")
    office.call("updates", "collect", on="2026-11-25 08:00")
    code, out, _err = office.say("updates", "stale", "--days", "5", on="2026-11-25 09:00")

    assert well == (0, "", "")
    assert code == 1
    assert "Sở Y tế" in out


def test_a_paper_goes_to_the_department_of_its_own_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requirement 34: the Department was merged on 1 March 2025."""
    office = Office(
        tmp_path, capsys,
        REGISTER
        + """
[[actor]]
role = "department"
name = { vi = "Sở Thông tin và Truyền thông" }
valid_to = 2025-02-28

[[actor]]
role = "department"
name = { vi = "Sở Khoa học và Công nghệ" }
valid_from = 2025-03-01
""",
    )  # fmt: skip
    (tmp_path / "so-den.csv").write_text(COLUMNS + "7,17/10/2024,Sở Y tế,1/SYT,17/10/2024,Tin\n", "utf-8")
    office.call("updates", "collect", on="2024-11-15 08:00")

    then = office.markdown("2024-11-16 09:00", "--month", "2024-11")
    now = office.markdown("2026-11-16 09:00", "--month", "2026-11")

    merged, before = "Kính gửi: Sở Khoa học và Công nghệ", "Kính gửi: Sở Thông tin và Truyền thông"
    assert (before in then, merged in then) == (True, False)
    assert (before in now, merged in now) == (False, True)


def test_maintenance_that_was_announced_late_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requirement 35: Decree 224/2026/NĐ-CP, Article 13, seven working days before."""
    office = Office(tmp_path, capsys, REGISTER)
    (tmp_path / "so-den.csv").write_text(COLUMNS + "7,17/11/2026,Sở Y tế,1/SYT,17/11/2026,Tin\n", "utf-8")
    office.call("updates", "collect", on="2026-11-20 08:00")
    (tmp_path / "quyet-dinh.pdf").write_bytes(b"%PDF-1.7")
    for announced, document in (("2026-11-17", "16/QĐ"), ("2026-11-13", "13/QĐ")):
        code, envelope = office.call(
            "updates", "exempt", "--from", "2026-11-25", "--to", "2026-11-25", "--kind", "maintenance", "--unit", "so-y-te",
            "--document", document, "--approver", "Giám đốc Sở", "--announced", announced,
            "--file", str(tmp_path / "quyet-dinh.pdf"), on="2026-11-20 09:00",
        )  # fmt: skip
        assert code == 0, envelope

    told = {
        one["document"]: [remark["text"] for remark in one["remarks"]]
        for one in office.call("updates", "exemptions", on="2026-11-20 10:00")[1]["data"]
    }
    report = office.markdown("2026-11-26 10:00", "--period", "2026-11-23..2026-11-26")

    assert told == {"16/QĐ": ["announced late, on 2026-11-17"], "13/QĐ": []}
    assert re.search(r"16/QĐ.*thông báo muộn", report)
    assert not re.search(r"13/QĐ.*thông báo muộn", report)


# --- bad input --------------------------------------------------------------------------------

BOMB = (
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss version="2.0"><channel>&b;</channel></rss>'
)
GOOD = "<rss version='2.0'><channel><item><guid>1</guid><title>Tin tốt</title><pubDate>17/11/2026 09:00</pubDate></item></channel></rss>"


def test_sources_that_send_what_harms_are_named_each_and_the_others_are_collected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the web can send, asked for by the command: each is told by its source, and no other source is lost for it."""
    with web_server() as server:
        _hostile(server)
        paths = ("good", "bomb", "endless", "loop", "inside", "nul", "map")
        sources = "".join(
            f"""
[[updates.source]]
id = "{path}"
kind = "{"sitemap" if path == "map" else "feed"}"
channel = "subportal"
unit = "so-y-te"
url = "{server.url}/{path}"
"""
            for path in paths
        )
        office = Office(tmp_path, capsys, sources + REGISTER)
        (tmp_path / "so-den.csv").write_bytes(
            (COLUMNS + "1,16/11/2026,Sở Y tế,1/SYT,16/11/2026,Tin\n").encode()
            + b"2,16/11/2026,S\x00,2/S\x00YT,16/11/2026,a\x00b\n"
        )
        code, envelope = office.call("updates", "collect", on="2026-11-17 20:00", lang="en")

    polls = {one["id"]: one for one in envelope["data"]}
    assert code == 3
    assert {name: poll["ok"] for name, poll in polls.items()} == {
        "good": True, "bomb": False, "endless": False, "loop": False, "inside": False, "nul": True, "map": False, "so-den": True,
    }  # fmt: skip
    for name, said in {
        "bomb": "declares XML entities", "map": "declares XML entities", "endless": "larger than", "loop": "redirect",
        "inside": "10.0.0.1",
    }.items():  # fmt: skip
        assert said in polls[name]["problem"], polls[name]["problem"]
    listed = office.call("updates", "list", "--period", "2026-W47", on="2026-11-17 21:00")[1]["data"]
    assert sorted(one["title"] for one in listed if one["id"] and one["unit"] is None) == ["2/SYT ab"]
    assert not any("\x00" in one["title"] for one in listed)
    assert server.sent_bytes < 64 * 2**20, "it was left long before a gigabyte"


def _hostile(server: WebServer) -> None:
    server.pages |= {
        "/good": answer(GOOD.encode()),
        "/bomb": answer(BOMB),
        "/map": answer(BOMB.replace(b"rss", b"urlset")),
        "/endless": server.endless(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss><channel>", b"<item><title>a</title></item>" * 2000
        ),
        "/loop": redirect("/loop"),
        "/inside": redirect("http://10.0.0.1/rss"),
        "/nul": answer(GOOD.replace("Tin tốt", "Tin \x00").encode()),
    }


def test_a_formula_of_a_register_is_a_text_in_every_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody wrote into a register comes out of no export as a formula or as markup."""
    office = Office(tmp_path, capsys, REGISTER)
    formula = '=HYPERLINK(""http://evil.example"",""x"")<script>alert(1)</script>'
    (tmp_path / "so-den.csv").write_text(COLUMNS + f'7,17/11/2026,Sở Y tế,=1+1,17/11/2026,"{formula}"\n', "utf-8")
    office.call("updates", "collect", on="2026-11-18 08:00")

    for suffix in ("csv", "xlsx", "html"):
        assert office.call(
            "updates",
            "matrix",
            "--period",
            "2026-W47",
            "--output",
            str(tmp_path / f"m.{suffix}"),
            on="2026-11-18 09:00",
        )[0] in {0, 1, 3}
    (item,) = office.call("updates", "list", "--period", "2026-W47", on="2026-11-18 09:00")[1]["data"]

    assert "=HYPERLINK" in item["title"], "as data it is what it is"
    cells = [cell for row in csv.reader(io.StringIO((tmp_path / "m.csv").read_text("utf-8"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    book = load_workbook(tmp_path / "m.xlsx")
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert "<script>alert" not in (tmp_path / "m.html").read_text("utf-8")
