"""`updates discover` and `unit import`: sites on this machine become units and sources that are polled and judged."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.checks.updates import cms_sites
from tests.shapes import validate_answer
from tests.web import WebServer, redirect, web_server
from tests.web import answer as http_answer

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
"""


class Office:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "portalops.toml").write_text(CONFIGURATION, "utf-8")

    def call(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = run(["--json", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        validate_answer(arguments, answer)
        return code, answer

    def said(self, *arguments: str) -> str:
        run(["--config", str(self.folder / "portalops.toml"), *arguments], {})
        return self._capsys.readouterr().out

    def list_of_units(self, *rows: tuple[object, ...], head: tuple[tuple[object, ...], ...] = ()) -> str:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        headings = ("STT", "Tên đơn vị", "Mã", "Trang thông tin", "Tên miền thư", "Tên khác", "Từ ngày", "Ghi chú")
        for row in (*head, headings, *rows):
            sheet.append([*row])
        path = self.folder / "don-vi.xlsx"
        book.save(path)
        return str(path)

    def tables(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "conf.d" / "units.toml").read_text("utf-8"))


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


@pytest.fixture
def servers() -> Iterator[list[WebServer]]:
    with web_server() as first, web_server() as second:
        first.pages.update(cms_sites.wordpress(first.url))
        second.pages.update(cms_sites.drupal(second.url))
        yield [first, second]


# --- updates discover -----------------------------------------------------------------------------


def test_what_a_site_has_is_shown_and_nothing_is_written(office: Office, servers: list[WebServer]) -> None:
    code, answer = office.call("updates", "discover", servers[0].url, "--wait", "0")

    (site,) = answer["data"]["sites"]
    assert (code, site["problem"], site["unit"], site["generator"]) == (0, "", "so-y-te", "WordPress 6.4.3")
    assert [(one["kind"], one["items"], one["newest_first"]) for one in site["sources"]] == [("json-feed", 20, True)]
    assert answer["data"]["written"] is False
    assert (office.folder / "portalops.toml").read_text("utf-8") == CONFIGURATION


def test_a_kind_of_source_is_shown_in_the_readers_words(office: Office, servers: list[WebServer]) -> None:
    found = office.said("--lang", "vi", "updates", "discover", servers[0].url, servers[1].url, "--wait", "0")
    listed = office.said(
        "--lang", "vi", "unit", "import", office.list_of_units((1, "Sở X", "so-x", servers[1].url, "", "", "", ""))
    )

    assert "dữ liệu JSON" in found and "nguồn tin RSS, Atom" in found
    assert "nguồn tin RSS, Atom" in listed


def test_what_is_written_is_polled_at_the_next_collecting(office: Office, servers: list[WebServer]) -> None:
    _code, answer = office.call("updates", "discover", servers[0].url, "--wait", "0", "--write")
    text = (office.folder / "portalops.toml").read_text("utf-8")
    _code, polled = office.call("updates", "collect")

    assert text == CONFIGURATION + answer["data"]["table"]
    assert 'unit = "so-y-te"' in answer["data"]["table"]
    assert [(poll["ok"], poll["items"]) for poll in polled["data"]] == [(True, 20)]


def test_an_address_that_is_a_source_already_is_left_out(office: Office, servers: list[WebServer]) -> None:
    office.call("updates", "discover", servers[0].url, "--wait", "0", "--write")
    before = (office.folder / "portalops.toml").read_text("utf-8")

    code, answer = office.call("updates", "discover", servers[0].url, "--wait", "0", "--write")

    assert (code, answer["data"]["written"], answer["data"]["table"]) == (0, False, "")
    assert "is already the source" in answer["warnings"][0]
    assert (office.folder / "portalops.toml").read_text("utf-8") == before


def test_a_site_of_nobody_known_is_named_so(office: Office, servers: list[WebServer]) -> None:
    _code, answer = office.call("updates", "discover", servers[1].url, "--wait", "0")

    assert "--unit" in answer["warnings"][0]
    assert "unit =" not in answer["data"]["table"]


def test_a_person_sees_dates_as_they_are_read_and_the_tables(office: Office, servers: list[WebServer]) -> None:
    told = office.said("updates", "discover", servers[1].url, "--unit", "so-y-te", "--wait", "0")

    assert "[[updates.source]]" in told
    assert "/rss.xml" in told
    assert cms_sites.TITLES[0] in told


def test_a_site_that_has_nothing_is_told_with_its_reason(office: Office, servers: list[WebServer]) -> None:
    servers[1].pages.clear()

    code, answer = office.call("updates", "discover", servers[0].url, servers[1].url, "--wait", "0", "--write")

    assert code == ExitCode.PARTIAL
    assert ["404" in site["problem"] for site in answer["data"]["sites"]] == [False, True]
    assert answer["data"]["written"] is True


@pytest.mark.parametrize("url", ["ftp://a.example", "https://u:p@a.example", "http://[", "a b", ""])
def test_what_is_no_address_is_refused(office: Office, url: str) -> None:
    code, answer = office.call("updates", "discover", url)

    assert (code, "is not the address of a site" in answer["error"]["message"]) == (ExitCode.USAGE, True)


def _elsewhere(server: WebServer) -> str:
    """Return a server's address under its other name, which is another host."""
    return server.url.replace("127.0.0.1", "localhost")


def test_a_site_that_leads_to_another_host_is_named_and_not_taken(office: Office, servers: list[WebServer]) -> None:
    servers[1].pages["/"] = redirect(_elsewhere(servers[0]) + "/", "301 Moved Permanently")

    code, answer = office.call("updates", "discover", servers[1].url, "--inside", "--wait", "0", "--write")

    (site,) = answer["data"]["sites"]
    assert (code, site["sources"], answer["data"]["written"]) == (ExitCode.PARTIAL, [], False)
    assert f"redirects to {_elsewhere(servers[0])}/, another site" in site["problem"]


def test_a_usual_place_that_leads_to_another_hosts_feed_is_not_the_sites(
    office: Office, servers: list[WebServer]
) -> None:
    servers[1].pages["/rss.xml"] = redirect(f"{_elsewhere(servers[0])}/feed/")

    _code, answer = office.call("updates", "discover", servers[1].url, "--inside", "--wait", "0")

    assert answer["data"]["sites"][0]["sources"] == []


# --- unit import ----------------------------------------------------------------------------------


def test_a_list_becomes_units_and_sources(office: Office, servers: list[WebServer]) -> None:
    path = office.list_of_units(
        (
            1,
            "Sở Tư pháp",
            None,
            servers[0].url,
            "sotuphap.khanhhoa.example",
            "STP; Tư pháp Khánh Hòa",
            "01/07/2025",
            "x",
        ),
        (2, "UBND xã Diên An", None, servers[1].url, None, None, date(2025, 7, 1)),
        (3, "Thanh tra tỉnh", "thanh-tra", None, None, None, None),
        head=(("ỦY BAN NHÂN DÂN TỈNH",), ("DANH SÁCH ĐƠN VỊ",), ()),
    )

    code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    assert code == ExitCode.OK
    units = {unit["id"]: unit for unit in office.tables()["unit"]}
    sources = office.tables()["updates"]["source"]
    assert units["so-tu-phap"]["aliases"] == ["STP", "Tư pháp Khánh Hòa", "sotuphap.khanhhoa.example"]
    assert (units["so-tu-phap"]["valid_from"], units["xa-dien-an"]["valid_from"]) == (
        date(2025, 7, 1),
        date(2025, 7, 1),
    )
    assert units["thanh-tra"]["has_subportal"] is False
    assert {unit["cases_from"].isoformat() for unit in units.values()} == {answer["data"]["cases_from"]}
    assert [(source["unit"], source["kind"]) for source in sources] == [
        ("so-tu-phap", "json-feed"),
        ("xa-dien-an", "feed"),
    ]
    assert answer["data"]["passed_over"] == ["Ghi chú"]
    assert answer["data"]["not_found"] == []
    assert {unit["id"]: unit["site"] for unit in answer["data"]["units"]}["thanh-tra"] == ""


def test_units_without_a_site_are_listed_apart_from_what_could_not_be_found(office: Office) -> None:
    path = office.list_of_units((1, "Thanh tra tỉnh", "thanh-tra", None), (2, "Ban Dân tộc", "ban-dan-toc", None))

    said = " ".join(office.said("unit", "import", path, "--wait", "0").split())

    assert "The list names no site of 2 units, so no sub-portal is expected of them: thanh-tra, ban-dan-toc" in said
    assert "could not be found" not in said
    assert "without a source" not in said


def test_imported_units_are_collected_and_judged(office: Office, servers: list[WebServer]) -> None:
    office.call(
        "unit", "import", office.list_of_units((1, "Sở Tư pháp", None, servers[0].url)), "--wait", "0", "--write"
    )

    _code, polled = office.call("updates", "collect")
    _code, cases = office.call("case", "list")

    assert [poll["ok"] for poll in polled["data"]] == [True]
    assert cases["data"] == []


def test_units_that_are_there_are_left_and_nothing_is_overwritten(office: Office, servers: list[WebServer]) -> None:
    path = office.list_of_units((1, "Sở Tư pháp", None, servers[0].url), (2, "sở  y tế", None, servers[1].url))
    office.call("unit", "import", path, "--wait", "0", "--write")
    first = (office.folder / "conf.d" / "units.toml").read_bytes()

    _code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    assert [unit["new"] for unit in answer["data"]["units"]] == [False, False]
    assert answer["data"]["written"] is False
    assert (office.folder / "conf.d" / "units.toml").read_bytes() == first


def test_a_unit_that_the_list_names_another_way_is_no_new_one(office: Office) -> None:
    path = office.list_of_units((1, "Sở Y tế tỉnh Khánh Hòa", "syt", None))

    _code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    assert [unit["new"] for unit in answer["data"]["units"]] == [False]
    assert not (office.folder / "conf.d").exists()


def test_what_cannot_be_found_is_reported_with_its_row_and_reason(office: Office, servers: list[WebServer]) -> None:
    servers[0].pages = dict(cms_sites.scripted(servers[0].url))
    path = office.list_of_units(
        (1, "Sở Tư pháp", None, servers[0].url, "khanhhoa.example", None, "hôm qua"),
        (2, "Sở Nội vụ", None, servers[1].url, "khanhhoa.example", None, None),
        (3, None, None, servers[1].url, None, None, None),
        (4, "Sở Nội vụ", None, servers[1].url, None, None, None),
    )

    code, answer = office.call("unit", "import", path, "--wait", "0")
    told = office.said("unit", "import", path, "--wait", "0")

    found = [(each["row"], each["why"]) for each in answer["data"]["not_found"]]
    assert code == ExitCode.PARTIAL
    assert [row for row, _why in found] == [2, 2, 2, 3, 4, 5]
    assert any("built by scripts" in why for _row, why in found)
    assert any("is not a day" in why for _row, why in found)
    assert any("is of several units" in why for _row, why in found)
    assert "[[updates.source]]\nid" in answer["data"]["table"]
    assert not (office.folder / "conf.d").exists()
    assert "Sở Nội vụ" in told


def test_a_site_that_leads_to_the_portals_is_named_with_whose_it_is(office: Office, servers: list[WebServer]) -> None:
    portal = _elsewhere(servers[0])
    office.call("updates", "discover", portal, "--channel", "portal", "--inside", "--wait", "0", "--write")
    servers[1].pages["/"] = redirect(f"{portal}/")
    path = office.list_of_units((1, "Xã Cam Hiệp", None, servers[1].url))

    code, answer = office.call("unit", "import", path, "--inside", "--wait", "0", "--write")

    (missing,) = answer["data"]["not_found"]
    assert (code, answer["data"]["units"][0]["sources"]) == (ExitCode.PARTIAL, [])
    assert f"redirects to {portal}/, the site of the portal" in missing["why"]
    assert "updates" not in office.tables()


def test_a_site_that_is_the_portals_source_is_no_units(office: Office, servers: list[WebServer]) -> None:
    office.call("updates", "discover", servers[0].url, "--channel", "portal", "--wait", "0", "--write")
    path = office.list_of_units((1, "Xã Cam Hiệp", None, servers[0].url))

    code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    assert (code, answer["data"]["units"][0]["sources"]) == (ExitCode.PARTIAL, [])
    assert "of the portal" in answer["data"]["not_found"][0]["why"]
    assert "updates" not in office.tables()


def test_one_site_of_two_units_becomes_the_source_of_neither(office: Office, servers: list[WebServer]) -> None:
    path = office.list_of_units((1, "Phường Nha Trang", None, servers[0].url), (2, "Sở Tư pháp", None, servers[0].url))

    code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    said = [each["why"] for each in answer["data"]["not_found"]]
    assert (code, [unit["sources"] for unit in answer["data"]["units"]]) == (ExitCode.PARTIAL, [[], []])
    assert ["so-tu-phap too" in said[0], "phuong-nha-trang too" in said[1]] == [True, True]
    assert "updates" not in office.tables()


def test_of_one_name_with_two_ids_neither_is_written_and_both_rows_are_named(office: Office) -> None:
    path = office.list_of_units(
        (1, "Sở Tư pháp", "so-a", None), (2, "sở tư pháp", "so-b", None), (3, "Xã Diên An", None, None)
    )

    code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    said = [(each["row"], each["why"]) for each in answer["data"]["not_found"] if each["unit"] is None]
    assert code == ExitCode.PARTIAL
    assert said == [(row, "Sở Tư pháp has several ids, in the rows 2, 3: none is taken") for row in (2, 3)]
    assert [unit["id"] for unit in office.tables()["unit"]] == ["xa-dien-an"]


def test_one_unit_in_several_spellings_is_one(office: Office) -> None:
    rows = [(n, name, None, None) for n, name in enumerate(("Xã Hòa Trí", "Xã Hoà Trí", "UBND xã Hòa Trí"))]

    _code, answer = office.call("unit", "import", office.list_of_units(*rows), "--wait", "0", "--write")

    said = [each["why"] for each in answer["data"]["not_found"] if each["unit"] is None]
    assert said == ["Xã Hoà Trí is in row 2 already", "UBND xã Hòa Trí is in row 2 already"]
    assert [unit["id"] for unit in office.tables()["unit"]] == ["xa-hoa-tri"]


def test_an_id_that_another_row_has_is_named_with_the_one_that_is_taken(office: Office) -> None:
    path = office.list_of_units((1, "Sở Nội vụ", "so-noi-vu", None), (2, "Thanh tra tỉnh", "SO-NOI-VU!", None))

    _code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    said = [each["why"] for each in answer["data"]["not_found"] if each["row"] == 3]
    assert "the id so-noi-vu! is that of row 2; so-noi-vu-2 is taken instead" in said
    assert [unit["id"] for unit in office.tables()["unit"]] == ["so-noi-vu", "so-noi-vu-2"]


def test_a_formula_that_was_never_calculated_is_named_and_no_name(office: Office) -> None:
    path = office.list_of_units((1, '="Sở "&"Y tế"', None, None), (2, '="Sở Tư pháp"', None, None))

    _code, answer = office.call("unit", "import", path, "--wait", "0", "--write")

    said = [each["why"] for each in answer["data"]["not_found"] if each["row"] == 2]
    assert said == ['="Sở "&"Y tế" is a formula without a value; it is left out', "it has no name"]
    assert [unit["name"]["vi"] for unit in office.tables()["unit"]] == ["Sở Tư pháp"]


def test_a_csv_of_excel_in_vietnamese_is_read(office: Office, servers: list[WebServer]) -> None:
    path = office.folder / "don-vi.csv"
    path.write_text(
        f"Tên cơ quan, đơn vị;Trang;Tên khác\nSở Tư pháp;{servers[1].url};\nXã Diên An;;UBND P. Diên An\n", "utf-8-sig"
    )

    _code, answer = office.call("unit", "import", str(path), "--wait", "0", "--write")

    assert [unit["id"] for unit in answer["data"]["units"]] == ["so-tu-phap", "xa-dien-an"]
    assert office.tables()["unit"][1]["aliases"] == ["UBND P. Diên An"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"a,b\n1,2\n", "has no headings"),
        ("a.csv", b"", "has no headings"),
        ("a.csv", b"a,b\n1,2\n", "it begins with: a, b"),
        ("a.csv", "Tên,Mã\n,\n".encode(), "has no unit"),
        ("a.csv", "Tên,Mã\nSở Y tế,a\n".encode("utf-16-le"), "UTF-16"),
        ("a.csv", 'Tên,Mã\n"Sở Y tế,a\nSở A",b"\n"Sở B\n'.encode(), "is not CSV"),
        ("a.xlsx", b"\x01\x02\xff", "is no workbook"),
        ("a.csv", "Tên\nSở".encode("cp1258", "replace"), "is not UTF-8"),
        ("a.xlsx", b"PK\x03\x04 none", "is not a workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
        ("missing.csv", None, "cannot read"),
    ],
)
def test_a_list_that_is_none_is_refused(office: Office, name: str, data: bytes | None, said: str) -> None:
    path = office.folder / name
    if data is not None:
        path.write_bytes(data)

    code, answer = office.call("unit", "import", str(path))

    assert (code, said in answer["error"]["message"]) == (ExitCode.USAGE, True)


def test_a_hundred_units_are_asked_at_once(office: Office, servers: list[WebServer]) -> None:
    rows = [(n, f"Xã R{n}", None, f"{servers[1].url}/xa-{n}/") for n in range(100)]
    for n in range(100):
        servers[1].pages[f"/xa-{n}/"] = servers[1].pages["/"]
        servers[1].pages[f"/xa-{n}/rss.xml"] = http_answer(cms_sites.rss(servers[1].url, f"/xa-{n}/{{}}"))

    _code, answer = office.call("unit", "import", office.list_of_units(*rows), "--wait", "0")

    assert sum(bool(unit["sources"]) for unit in answer["data"]["units"]) == 100
