"""The example portal: what it must show, on any day it is built."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
import subprocess
import sys
import tomllib
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from checks.updates.text import check_text

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "build_portal.py"
TODAY = date(2026, 11, 25)

Row = tuple[str, str, str, datetime, datetime]


def build(folder: Path, today: date = TODAY) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--into", str(folder), "--today", today.isoformat()],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.stdout


def published(folder: Path, site: str, *, since: date = date(2000, 1, 1)) -> list[Row]:
    with sqlite3.connect(folder / "portal.sqlite") as connection:
        found = connection.execute(
            "SELECT external_id, title, body, created_at, published_at FROM article"
            " WHERE site = ? AND state = 'published' ORDER BY created_at",
            (site,),
        ).fetchall()
    connection.close()
    rows = [
        (key, title, body, datetime.fromisoformat(made), datetime.fromisoformat(claimed))
        for key, title, body, made, claimed in found
    ]
    return [row for row in rows if row[3].date() >= since]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    build(folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def everything(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "portal.sqlite") as connection:
        rows = connection.execute("SELECT * FROM article ORDER BY id").fetchall()
        rows += connection.execute("SELECT * FROM submission ORDER BY id").fetchall()
    connection.close()
    return rows


def test_the_same_day_gives_the_same_example(example: Path, tmp_path: Path) -> None:
    build(tmp_path)

    assert digests(tmp_path) == digests(example)
    assert everything(tmp_path) == everything(example)


def test_building_twice_changes_nothing(tmp_path: Path) -> None:
    build(tmp_path)
    before = (tmp_path / "portal.sqlite").stat().st_mtime_ns

    said = build(tmp_path)

    assert "already" in said
    assert (tmp_path / "portal.sqlite").stat().st_mtime_ns == before


def test_a_later_day_adds_items_and_changes_none_but_the_republished(example: Path, tmp_path: Path) -> None:
    build(tmp_path, TODAY + timedelta(days=2))
    columns = "external_id, title, body, created_at, published_at, state"
    query = f"SELECT {columns} FROM article WHERE site <> 'so-cong-thuong' AND created_at > '2026-09-01'"

    with sqlite3.connect(example / "portal.sqlite") as first, sqlite3.connect(tmp_path / "portal.sqlite") as later:
        before, after = set(first.execute(query)), set(later.execute(query))
    first.close()
    later.close()

    assert before < after


@pytest.mark.parametrize(
    "today", [date(2026, 1, 5), date(2026, 9, 7), date(2026, 11, 25), date(2027, 2, 20), date(2031, 5, 3)]
)
def test_nothing_is_younger_than_the_day_it_is_built_on(tmp_path: Path, today: date) -> None:
    build(tmp_path, today)

    with sqlite3.connect(tmp_path / "portal.sqlite") as connection:
        moments = [
            row[0] for row in connection.execute("SELECT max(created_at, coalesce(published_at, '')) FROM article")
        ]
        moments += [row[0] for row in connection.execute("SELECT received_at FROM submission")]
    connection.close()

    assert moments
    assert max(moments) < today.isoformat()


def test_there_are_about_thirty_units_and_each_unit_of_the_content_is_one_of_them(example: Path) -> None:
    units = tomllib.loads((ROOT / "examples/portal/units.toml").read_text(encoding="utf-8"))["unit"]
    ids = {unit["id"] for unit in units}

    with sqlite3.connect(example / "portal.sqlite") as connection:
        seen = {unit for (unit,) in connection.execute("SELECT unit FROM article WHERE unit IS NOT NULL")}
        seen |= {unit for (unit,) in connection.execute("SELECT unit FROM submission")}
    connection.close()

    assert 28 <= len(ids) <= 34
    assert seen <= ids
    assert all(successor in ids for unit in units for successor in unit.get("successors", ()))
    assert all(unicodedata.is_normalized("NFC", unit["name"]["vi"]) for unit in units)


def test_the_district_closed_on_30_june_2025_has_nothing_later(example: Path) -> None:
    rows = published(example, "huyen-dien-khanh")

    assert rows
    assert max(row[3].date() for row in rows) <= date(2025, 6, 30)


def test_the_portal_is_updated_each_working_day_but_every_other_monday(example: Path) -> None:
    since = date(2026, 10, 5)
    days = {row[3].date() for row in published(example, "portal", since=since)}
    working = {since + timedelta(days=offset) for offset in range((TODAY - since).days)}
    working = {day for day in working if day.weekday() < 5} - {date(2026, 11, 24)}

    assert date(2026, 11, 24) not in days, "a day off"
    assert {date(2026, 8, 31), date(2026, 9, 1), date(2026, 9, 2)}.isdisjoint(
        row[3].date() for row in published(example, "portal")
    )
    assert working - days == {date(2026, 10, 5), date(2026, 10, 19), date(2026, 11, 2), date(2026, 11, 16)}


def test_a_made_up_saturday_is_worked(example: Path) -> None:
    assert date(2026, 8, 22) in {row[3].date() for row in published(example, "portal")}


def test_one_unit_dates_its_items_back(example: Path) -> None:
    rows = published(example, "phuong-tay-nha-trang")

    assert rows
    assert all(made - claimed > timedelta(hours=24) for _key, _title, _body, made, claimed in rows)


def test_one_unit_publishes_old_items_again(example: Path) -> None:
    rows = published(example, "so-cong-thuong")
    recent = [row for row in rows if row[4].date() >= TODAY - timedelta(weeks=13)]

    assert len(recent) >= 20
    assert all(row[4] - row[3] > timedelta(days=180) for row in recent)


def test_one_unit_posts_ten_at_once_and_only_once_a_week(example: Path) -> None:
    moments = [
        row[3]
        for row in published(example, "so-noi-vu", since=date(2026, 11, 16))
        if row[3].date() < date(2026, 11, 23)
    ]

    assert len(moments) == 10
    assert max(moments) - min(moments) < timedelta(minutes=30)


def test_one_unit_is_silent(example: Path) -> None:
    assert published(example, "xa-khanh-son", since=date(2026, 1, 1)) == []


def test_one_unit_writes_in_a_legacy_encoding_and_one_with_marks_apart(example: Path) -> None:
    assert all(check_text(f"{row[1]} {row[2]}")[0] == "legacy-encoding" for row in published(example, "xa-van-ninh"))
    assert all(check_text(f"{row[1]} {row[2]}") == ("not-nfc",) for row in published(example, "phuong-ninh-hoa"))


def test_all_other_text_is_proper_unicode(example: Path) -> None:
    for site in ("portal", "so-y-te", "xa-khanh-vinh", "phuong-tay-nha-trang"):
        assert [row for row in published(example, site) if check_text(f"{row[1]} {row[2]}")] == []


def test_texts_differ_from_each_other_but_where_a_unit_repeats_itself(example: Path) -> None:
    with sqlite3.connect(example / "portal.sqlite") as connection:
        again = connection.execute(
            "SELECT site FROM article WHERE state = 'published' GROUP BY body HAVING count(*) > 1"
        ).fetchall()
    connection.close()

    assert {site for (site,) in again} == {"xa-dien-lac"}


def test_the_portal_has_both_languages_all_kinds_and_all_three_states(example: Path) -> None:
    with sqlite3.connect(example / "portal.sqlite") as connection:
        languages = {row[0] for row in connection.execute("SELECT language FROM article WHERE site = 'portal'")}
        kinds = {row[0] for row in connection.execute("SELECT kind FROM article WHERE site = 'portal'")}
        states = {row[0] for row in connection.execute("SELECT state FROM article WHERE site = 'portal'")}
    connection.close()

    assert languages == {"vi", "en"}
    assert kinds == set(range(1, 13))
    assert states == {"published", "draft", "copy"}


def test_no_secret_is_made(example: Path) -> None:
    with sqlite3.connect(example / "portal.sqlite") as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(account)")}
    connection.close()

    assert columns == {"login", "name", "unit", "role", "active"}


def test_feeds_are_xml_and_short(example: Path) -> None:
    rss = ET.parse(example / "feeds/xa-cam-lam.rss").getroot()
    atom = ET.parse(example / "feeds/phuong-phan-rang.atom").getroot()

    assert len(rss.findall("channel/item")) == 20
    assert len(atom.findall("{http://www.w3.org/2005/Atom}entry")) == 20


def test_each_number_of_the_register_is_given_once_a_year(example: Path) -> None:
    with (example / "register/so-van-ban-den.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert {"UBND đặc khu Trường Sa", "Thanh tra tỉnh"} == {row["tác giả"] for row in rows}
    assert len({(row["số đến"], row["ngày đến"][-4:]) for row in rows}) == len(rows)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--into", str(tmp_path / "file" / "example")],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 4
    assert done.stderr.startswith("error: cannot build the example in")
    assert "Traceback" not in done.stderr
