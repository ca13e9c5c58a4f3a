"""A year's days off are proposed and never in force by themselves."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.calendar import load
from portalops.calendar.drafting import Expected, differences, draft
from portalops.errors import ConfigurationError

EXPECTED = Expected(
    "holidays 0.109",
    {
        date(2027, 1, 1): "Tết Dương lịch",
        date(2027, 2, 6): "Tết Nguyên Đán",
        date(2027, 5, 3): "Ngày Quốc tế Lao động (nghỉ bù)",
        date(2027, 9, 2): "Quốc khánh",
    },
    (date(2027, 2, 13),),
)


def test_the_draft_reads_as_a_provinces_own_file_and_confirms_nothing(tmp_path: Path) -> None:
    file = tmp_path / "lich-2027.toml"
    file.write_text(draft(2027, EXPECTED), "utf-8")

    calendar = load(file)

    assert not calendar.is_working(date(2027, 5, 3)) and calendar.is_working(date(2027, 2, 13))
    assert not calendar.confirmed(2027)
    assert "not confirmed by a legal text" in str(calendar.reason(date(2027, 5, 3)))
    assert calendar.document(date(2027, 9, 2)) == "dự kiến theo holidays 0.109, chưa có văn bản"


def test_what_differs_from_the_calendar_in_force_is_told() -> None:
    # The library lacks the swap of 2 January 2026, which was announced eight days before.
    expected = Expected("x", {date(2026, 1, 1): "Tết Dương lịch"}, ())
    found = {each.day: each for each in differences(load(), 2026, expected)}

    assert (found[date(2026, 1, 2)].is_working, found[date(2026, 1, 2)].expected) == (False, "")
    assert found[date(2026, 1, 10)].is_working
    assert date(2026, 1, 3) not in found


def test_the_command_proposes_and_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["--json", "calendar", "draft", "2027", "--output", str(tmp_path / "lich.toml")], {})
    envelope = json.loads(capsys.readouterr().out)

    assert code == 0
    assert "no official schedule" in envelope["warnings"][0]
    assert (tmp_path / "lich.toml").read_text("utf-8") == envelope["data"]["toml"]
    assert "2027-02-06" in envelope["data"]["toml"]


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lich.toml"
    file.write_text("years = [2026]\n", "utf-8")

    code = run(["calendar", "draft", "2027", "--output", str(file)], {})

    assert code == 2
    assert "lich.toml is there already" in capsys.readouterr().err
    assert file.read_text("utf-8") == "years = [2026]\n"


def test_a_working_day_that_is_proposed_is_told_in_the_readers_language(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--lang", "vi", "calendar", "draft", "2026"], {})

    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines() if line.startswith("02/01/2026")]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["02/01/2026", "ngày nghỉ", "ngày làm việc"]
    ]


def test_a_row_that_is_neither_confirmed_nor_not_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lich.toml"
    file.write_text('off = [{ date = 2027-01-01, name = "new-year", document = "x", confirmed = "false" }]\n', "utf-8")

    with pytest.raises(ConfigurationError, match="confirmed is neither true nor false"):
        load(file)
