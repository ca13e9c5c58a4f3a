"""A report is shown on the terminal as a file would hold it, and nothing is written for it."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import jsonschema
import pytest

from portalops.errors import ExitCode
from portalops.ledger.heads import code_of
from portalops.locale import render
from portalops.reports import formats
from portalops.reports.document_schema import document_schema
from portalops.reports.named import load_report, report_names
from tests.accounts import as_ordinary_user
from tests.commands.test_report_proof import WEEK, home_in, portalops, read_only, session_in
from tests.ledger.ledgers import tamper
from tests.shapes import data_in, validate

OF_WEEK = ("--period", str(WEEK))


def holds(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder, without the empty ones that a reader of a database leaves beside it."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return {path: data for path in files if (data := path.read_bytes())}


@pytest.mark.parametrize("name", report_names())
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_report_is_shown_in_both_languages_and_nothing_is_written(
    tmp_path: Path, name: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    signed = session_in(home).record_head()
    assert signed is not None
    before = holds(home)

    assert portalops(home, "--lang", language, "report", "show", name, *OF_WEEK) == ExitCode.OK

    shown = capsys.readouterr().out
    assert code_of(signed.head) in shown
    assert render(load_report(name).title, language) in shown
    assert not {letter for letter in shown if unicodedata.category(letter) == "Cc" and letter != "\n"}
    assert holds(home) == before


def test_a_shown_report_says_that_it_signs_nothing_and_what_its_head_does_not_cover(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    session_in(home).record_head()

    portalops(home, "report", "show", "compliance", *OF_WEEK)

    shown = capsys.readouterr()
    assert "a report that is only shown signs none; 'portalops report build' does" in shown.out
    assert "warning" not in shown.err


def test_json_gives_the_document_as_the_format_json_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_in(tmp_path)

    assert portalops(home, "--json", "--lang", "vi", "report", "show", "evidence", *OF_WEEK) == ExitCode.OK

    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "portalops/1"
    jsonschema.Draft202012Validator(document_schema()).validate(answer["data"])
    validate("report show", answer["data"])
    assert answer["data"]["language"] == "vi"


def test_a_ledger_that_was_changed_is_told_by_the_exit_code_and_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    session_in(home).record_head()
    change = "UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '12.4:', '12.5:') AS BLOB) WHERE seq = 2"
    tamper(session_in(home).writable_ledger, change)

    assert portalops(home, "report", "show", "evidence", *OF_WEEK) == ExitCode.INTEGRITY

    shown = capsys.readouterr()
    assert "From record 2 on nothing in it can be trusted" in shown.out
    assert "From record 2 on nothing in it can be trusted" in shown.err


def test_details_that_somebody_decided_to_erase_are_unknown_and_no_change_of_the_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    record = session_in(home).ledger.record(3)
    assert record is not None
    decided = ("--reason", "a citizen asked for it", "--approved-by", "An", "--yes")
    assert portalops(home, "ledger", "erase", record.body, *decided) == ExitCode.OK
    capsys.readouterr()

    for name in ("evidence", "compliance"):
        assert portalops(home, "report", "show", name, *OF_WEEK) == ExitCode.OK

        shown = capsys.readouterr()
        assert "its details were erased for good, by record 4" in " ".join(shown.out.split())
        assert "can be trusted" not in shown.out + shown.err

    decision = session_in(home).ledger.record(4)
    assert decision is not None
    (blob,) = (home / "state" / "blobs").rglob(f"*{decision.body[2:]}*")
    blob.unlink()
    assert portalops(home, "report", "show", "evidence", *OF_WEEK) == ExitCode.INTEGRITY, (
        "who decided it cannot be read"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "there is no report nothing"),
        (("no\x1b[31m\u202e",), "there is no report no\\x1b[31m\\u202e"),
        (("servers", "--unit", "so-y-te"), "the report servers cannot be limited by --unit"),
        (("servers", "--host", "web\x1b[2J"), "there is no host web\\x1b[2J"),
        (("updates", "--unit", "so-y-te"), "there is no unit so-y-te"),
        (("servers", "--period", "soon"), "--period does not take soon"),
        (("servers", "--period", "2026-11-30..2026-11-01"), "--period: 2026-11-30..2026-11-01 ends before it begins"),
        (("servers", "--period", "9999"), "--period does not take 9999"),
        (("servers", "--period", "0001-01-01"), "--period does not take 0001-01-01"),
        (("servers", "--period", "9999-12"), "--period does not take 9999-12"),
        (("servers", "--period", "9999-W52..2026"), "--period does not take 9999-W52..2026"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_stands_on_standard_output(
    tmp_path: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portalops(home_in(tmp_path), "report", "show", *arguments) == ExitCode.USAGE

    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def test_a_unit_that_is_not_there_is_told_where_the_configuration_names_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portalops(home_in(tmp_path), "report", "show", "updates", "--unit", "so-y-te")

    assert "hint: The configuration names none yet." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("2199", "warning: The period begins on 1 Jan 2199, after this report was made"),
        ("2001", "warning: The period ended on 31 Dec 2001"),
    ],
)
def test_a_period_of_which_nothing_can_be_told_is_told_at_once(
    tmp_path: Path, period: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)

    assert portalops(home, "report", "show", "compliance", "--period", period) == ExitCode.OK
    assert said in capsys.readouterr().err
    assert portalops(home, "report", "build", "compliance", "--period", period) == ExitCode.OK
    assert said in capsys.readouterr().err


def test_the_list_tells_what_each_report_can_be_cut_down_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home_in(tmp_path), "report", "list") == ExitCode.OK

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["servers"].endswith("--host")
    assert lines["updates"].endswith("--unit")
    assert lines["backups"].endswith("–")
    assert lines["Formats:"].endswith(", ".join(formats.names()))


def test_an_account_that_may_only_read_is_shown_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home_in(tmp_path), "report", "show", "compliance")  # everything is imported before the account changes
    capsys.readouterr()
    with as_ordinary_user() as folder:
        signed = session_in(home_in(folder)).record_head()
        assert signed is not None
        with read_only(folder, key_mode=0o000):
            assert portalops(folder, "report", "show", "compliance", *OF_WEEK) == ExitCode.OK

    assert code_of(signed.head) in capsys.readouterr().out


def test_no_report_is_shown_of_a_ledger_that_is_not_there_and_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    (home / "state").rename(home / "away")

    assert portalops(home, "report", "show", "compliance") != ExitCode.OK

    assert "error[" in capsys.readouterr().err
    assert not (home / "state").exists()


def test_the_schema_is_written_as_a_file_that_stands_in_the_documentation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "document.schema.json"

    assert portalops(home_in(tmp_path), "--json", "report", "schema", "--output", str(target)) == ExitCode.OK

    assert data_in(capsys.readouterr().out, "report schema") == document_schema()

    published = Path(__file__).parents[2] / "docs/schemas/document.schema.json"
    assert target.read_bytes() == published.read_bytes()
