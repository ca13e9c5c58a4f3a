"""A year's days off are proposed and never in force by themselves."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.calendar import load
from portalops.calendar.drafting import CalendarDifference, differences, draft
from portalops.calendar.expected import Expected
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


def test_the_draft_asks_for_the_documents_and_names_each_holiday_as_the_calendar_does() -> None:
    off = {date(2027, 1, 4): "Tết Dương lịch (nghỉ bù)", date(2027, 3, 3): 'Hội "Gióng" \\ đền Sóc'}

    assert draft(2027, Expected("x 1", off, (date(2027, 3, 7), date(2027, 3, 6)))) == (
        "# Bản dự kiến ngày nghỉ năm 2027, lập từ x 1; chưa có hiệu lực.\n"
        "# Khi có thông báo chính thức: sửa các ngày, ghi số văn bản vào document, bỏ confirmed = false,\n"
        "# ghi ngày hoán đổi vào swaps, rồi thêm: years = [2027]\n"
        "# Proposed days off of 2027; not in force. Correct them by the official notice, name it, then add years = [2027].\n"
        "\n"
        "off = [\n"
        '  { date = 2027-01-04, name = "new-year", document = "dự kiến theo x 1, chưa có văn bản", confirmed = false,'
        " compensation = true },\n"
        '  { date = 2027-03-03, name = "Hội \'Gióng\'  đền Sóc", document = "dự kiến theo x 1, chưa có văn bản",'
        " confirmed = false },\n"
        "]\n"
        "work = [\n"
        '  { date = 2027-03-06, document = "dự kiến theo x 1, chưa có văn bản", confirmed = false },\n'
        '  { date = 2027-03-07, document = "dự kiến theo x 1, chưa có văn bản", confirmed = false },\n'
        "]\n"
    )


def test_an_expected_day_off_on_a_working_day_differs_and_is_named() -> None:
    found = {each.day: each for each in differences(load(), 2026, Expected("x", {date(2026, 3, 3): "Hội làng"}, ()))}

    assert found[date(2026, 3, 3)] == CalendarDifference(date(2026, 3, 3), is_working=True, expected="Hội làng")


def test_differences_are_those_of_the_year_from_its_first_day_on() -> None:
    found = [each.day for each in differences(load(), 2026, Expected("x", {}, ()))]

    assert found[0] == date(2026, 1, 1)
    assert {day.year for day in found} == {2026}


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
