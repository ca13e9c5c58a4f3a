"""Days of a register that are written short, and when the lines tell their year."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from checks.updates.dates import DateRules
from checks.updates.short_days import written_in_full

RULES = DateRules(ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("written", "full"),
    [
        (["02/11/2026", "2/11/26", "3-11-26", "04.11.26"], ["02/11/2026", "2/11/2026", "3-11-2026", "04.11.2026"]),
        (
            ["16/11/2026", "16/11", "17/11 08:15", "ngày 18/11"],
            ["16/11/2026", "16/11/2026", "17/11/2026 08:15", "ngày 18/11/2026"],
        ),
        (["16/11", "17/11/2026"], ["16/11/2026", "17/11/2026"]),
        (["31/12/2026", "2/1", "3/1"], ["31/12/2026", "2/1/2027", "3/1/2027"]),
        (["2/11/26", "3/11/26", "16/11/26"], ["2/11/2026", "3/11/2026", "16/11/2026"]),
        (["11/30/2026", "12/2"], ["11/30/2026", "12/2/2026"]),
    ],
)
def test_a_day_written_short_has_the_year_of_the_lines_beside_it(written: list[str], full: list[str]) -> None:
    assert written_in_full(written, RULES) == tuple(full)


@pytest.mark.parametrize(
    "written",
    [
        ["16/11"],
        ["2/11/26"],
        ["01/07/2026", "16/11"],
        ["16/11/2026", "16/11/25"],
        ["05/01/2026", "20/12", "06/01/2026"],
        ["16/11/2026", "11/26"],
        ["16/11/2026", "8.30"],
        ["16/11/2026", "31/11"],
        ["16/11/2026", "16/11-18/11"],
        ["26/11/02", "26/11/03"],
    ],
)
def test_a_day_whose_year_nothing_tells_stays_as_it_is(written: list[str]) -> None:
    assert written_in_full(written, RULES) == tuple(written)


def test_formats_of_the_source_say_how_days_are_written() -> None:
    rules = DateRules(RULES.zone, formats=("%d/%m/%y",))

    assert written_in_full(["02/11/2026", "2/11/26"], rules) == ("02/11/2026", "2/11/26")
