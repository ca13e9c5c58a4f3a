"""`portalops report index`: what really lies in a folder, digests of the bytes, and links that lead to the files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.heads import code_of
from portalops.ledger.ledger import Ledger
from portalops.model.heads import Head
from portalops.model.record import Digest, RunId
from portalops.model.runs import Plan, ReportResult, WrittenFile
from tests.accounts import as_ordinary_user
from tests.commands.test_report import CONFIGURATION, RECORDED_AT, portalops
from tests.doubles import FixedClock
from tests.reports.page import Element, Page
from tests.reports.sample import digest
from tests.shapes import data_in


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration and a ledger that holds a plan."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    with closing(Ledger.open(tmp_path / "state", FixedClock(RECORDED_AT), create=True)) as ledger:
        plan = {"plan": asdict(Plan((), "kh-37-2010@1", digest("0")))}
        ledger.append("plan", run=RunId("plan:1"), body=json.dumps(plan).encode())
    return tmp_path


def links(of: Page) -> list[Element]:
    return [link for body in of.root.all("tbody") for link in body.all("a")]


def test_the_command_lists_what_really_lies_there(
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = home / "audit"
    assert portalops(home, "report", "build", "compliance", "--period", "2026-11", "--output", str(folder)) == 0
    report = folder / "demo-compliance-2026-11-01--2026-11-30.en.html"
    (folder / "deep").mkdir()
    shutil.move(report, folder / "deep" / report.name)
    (folder / os.fsdecode(b"a\xff.txt")).write_text("x")
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "broken").mkdir()
    (folder / "broken" / "bundle.json").write_text("{}")
    capsys.readouterr()

    code = portalops(home, "--json", "report", "index", str(folder), "--language", "en")

    data = data_in(capsys.readouterr().out, "report index")
    assert code == ExitCode.PARTIAL
    found = {each["path"]: each for each in data["files"]}
    assert set(found) == {f"deep/{report.name}", report.name.replace(".en.", ".vi."), "a\\udcff.txt"}
    deep = (folder / "deep" / report.name).read_bytes()
    assert found[f"deep/{report.name}"]["sha256"] == hashlib.sha256(deep).hexdigest()
    assert found[f"deep/{report.name}"]["size_bytes"] == len(deep)
    assert [each["path"] for each in data["bundles"]] == ["broken"]
    written = (folder / "index.en.html").read_bytes()
    assert [each["sha256"] for each in data["pages"]] == [hashlib.sha256(written).hexdigest()]
    for link in links(Page(written.decode())):
        assert (folder / os.fsdecode(unquoted(link.attributes["href"]))).exists()
    assert portalops(home, "-q", "report", "index", str(folder), "--language", "en") == ExitCode.PARTIAL
    assert "index.en.html" not in Page((folder / "index.en.html").read_text()).root.all("main")[0].words()


def unquoted(href: str) -> bytes:
    return unquote_to_bytes(href)


def test_a_file_is_known_by_its_bytes_and_not_by_its_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home, "--json", "report", "build", "compliance", "--period", "2026-11", "--language", "en")
    (made,) = data_in(capsys.readouterr().out, "report build")
    file = WrittenFile(made["id"], "en", made["size_bytes"], Digest(made["sha256"]))
    body = {"report": asdict(ReportResult("compliance", "2026-11-01..2026-11-30", (file,)))}
    with closing(Ledger.open(home / "state", FixedClock(RECORDED_AT), create=True)) as ledger:
        seq = ledger.append("report.finished", run=RunId("weekly:1"), body=json.dumps(body).encode()).seq
    path = home / "reports" / made["id"]
    shutil.copy(path, home / "reports" / "copy.html")
    path.write_bytes(path.read_bytes() + b"\n")

    assert portalops(home, "--json", "report", "index", "--language", "en") == ExitCode.OK

    files = {each["path"]: each for each in data_in(capsys.readouterr().out, "report index")["files"]}
    assert files["copy.html"]["records"] == [{"seq": seq, "deed": "written"}]
    assert files["copy.html"]["report"] == "compliance"
    assert files[made["id"]]["records"] == []
    words = Page((home / "reports" / "index.en.html").read_text(encoding="utf-8")).root.words()
    assert f"unknown: record {seq} names a file of this name with other bytes" in words


def test_programs_are_told_the_head_code_that_the_page_shows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a PDF no code stands as text: the record that knows its bytes tells it."""
    data = b"%PDF-1.7 compressed"
    head = Head("5f0c" * 8, 3, digest("3"), RECORDED_AT, digest("0"))
    file = WrittenFile("a.pdf", "vi", len(data), Digest(hashlib.sha256(data).hexdigest()))
    body = bodies.write({"report": ReportResult("compliance", "2026-11-01..2026-11-30", (file,), head)})
    with closing(Ledger.open(home / "state", FixedClock(RECORDED_AT), create=True)) as ledger:
        ledger.append("report.finished", run=RunId("weekly:1"), body=body)
    (home / "reports").mkdir()
    (home / "reports" / "a.pdf").write_bytes(data)

    assert portalops(home, "--json", "report", "index", "--language", "en") == ExitCode.OK

    (told,) = data_in(capsys.readouterr().out, "report index")["files"]
    assert told["head_code"] == code_of(head)
    assert code_of(head) in Page((home / "reports" / "index.en.html").read_text(encoding="utf-8")).root.words()


def test_an_index_may_lie_beside_the_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home, "report", "build", "compliance", "--language", "en")
    assert portalops(home, "report", "index", "--output", str(home / "pages"), "--language", "en") == ExitCode.OK
    (link,) = links(Page((home / "pages" / "index.en.html").read_text(encoding="utf-8")))
    assert link.attributes["href"].startswith("./../reports/")
    assert (home / "pages" / link.attributes["href"]).exists()


def test_a_folder_that_is_none_is_wrong_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "report", "index", str(home / "nowhere")) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "nowhere is not a folder" in said and "hint: " in said
    assert not (home / "nowhere").exists()


def test_a_folder_that_may_not_be_searched_is_told_and_no_fault(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "audit").mkdir()
    assert portalops(home, "report", "index", str(home / "audit")) == 0
    capsys.readouterr()

    with as_ordinary_user() as folder:
        (folder / "closed" / "below").mkdir(parents=True)
        (folder / "closed").chmod(0)
        with closing(Ledger.open(folder / "state", FixedClock(RECORDED_AT), create=True)):
            (folder / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
        code = portalops(folder, "--json", "report", "index", str(folder), "--output", str(folder / "pages"))
        (folder / "closed").chmod(0o700)

    assert code == ExitCode.PARTIAL
    assert any("closed" in each for each in json.loads(capsys.readouterr().out)["warnings"])
