"""Building reports from the command line."""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from portalops.model.runs import Plan, ReportResult, WrittenFile
from portalops.reports import formats
from portalops.reports.named import report_names
from tests.doubles import FixedClock
from tests.reports.sample import digest
from tests.shapes import data_in

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[report]
folder = "reports"
languages = ["vi", "en"]
"""
RECORDED_AT = datetime(2026, 11, 1, 2, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration and a ledger of one record."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    ledger = Ledger.open(tmp_path / "state", FixedClock(RECORDED_AT), create=True)
    ledger.append(
        "plan", run=RunId("plan:1"), body=json.dumps({"plan": asdict(Plan((), "kh-37-2010@1", digest("0")))}).encode()
    )
    ledger.close()
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)


def test_a_report_is_written_in_each_language_and_format_with_its_digest(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = portalops(
        home, "--json", "report", "build", "compliance", "--period", "2026-11", "--format", "html", "--format", "json",
        "--language", "both", "--output", str(home / "out"),
    )  # fmt: skip
    assert code == ExitCode.OK
    files = data_of(capsys, "report build")
    assert [file["id"] for file in files] == [
        "demo-compliance-2026-11-01--2026-11-30.vi.html",
        "demo-compliance-2026-11-01--2026-11-30.en.html",
        "demo-compliance-2026-11-01--2026-11-30.vi.json",
        "demo-compliance-2026-11-01--2026-11-30.en.json",
    ]
    for file in files:
        data = Path(file["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["size_bytes"], file["sha256"])
    assert {path.name for path in (home / "out").iterdir()} == {file["id"] for file in files}


def test_without_options_the_configured_folder_and_languages_are_used(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home, "report", "build", "compliance") == ExitCode.OK
    assert sorted(path.suffixes[-2:] for path in (home / "reports").iterdir()) == [[".en", ".html"], [".vi", ".html"]]
    assert "SHA-256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "there is no report nothing"),
        (("compliance", "--format", "odt"), "no report format is named odt"),
        (("compliance", "--language", "fr"), "--language does not take fr"),
        (("compliance", "--period", "soon"), "--period does not take soon"),
    ],
)
def test_wrong_names_are_wrong_usage_and_write_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert portalops(home, "report", "build", *arguments) == ExitCode.USAGE
    errors = capsys.readouterr().err
    assert words in errors
    assert "hint: " in errors
    assert not (home / "reports").exists()


def test_what_a_machine_lacks_for_a_format_is_a_warning(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        portalops(home, "--json", "report", "build", "compliance", "--format", "pdf", "--language", "en") == ExitCode.OK
    )
    said = json.loads(capsys.readouterr().out)
    assert Path(said["data"][0]["path"]).read_bytes().startswith(b"%PDF-")
    lacks = [str(each) for each in formats.lacks([formats.load("pdf")])]
    assert [each for each in said["warnings"] if "font" in each] == lacks


def test_a_format_that_cannot_be_made_here_is_told_before_anything_is_written(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    code = portalops(home, "report", "build", "compliance", "--format", "html", "--format", "pdf")
    assert code == ExitCode.USAGE
    assert "PDF needs the package typst, which is not installed" in capsys.readouterr().err
    assert not (home / "reports").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_failure(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file").write_text("", encoding="utf-8")
    assert portalops(home, "report", "build", "compliance", "--output", str(home / "file")) == ExitCode.FAILED
    assert "cannot write" in capsys.readouterr().err


def test_without_a_ledger_there_is_nothing_to_report_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    assert portalops(tmp_path, "report", "build", "compliance") == ExitCode.FAILED
    assert "error[PO1102]" in capsys.readouterr().err


def test_the_list_names_reports_formats_and_what_was_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = ReportResult("compliance", "2026-11-01..2026-11-30", (WrittenFile("a.html", "vi", 3, digest("a")),))
    ledger = Ledger.open(home / "state", FixedClock(RECORDED_AT), create=True)
    ledger.append("report.finished", run=RunId("report:1"), body=json.dumps({"report": asdict(written)}).encode())
    ledger.close()
    assert portalops(home, "--json", "report", "list") == ExitCode.OK
    listed = {each["id"]: each for each in data_of(capsys, "report list")}
    assert list(listed) == list(report_names())
    found = listed["compliance"]
    assert found["formats"] == list(formats.names())
    assert [each["period"] for each in found["written"]] == ["2026-11-01..2026-11-30"]
    assert found["written"][0]["files"] == [{"name": "a.html", "sha256": "a" * 64}]
    assert listed["servers"]["scopes"] == ["host"]
    assert listed["servers"]["written"] == []


def test_the_list_works_before_anything_is_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    assert portalops(tmp_path, "report", "list") == ExitCode.OK
    assert "No report is recorded yet." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "web1"), "the report compliance cannot be limited by --host"),
        (("--host", "web1"), "These can: access, changes, servers."),
        (("--unit", "so-y-te"), "the report compliance cannot be limited by --unit"),
        (("--unit", "so-y-te"), "These can: updates."),
        (("--unit", "so-y-te", "--host", "web1"), "one unit or one host, not both"),
    ],
)
def test_a_report_is_cut_down_only_to_what_it_can_be(
    home: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert portalops(home, "report", "build", "compliance", "--period", "2026-11", *options) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert not (home / "reports").exists()


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("backups", ["No backup set was made in the period.", "No drill was held in the period."]),
        ("evidence", ["By the end of the period no head is recorded", "records 1 to 2: each names the digest"]),
    ],
)
def test_a_ledger_without_work_gives_reports_that_say_so_in_every_format(
    home: Path, name: str, sentences: list[str]
) -> None:
    wanted = [part for form in ("html", "markdown", "json", "csv") for part in ("--format", form)]
    code = portalops(home, "report", "build", name, "--period", "2026-11", *wanted, "--language", "both")

    assert code == ExitCode.OK
    page = (home / "reports" / f"demo-{name}-2026-11-01--2026-11-30.en.md").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in sentences)
    assert len(list((home / "reports").iterdir())) == 8


def test_a_format_that_cannot_hold_the_report_leaves_no_file_of_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home, "report", "build", "evidence", "--format", "html", "--format", "oscal") != ExitCode.OK

    assert "this document has none" in capsys.readouterr().err
    assert not (home / "reports").exists()


def test_details_that_are_gone_keep_no_other_report_out_of_the_list(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Ledger.open(home / "state", FixedClock(RECORDED_AT), create=True)) as ledger:
        gone, kept = (
            ledger.append(
                "report.finished",
                run=RunId(f"weekly:{day}"),
                body=bodies.write({"report": ReportResult("compliance", f"2026-11-0{day}..2026-11-08", ())}),
            )
            for day in (1, 2)
        )
        ledger.remove_blob(gone.body)

    assert portalops(home, "--json", "report", "list") == ExitCode.OK

    told = capsys.readouterr()
    (compliance,) = [each for each in data_in(told.out, "report list") if each["id"] == "compliance"]
    assert [each["seq"] for each in compliance["written"]] == [kept.seq]
    assert f"record {gone.seq} cannot be read: blob {gone.body} is missing" in told.out + told.err
