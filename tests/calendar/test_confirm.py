"""The official notice of a year is taken by a command, which writes, asks and records."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.bodies import required_part
from portalops.calendar import load
from portalops.errors import ExitCode
from portalops.model.calendar_notices import CalendarNotice
from portalops.registers.calendar_notices import CALENDAR_NOTICE, CONFIRMED
from tests.commands.signed_home import Home
from tests.shapes import validate

DOCUMENT = "Thông báo số 123/TB-BNV, 20/11/2026"
STORM = '# Ngày nghỉ của tỉnh\nprovince_off = [{ date = 2026-11-20, name = "bão", document = "Công điện 1/CĐ-UBND" }]'
CALENDAR = '[calendar]\nfile = "own.toml"\n'


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys, key=False, extra=CALENDAR)


def confirm(home: Home, *arguments: str, code: ExitCode = ExitCode.OK, document: str = DOCUMENT) -> Any:
    call = ["--config", str(home.folder / "portalops.toml"), "--json", "--no-input", "calendar", "confirm", "2027"]
    found = run([*call, "--document", document, *arguments], {})
    answer = json.loads(home.capsys.readouterr().out)
    assert found == code, answer
    if answer["error"]:
        return answer["error"]
    validate("calendar confirm", answer["data"])
    return answer["data"]


def test_the_notice_is_put_behind_what_the_file_holds_and_is_in_force(home: Home) -> None:
    own = home.folder / "own.toml"
    own.write_text(STORM, "utf-8")

    said = confirm(home, "--yes", "--work", "2027-02-04", "--off", "2027-02-11:tet")

    assert own.read_text("utf-8") == STORM + "\n" + said["toml"]
    calendar = load(own)
    assert calendar.confirmed(2027)
    assert calendar.is_working(date(2027, 2, 4))
    assert not calendar.is_working(date(2026, 11, 20))
    assert [each["id"] for each in said["changes"]] == ["2027-02-04", "2027-02-11"]


def test_the_first_notice_makes_the_file(home: Home) -> None:
    confirm(home, "--yes")

    assert (home.folder / "own.toml").read_text("utf-8").startswith("[[notice]]\nyear = 2027\n")
    assert load(home.folder / "own.toml").document(date(2027, 1, 1)) == DOCUMENT


def test_the_ledger_keeps_the_notice_and_its_paper_once(home: Home) -> None:
    paper = home.folder / "thong-bao.pdf"
    paper.write_bytes(b"%PDF-1.7 paper")

    first = confirm(home, "--yes", "--file", str(paper))
    again = confirm(home, "--yes", "--file", str(paper))

    (record,) = home.ledger.records(kinds=(CONFIRMED,))
    kept = required_part(home.ledger.blob(record.body), CALENDAR_NOTICE, CalendarNotice)
    assert (first["record"], first["written"]) == (record.seq, True)
    assert (again["record"], again["written"]) == (None, False)
    assert (kept.year, kept.document, kept.replaces) == (2027, DOCUMENT, "")
    assert date(2027, 2, 5) in kept.off
    assert kept.file is not None
    assert home.ledger.blob(kept.file) == b"%PDF-1.7 paper"


def test_a_year_that_rests_on_another_document_is_replaced_only_when_asked(home: Home) -> None:
    confirm(home, "--yes")

    refused = confirm(home, "--yes", document="Thông báo số 9/TB", code=ExitCode.USAGE)
    assert DOCUMENT in refused["message"]
    assert "--replace" in refused["hint"]

    confirm(home, "--yes", "--replace", document="Thông báo số 9/TB")
    newest = [*home.ledger.records(kinds=(CONFIRMED,))][-1]
    assert load(home.folder / "own.toml").document(date(2027, 1, 1)) == "Thông báo số 9/TB"
    assert required_part(home.ledger.blob(newest.body), CALENDAR_NOTICE, CalendarNotice).replaces == DOCUMENT


def test_nothing_is_written_without_a_yes_or_with_a_dry_run(home: Home) -> None:
    before = home.ledger.count()

    error = confirm(home, code=ExitCode.USAGE)
    shown = confirm(home, "--dry-run")

    assert "--yes is needed" in error["message"]
    assert (shown["written"], shown["record"]) == (False, None)
    assert not (home.folder / "own.toml").exists()
    assert home.ledger.count() == before


def test_a_configuration_without_a_calendar_file_is_told_which_key_to_set(home: Home) -> None:
    text = (home.folder / "portalops.toml").read_text("utf-8")
    home.configure(text.replace(CALENDAR, ""))

    error = confirm(home, "--yes", code=ExitCode.USAGE)

    assert "names no calendar file" in error["message"]
    assert "under [calendar]" in error["hint"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--off", "2027-02-11"], "--off: 2027-02-11 is not written as 2027-02-11:tet"),
        (["--off", "2026-02-11:tet"], "2026-02-11 is not in 2027"),
        (["--work", "11/02/2027"], "--work: 11/02/2027 is not written as"),
        (["--swap", "2027-09-01"], "--swap: 2027-09-01 is not written as"),
        (["--rows", "absent.toml"], "cannot read absent.toml"),
        (["--document", " "], "--document is empty"),
    ],
)
def test_a_wrong_call_writes_nothing(home: Home, arguments: list[str], problem: str) -> None:
    error = confirm(home, "--yes", *arguments, code=ExitCode.USAGE)

    assert problem in error["message"]
    assert not (home.folder / "own.toml").exists()


def test_the_rows_of_a_corrected_draft_are_taken_as_they_stand(home: Home) -> None:
    draft = home.folder / "lich-2027.toml"
    run(["calendar", "draft", "2027", "--output", str(draft)], {})
    home.capsys.readouterr()
    draft.write_text(draft.read_text("utf-8").replace("2027-02-04", "2027-02-11"), "utf-8")

    said = confirm(home, "--yes", "--rows", str(draft))

    assert [each["id"] for each in said["changes"]] == ["2027-02-04", "2027-02-11"]


def test_without_a_ledger_the_notice_is_in_force_and_nothing_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, capsys, key=False, extra=CALENDAR)
    home.configure((tmp_path / "portalops.toml").read_text("utf-8").replace('folder = "state"', 'folder = "new"'))

    said = confirm(home, "--yes")

    assert (said["written"], said["record"]) == (True, None)
    assert not (tmp_path / "new").exists()


def test_a_year_of_the_shipped_table_is_replaced_only_when_asked(home: Home) -> None:
    call = ["--config", str(home.folder / "portalops.toml"), "--json", "calendar", "confirm", "2026", "--yes"]

    code = run([*call, "--document", DOCUMENT], {})

    error = json.loads(home.capsys.readouterr().out)["error"]
    assert (code, "working_days.toml" in error["message"]) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("correction", [("--work", "2027-02-06"), ("--work", "2027-09-02"), ("--work", "2027-01-01")])
def test_a_notice_without_a_holiday_of_the_labour_code_is_refused_unless_it_is_so_printed(
    home: Home, correction: tuple[str, ...]
) -> None:
    refused = confirm(home, "--yes", *correction, code=ExitCode.USAGE)
    taken = confirm(home, "--yes", *correction, "--as-printed")

    assert refused["message"] == f"the notice leaves out {correction[1]}: days off by Article 112 of the Labour Code"
    assert taken["written"]


def test_rows_with_new_year_alone_are_no_notice_of_a_year(home: Home) -> None:
    rows = home.folder / "rows.toml"
    rows.write_text('off = [{ date = 2027-01-01, name = "new-year" }]', "utf-8")

    refused = confirm(home, "--yes", "--rows", str(rows), code=ExitCode.USAGE)

    assert "2027-02-08" in refused["message"] and "2027-04-30" in refused["message"]
