"""The commands on a whole configuration: a database, a feed, a register."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from commands.cli.entry import run
from commands.updates.matrix import MOST_ROWS, days_or_notice
from portalops.errors import ExitCode
from portalops.model.message import msg
from portalops.reports.document import Paragraph, TableBlock
from tests.checks.updates.scene import QUERY, content_database
from tests.shapes import validate_answer
from tests.web import answer, redirect, web_server

SAMPLES = Path(__file__).parents[2] / "samples/updates"
CONFIGURATION = f"""
[portal]
id = "khanhhoa"
name = {{ vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = {{ vi = "Sở Y tế", en = "Department of Health" }}

[[unit]]
id = "so-tu-phap"
name = {{ vi = "Sở Tư pháp", en = "Department of Justice" }}
has_subportal = false

[[updates.source]]
id = "content"
kind = "sql"
url = "sqlite:///portal.sqlite"
query = "{QUERY}"
channel = "subportal"
trust_created = true

[[updates.source]]
id = "front"
kind = "feed"
file = "feed.xml"
channel = "portal"
gmt_means_local = true

[[updates.source]]
id = "so-den"
kind = "register"
file = "register.csv"
channel = "submission"

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""
BODY = "Nội dung của bài viết số "


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    """Lay out a portal's files; its items lie in November 2026, long before or long after the test runs."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, "utf-8")
    rows = [
        (1, "Tin 1", "2026-11-16 09:00", "2026-11-16 08:00", "Sở Y tế", BODY * 20 + "1"),
        (2, "Tin 2", "2026-11-18 09:00", "2026-11-18 08:00", "Sở Y tế", BODY * 20 + "2"),
        (3, "Tin lạ", "2026-11-18 09:00", "2026-11-18 08:00", "Sở Lạ", BODY * 20 + "3"),
    ]
    content_database(tmp_path, rows)
    shutil.copy(SAMPLES / "nukeviet_rss.xml", tmp_path / "feed.xml")
    shutil.copy(SAMPLES / "register.csv", tmp_path)
    return tmp_path


def _call(portal: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["--json", "--config", str(portal / "portalops.toml"), *arguments], {})
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    validate_answer(arguments, answer)
    return code, answer


def test_collecting_tells_of_each_source_and_each_refused_line(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, envelope = _call(portal, capsys, "updates", "collect")

    polls = {poll["id"]: poll for poll in envelope["data"]}
    assert code == ExitCode.PARTIAL
    assert {one: poll["ok"] for one, poll in polls.items()} == {"content": True, "front": True, "so-den": True}
    assert any(line.startswith("line 4: số đến 102") for line in polls["so-den"]["rejected"])


def test_collecting_names_what_may_be_done_about_a_source_that_failed_and_about_a_look_that_is_lost(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _code, envelope = _call(portal, capsys, "updates", "collect")
    digest = next(poll["evidence"] for poll in envelope["data"] if poll["id"] == "so-den")
    (portal / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()
    for file in (portal / "state").glob("observations.sqlite*"):
        file.unlink()
    (portal / "portal.sqlite").write_bytes(b"not a database at all")

    code = run(["--lang", "vi", "--config", str(portal / "portalops.toml"), "updates", "collect"], {})
    told = " ".join(capsys.readouterr().out.split())

    assert code == ExitCode.PARTIAL
    assert "gợi ý cho content: " in told
    assert "so-den: mất kết quả lần thu thập lúc" in told


def test_a_source_whose_times_are_seven_hours_ahead_is_told_with_the_setting_that_mends_it(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _call(portal, capsys, "updates", "collect")
    ahead = (datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")) + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(portal / "portal.sqlite")) as connection, connection:
        connection.executemany(
            "INSERT INTO news VALUES (?, ?, ?, NULL, 'Sở Y tế', ?)",
            [(number, f"Tin {number}", ahead, f"{BODY * 20}{number}") for number in (11, 12, 13)],
        )

    _code, collected = _call(portal, capsys, "updates", "collect")
    _code, status = _call(portal, capsys, "updates", "status")

    said = (
        "source content: 3 of its 3 newest items claim a time at which they cannot have appeared; its times are 7 hours ahead."
        ' Its times name no zone and are local: set assume_tz = "Asia/Ho_Chi_Minh" for it.'
    )
    assert said in collected["warnings"]
    assert said in status["warnings"]


def test_a_broken_feed_leaves_the_others_collected_and_the_exit_code_says_so(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (portal / "feed.xml").write_bytes(b"not XML")

    code, envelope = _call(portal, capsys, "updates", "collect")

    polls = {poll["id"]: poll for poll in envelope["data"]}
    assert code == ExitCode.PARTIAL
    assert (polls["content"]["ok"], polls["content"]["new_items"]) == (True, 3)
    assert polls["front"]["problem"].startswith("update source front: the answer is not well-formed XML")


def _week(portal: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    _code, matrix = _call(portal, capsys, "updates", "matrix", "--period", "2026-W47")
    return {week["unit"]: {key: value for key, value in week.items() if key != "reason"} for week in matrix["data"]}


@pytest.mark.heavy
@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_lost_store_is_built_again_from_what_the_ledger_tells(
    portal: Path, capsys: pytest.CaptureFixture[str], rolled_back: bool
) -> None:
    _call(portal, capsys, "updates", "collect")
    store = portal / "state" / "observations.sqlite"
    early = store.read_bytes()
    with closing(sqlite3.connect(portal / "portal.sqlite")) as connection:
        connection.execute("DELETE FROM news WHERE id = 2")
        connection.commit()
    _call(portal, capsys, "updates", "collect")
    before = _week(portal, capsys)

    for file in store.parent.glob("observations.sqlite*"):
        file.unlink()
    if rolled_back:
        store.write_bytes(early)
    code, _envelope = _call(portal, capsys, "updates", "collect")

    assert code == ExitCode.PARTIAL
    assert _week(portal, capsys) == before
    assert before["so-y-te"]["subportal"] == 2  # the second was seen once and is gone now


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE observation SET first_seen_at = first_seen_at - 864000000, baseline = 0 WHERE id = ?",
            "first_seen_at",
        ),
        ("DELETE FROM observation WHERE id = ?", "it was removed"),
    ],
)
def test_a_row_that_was_changed_behind_the_programs_back_is_named(
    portal: Path, capsys: pytest.CaptureFixture[str], statement: str, said: str
) -> None:
    _call(portal, capsys, "updates", "collect")
    item = next(one["id"] for one in _call(portal, capsys, "updates", "list", "--period", "2026-11")[1]["data"])
    before = _call(portal, capsys, "updates", "verify")
    with closing(sqlite3.connect(portal / "state/observations.sqlite")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        assert database.execute(statement, (item,)).rowcount == 1

    code, envelope = _call(portal, capsys, "updates", "verify")
    run(["--config", str(portal / "portalops.toml"), "--lang", "en", "updates", "verify"], {})
    shown = capsys.readouterr().out

    assert (before[0], before[1]["data"]["different"]) == (ExitCode.OK, [])
    assert code == ExitCode.INTEGRITY
    assert [(one["what"], one["id"]) for one in envelope["data"]["different"]] == [("observation", item)]
    assert item in shown and said in shown
    (portal / "state/observations.sqlite").unlink()
    _call(portal, capsys, "updates", "collect")
    assert _call(portal, capsys, "updates", "verify")[0] == ExitCode.OK, "built again from what was kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a folder read-only, which root alone may")
def test_the_comparison_needs_nothing_that_can_be_written(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")
    state = str(portal / "state")
    subprocess.run(["mount", "--bind", state, state], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", state], check=True)

        verified = _call(portal, capsys, "updates", "verify")
    finally:
        subprocess.run(["umount", state], check=True)

    assert (verified[0], verified[1]["error"], verified[1]["data"]["different"]) == (ExitCode.OK, None, [])


def test_a_look_whose_answer_is_lost_is_named(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _code, envelope = _call(portal, capsys, "updates", "collect")
    digest = next(poll["evidence"] for poll in envelope["data"] if poll["id"] == "content")
    (portal / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()
    for file in (portal / "state").glob("observations.sqlite*"):
        file.unlink()

    code, done = _call(portal, capsys, "run", "daily-updates")

    (job,) = done["data"]["jobs"]
    assert code != ExitCode.OK
    assert job["outcome"] == "incomplete"
    assert any("content: the poll of" in line and digest in line for line in job["problems"])


def test_what_rests_on_a_lost_answer_is_not_told_as_a_change_behind_the_programs_back(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _call(portal, capsys, "updates", "collect")
    with closing(sqlite3.connect(portal / "portal.sqlite")) as connection, connection:
        connection.execute("DELETE FROM news WHERE id = 2")
        connection.execute("UPDATE news SET published = '2026-11-17 09:00' WHERE id = 1")
    _code, envelope = _call(portal, capsys, "updates", "collect")
    digest = next(poll["evidence"] for poll in envelope["data"] if poll["id"] == "content")
    (portal / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()

    code, told = _call(portal, capsys, "updates", "verify")

    assert (code, told["data"]["different"]) == (ExitCode.PARTIAL, [])
    assert [each["values"]["source"] for each in told["data"]["lost"]] == ["content"]


def test_a_store_that_cannot_be_built_again_whole_is_not_to_be_removed(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _code, envelope = _call(portal, capsys, "updates", "collect")
    digest = next(poll["evidence"] for poll in envelope["data"] if poll["id"] == "content")
    (portal / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()
    with closing(sqlite3.connect(portal / "state/observations.sqlite")) as database, database:
        database.execute("DROP TRIGGER poll_no_update")
        database.execute("UPDATE poll SET items = items + 1 WHERE source = 'front'")

    code = run(["--config", str(portal / "portalops.toml"), "--lang", "en", "updates", "verify"], {})
    shown = capsys.readouterr().out

    assert code == ExitCode.INTEGRITY
    assert "Keep observations.sqlite as it is: it cannot be rebuilt" in shown
    assert "Then remove it" not in shown


@pytest.mark.heavy
def test_looks_of_a_run_that_was_cut_off_are_recorded_by_the_next_one(
    portal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, before = portal / "state", portal / "before"
    _call(portal, capsys, "updates", "collect")
    shutil.copytree(state, before)
    with closing(sqlite3.connect(portal / "portal.sqlite")) as connection, connection:
        connection.execute("DELETE FROM news WHERE id = 2")
    _call(portal, capsys, "updates", "collect")
    shutil.copy(state / "observations.sqlite", before)  # what is written before a run is recorded
    shutil.copytree(state / "blobs", before / "blobs", dirs_exist_ok=True)
    shutil.rmtree(state)
    before.rename(state)

    cut_off = _call(portal, capsys, "updates", "verify")
    _code, collected = _call(portal, capsys, "updates", "collect")
    verified = _call(portal, capsys, "updates", "verify")
    week = _week(portal, capsys)
    (state / "observations.sqlite").unlink()
    _call(portal, capsys, "updates", "collect")

    assert (cut_off[0], cut_off[1]["data"]["different"]) == (ExitCode.PARTIAL, [])
    assert sorted(one["source"] for one in cut_off[1]["data"]["unrecorded"]) == ["content", "front", "so-den"]
    assert any("3 polls of an interrupted run are recorded only now" in line for line in collected["warnings"])
    assert (verified[0], verified[1]["data"]["unrecorded"]) == (ExitCode.OK, [])
    assert _week(portal, capsys) == week, "the ledger alone gives the same"


def test_the_matrix_and_the_list_tell_what_was_collected(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")

    _code, matrix = _call(portal, capsys, "updates", "matrix", "--period", "2026-W47")
    _code, listed = _call(portal, capsys, "updates", "list", "--period", "2026-W47", "--flagged")

    weeks = {week["unit"]: week for week in matrix["data"]}
    assert (weeks["so-y-te"]["subportal"], weeks["so-y-te"]["subportal_verdict"]) == (2, "met")
    assert weeks["so-tu-phap"]["subportal_verdict"] == "not-assessed"
    assert [item["flags"] for item in listed["data"] if item["title"] == "Tin lạ"] == [["unknown-unit"]]


def test_the_matrix_as_csv_has_a_row_a_unit_and_day(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")
    days = ("--from", "2026-11-19", "--to", "2026-11-19")
    paper = ("--document", "=15/QĐ", "--approver", "Giám đốc Sở")
    _call(portal, capsys, "updates", "exempt", "--unit", "so-tu-phap", "--kind", "fault", *days, *paper)
    file = portal / "matrix.csv"

    _code, told = _call(portal, capsys, "updates", "matrix", "--period", "2026-W47", "--output", str(file))

    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    by_day = {(row["Unit's id"], row["Day"]): row for row in rows}
    assert told["data"] == [{"id": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}]
    assert len(rows) == len(by_day) == len({row["Unit's id"] for row in rows}) * len({row["Day"] for row in rows})
    assert (by_day["so-y-te", "2026-11-16"]["K1"], by_day["so-y-te", "2026-11-16"]["Week"]) == ("1", "2026-W47")
    assert by_day["so-tu-phap", "2026-11-19"]["Exempt by"].endswith(": =15/QĐ")
    assert by_day["portal", "2026-11-22"]["Day without work"] == "weekly rest day"
    assert {row["Unit's id"] for row in rows} == {"portal", "so-y-te", "so-tu-phap"}


def test_the_matrix_of_one_unit_has_nothing_of_the_portal(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")
    file = portal / "matrix.csv"
    one = ("--period", "2026-W47", "--unit", "so-y-te")

    _call(portal, capsys, "updates", "matrix", *one, "--output", str(file))

    rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
    assert {row["Unit's id"] for row in rows} == {"so-y-te"}


def test_the_matrix_as_a_workbook_has_grid_weeks_and_days(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")
    file = portal / "matrix.xlsx"

    _call(portal, capsys, "updates", "matrix", "--period", "2026-W47", "--output", str(file))

    opened = load_workbook(file)
    captions = [sheet["A1"].value for sheet in opened.worksheets[1:]]
    assert captions == [
        "Units and days: what was seen, and how each week was judged",
        "Each unit's weeks",
        "Every unit and day",
    ]
    weeks = list(opened.worksheets[2].iter_rows(min_row=4, values_only=True))
    assert ("2026-W47", 2) in [row[1:3] for row in weeks]
    assert opened.worksheets[3]["C4"].value == datetime(2026, 11, 16)


@pytest.mark.parametrize(
    ("name", "arguments", "begins"),
    [
        ("matrix.html", [], b"<!doctype html>"),
        ("matrix", ["--format", "html"], b"<!doctype html>"),
        ("m.XLSX", [], b"PK"),
    ],
)
def test_the_format_of_a_file_is_its_suffix_unless_it_is_named(
    portal: Path, capsys: pytest.CaptureFixture[str], name: str, arguments: list[str], begins: bytes
) -> None:
    _call(portal, capsys, "updates", "collect")

    _call(portal, capsys, "updates", "matrix", "--period", "2026-W47", *arguments, "--output", str(portal / name))

    assert (portal / name).read_bytes().lower().startswith(begins.lower())


def test_more_rows_than_a_page_takes_are_left_to_csv_and_that_is_said() -> None:
    blocks = [days_or_notice(TableBlock(msg("Days"), (), [()] * count)) for count in (MOST_ROWS, MOST_ROWS + 1)]

    assert isinstance(blocks[0], TableBlock)
    assert isinstance(blocks[1], Paragraph)
    assert "100001 rows" in str(blocks[1].text)


def test_a_matrix_that_cannot_be_written_is_told(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")

    code, told = _call(portal, capsys, "updates", "matrix", "--output", str(portal / "feed.xml" / "matrix.csv"))

    assert (code, told["error"]["code"]) == (ExitCode.FAILED, "PO1603")


def test_the_status_of_a_past_day_shows_its_items(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _call(portal, capsys, "updates", "collect")

    _code, status = _call(portal, capsys, "updates", "status", "--date", "2026-11-16", "--unit", "so-y-te")

    (unit,) = status["data"]
    assert (unit["id"], unit["items"], unit["week"]) == ("so-y-te", 1, "2026-W47")


def test_a_source_that_did_not_answer_is_warned_of(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (portal / "feed.xml").unlink()
    _call(portal, capsys, "updates", "collect")

    _code, status = _call(portal, capsys, "updates", "status")

    assert any("front" in warning and "feed.xml: No such file" in warning for warning in status["warnings"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["updates", "status", "--date", "2999-01-01"], ExitCode.USAGE),
        (["updates", "status", "--date", "gestern"], ExitCode.USAGE),
        (["updates", "matrix", "--unit", "nobody"], ExitCode.USAGE),
        (["updates", "matrix", "--period", "2026-W99"], ExitCode.USAGE),
        (["updates", "matrix", "--format", "xlsx"], ExitCode.USAGE),
        (["updates", "matrix", "--output", "matrix.ods"], ExitCode.USAGE),
        (["updates", "matrix", "--output", "matrix", "--format", "../x"], ExitCode.USAGE),
    ],
)
def test_wrong_arguments_are_wrong_usage(
    portal: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode
) -> None:
    _call(portal, capsys, "updates", "collect")

    found, envelope = _call(portal, capsys, *arguments)

    assert (found, envelope["ok"]) == (code, False)


def test_before_the_first_look_status_says_so(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, envelope = _call(portal, capsys, "updates", "status")

    assert code == ExitCode.FAILED
    assert "nothing was collected yet" in envelope["error"]["message"]


WEB_SOURCES = """
[[updates.source]]
id = "tin"
kind = "feed"
url = "{url}/rss"
channel = "subportal"
unit = "so-y-te"

[[updates.source]]
id = "so-do"
kind = "sitemap"
url = "{url}/sitemap.xml"
channel = "subportal"
unit = "so-y-te"

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""


def _feed_of(*numbers: int) -> bytes:
    items = "".join(
        f"<item><link>http://a.example/{number}</link><title>Tin {number}</title></item>" for number in numbers
    )
    return answer(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "vi",
            (
                "tin bị chuyển hướng tới {url}/moi",
                "Gián đoạn trước tin: so-do có 1 địa chỉ mà chưa lần thu thập nào thấy",
            ),
        ),
        ("en", ("tin was redirected to {url}/moi", "Gap before tin: so-do shows 1 address that no poll has shown")),
    ],
)
def test_redirects_and_what_a_cross_check_says_of_a_gap_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, says: tuple[str, ...]
) -> None:
    with web_server() as server:
        head, _sources = CONFIGURATION.split("[[updates.source]]", 1)
        (tmp_path / "portalops.toml").write_text(head + WEB_SOURCES.format(url=server.url), "utf-8")
        missed = f"<urlset><url><loc>{server.url}/3</loc></url></urlset>".encode()
        server.pages |= {"/rss": redirect("/moi"), "/moi": _feed_of(1, 2), "/sitemap.xml": answer(missed)}
        _call(tmp_path, capsys, "updates", "collect")
        server.pages["/moi"] = _feed_of(4, 5)

        run(["--lang", language, "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
        shown = " ".join(capsys.readouterr().out.split())

        for text in says:
            assert text.format(url=server.url) in shown


@pytest.mark.parametrize(("new", "is_seldom"), [((), False), ((4,), False), ((5, 4), True), ((7, 6, 5, 4), False)])
def test_a_feed_half_of_which_is_new_is_looked_at_too_seldom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: tuple[int, ...], is_seldom: bool
) -> None:
    with web_server() as server:
        head, _sources = CONFIGURATION.split("[[updates.source]]", 1)
        (tmp_path / "portalops.toml").write_text(head + WEB_SOURCES.format(url=server.url), "utf-8")
        server.pages["/rss"] = _feed_of(3, 2, 1, 0)
        _call(tmp_path, capsys, "updates", "collect")
        server.pages["/rss"] = _feed_of(*(*new, 3, 2, 1, 0)[:4])

        run(["--lang", "en", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})

        shown = " ".join(capsys.readouterr().out.split())
        assert ("2 of the 4 items of tin are new: poll it more often" in shown) is is_seldom
        assert ("poll it more often" in shown) is is_seldom
