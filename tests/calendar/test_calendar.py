from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.calendar import load
from portalops.calendar.table import overlay
from portalops.errors import ConfigurationError
from portalops.model.period import Period, Week

CALENDAR = load()


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2010, 252), (2011, 251), (2012, 251), (2013, 253), (2014, 252), (2015, 250),
        (2019, 252), (2024, 251), (2025, 250), (2026, 249),
    ],
)  # fmt: skip
def test_a_year_has_as_many_working_days_as_its_notices_leave(year: int, days: int) -> None:
    # 2012 lost 31 December to 5 January 2013, which is one of the 253 days of the year after
    assert len(CALENDAR.working_days(Period(date(year, 1, 1), date(year, 12, 31)))) == days


@pytest.mark.parametrize(
    "day",
    [
        "2010-09-03", "2011-01-31", "2011-02-01", "2011-04-11", "2012-12-31", "2013-02-15", "2014-01-28", "2014-02-05",
        "2026-01-02", "2026-08-31", "2015-01-02", "2025-05-02", "2021-05-03", "2022-05-03", "2023-05-02", "2022-09-01",
    ],
)  # fmt: skip
def test_a_day_off_that_the_government_gave_is_off_and_names_its_document(day: str) -> None:
    assert not CALENDAR.is_working(date.fromisoformat(day))
    assert CALENDAR.document(date.fromisoformat(day))


@pytest.mark.parametrize(
    "day",
    [
        "2010-09-11", "2011-01-29", "2011-01-30", "2011-04-09", "2013-01-05", "2013-02-23", "2014-01-25", "2014-02-08",
        "2014-12-27", "2015-02-14", "2015-04-25", "2019-01-05", "2019-05-04", "2024-05-04", "2025-04-26", "2026-01-10",
        "2026-08-22",
    ],
)  # fmt: skip
def test_a_weekend_day_that_makes_up_for_another_is_worked(day: str) -> None:
    moment = date.fromisoformat(day)

    assert moment.weekday() >= 5
    assert CALENDAR.is_working(moment)
    assert "in place of" in str(CALENDAR.reason(moment))


def test_the_documents_of_known_numbers_stand_in_their_rows() -> None:
    assert CALENDAR.document(date(2010, 9, 3)) == "5971/VPCP-KGVX"
    assert CALENDAR.document(date(2011, 1, 30)) == "9529/VPCP-KGVX"
    assert CALENDAR.document(date(2014, 2, 5)) == "10525/VPCP-KGVX"
    assert CALENDAR.document(date(2026, 1, 10)) == "Thông báo của Bộ Nội vụ ngày 25/12/2025"


def test_iso_weeks_of_2010_to_2026_by_their_working_days() -> None:
    weeks = Period(date(2010, 1, 4), date(2027, 1, 3)).weeks()

    counts = Counter(len(CALENDAR.working_days(week.period())) for week in weeks)

    assert len(weeks) == 887
    assert [counts[days] for days in range(4)] == [10, 3, 10, 24]


def test_the_week_of_tet_2026_has_no_working_day() -> None:
    assert CALENDAR.working_days(Week(2026, 8).period()) == ()


def test_culture_day_2026_is_off_but_said_to_be_unconfirmed() -> None:
    day = date(2026, 11, 24)

    assert not CALENDAR.is_working(day)
    assert str(CALENDAR.reason(day)) == "public holiday: Vietnam Culture Day; not confirmed by a legal text"
    assert [str(w) for w in CALENDAR.warnings(Period(day, day))]


def test_a_year_without_documents_is_computed_and_warned_of() -> None:
    assert not CALENDAR.confirmed(2027)
    assert not CALENDAR.is_working(date(2027, 1, 1))
    assert (
        str(CALENDAR.reason(date(2027, 1, 1)))
        == "public holiday: New Year's Day; provisional, until the official notice is confirmed"
    )
    assert not CALENDAR.is_working(date(2027, 2, 5))
    assert "dự kiến" in CALENDAR.document(date(2027, 2, 5))
    assert str(CALENDAR.reason(date(2027, 3, 2))) == "ordinary working day"
    assert [str(each) for each in CALENDAR.warnings(Period(date(2026, 12, 1), date(2027, 1, 25)))] == [
        "the calendar of 2027 is provisional: no official document for it is known",
        "it is not certain which days from 2027-01-01 to 2027-01-04 are worked (New Year's Day)",
        "it is not certain whether 2027-01-23 is a working day"
        " (weekly rest day; provisional, until the official notice is confirmed)",
    ]


def test_a_period_of_a_provisional_year_that_no_notice_can_change_warns_of_nothing() -> None:
    march = Period(date(2027, 3, 1), date(2027, 3, 31))

    assert CALENDAR.warnings(march) == ()
    assert CALENDAR.working_days_at_least(march) == CALENDAR.working_days_at_most(march) == CALENDAR.working_days(march)


def test_around_tet_2027_no_day_is_surely_worked() -> None:
    # The lunar new year is 6 February 2027.
    around = Period(date(2027, 1, 30), date(2027, 2, 16))

    assert CALENDAR.working_days_at_least(around) == ()
    assert CALENDAR.working_days_at_most(around) == tuple(around.days())
    assert [day.day for day in around.days() if day.month == 2 and not CALENDAR.is_working(day)] == [
        *range(4, 11),
        13,
        14,
    ]


def test_every_day_of_a_confirmed_year_is_certain_but_for_its_unconfirmed_rows() -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31))

    assert [day for day in year.days() if not CALENDAR.is_certain(day)] == [date(2026, 11, 24)]


def test_the_last_working_day_of_a_year_is_open_while_the_next_years_notice_may_swap_it() -> None:
    # 31 December 2018, a Monday, was worked on 5 January 2019 instead.
    until_2018 = replace(CALENDAR, rules={}, years=frozenset({2018}))

    assert not until_2018.is_certain(date(2018, 12, 31))
    assert until_2018.is_certain(date(2018, 12, 28))


def test_a_day_in_a_year_beyond_what_the_lunar_calendar_reaches_is_never_certain() -> None:
    day = date(2103, 3, 5)

    assert not CALENDAR.is_certain(day)
    assert [str(each) for each in CALENDAR.warnings(Period(day, day + timedelta(days=3)))] == [
        "the calendar of 2103 is provisional: no official document for it is known",
        "it is not certain which days from 2103-03-05 to 2103-03-08 are worked",
    ]
    assert CALENDAR.working_days_at_least(Period(date.min, date(2, 1, 1))) == ()
    assert not CALENDAR.is_certain(date.max)


def test_the_version_of_a_period_names_what_was_expected_of_it() -> None:
    december, january = Period(date(2026, 12, 1), date(2026, 12, 31)), Period(date(2027, 1, 1), date(2027, 1, 31))

    assert CALENDAR.version_of(december) == CALENDAR.version
    assert CALENDAR.version_of(january) == f"{CALENDAR.version}+expected-2027-holidays-{version('holidays')}"


def test_a_provinces_rows_change_the_version_of_the_periods_that_have_their_days_alone() -> None:
    own = b'province_off = [{ date = 2026-11-20, name = "bao", document = "1/QD" }]'
    calendar, changed = (
        overlay(own, "own.toml"),
        overlay(own.replace(b"province_off", b"years = [2027]\noff"), "own.toml"),
    )
    november, december = Period(date(2026, 11, 1), date(2026, 11, 30)), Period(date(2026, 12, 1), date(2026, 12, 20))

    assert calendar.version_of(december) == changed.version_of(december) == CALENDAR.version
    assert calendar.version_of(november) == changed.version_of(november) != CALENDAR.version
    assert calendar.is_meant_by(calendar.version, november), "a record from before named the whole file"
    assert not calendar.is_meant_by(CALENDAR.version, november)


def test_every_exceptional_day_names_a_document() -> None:
    assert [day for day, rule in CALENDAR.rules.items() if not rule.document] == []


def test_working_days_are_added_over_tet() -> None:
    assert CALENDAR.add_working_days(date(2026, 2, 13), 1) == date(2026, 2, 23)
    with pytest.raises(ValueError, match="not 0"):
        CALENDAR.add_working_days(date(2026, 2, 13), 0)


@given(st.dates(date(2010, 1, 1), date(2026, 6, 30)), st.integers(1, 40))
def test_adding_working_days_agrees_with_counting_them(day: date, count: int) -> None:
    end = CALENDAR.add_working_days(day, count)

    assert CALENDAR.is_working(end)
    assert len(CALENDAR.working_days(Period(day + timedelta(days=1), end))) == count


def test_the_provinces_own_rows_win(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        "years = [2027]\n"
        'work = [{ date = 2026-11-24, document = "123/TB" }]\n'
        'province_off = [{ date = 2026-11-20, name = "bão số 13", document = "Công điện 1/CĐ-UBND" }]\n',
        "utf-8",
    )

    calendar = load(own)

    assert calendar.is_working(date(2026, 11, 24))
    assert not calendar.is_working(date(2026, 11, 20))
    assert str(calendar.reason(date(2026, 11, 20))) == "day off by the province's decision: bão số 13"
    assert calendar.confirmed(2027)
    assert calendar.version.startswith(CALENDAR.version + "+")


OWN = """
years = [2027]
off = [
  { date = 2027-01-01, name = "new-year", document = "notice" },
  { date = 2027-01-04, name = "new-year", document = "notice", compensation = true },
  { date = 2027-03-03, name = "hội làng", document = "x", compensation = false },
  { date = 2027-03-04, document = "x" },
]
work = [{ date = 2027-03-06, document = "x" }]
swaps = [{ off = [2027-04-29, 2027-04-30], work = 2027-04-24, document = "x" }]
documents = { notice = "123/TB" }
"""


def test_rows_say_why_a_day_is_off_or_worked_and_on_whose_word(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, "utf-8")

    calendar = load(own)

    days = [day for day in sorted(calendar.rules) if day.year == 2027]
    assert [(f"{day:%m-%d}", calendar.is_working(day), str(calendar.reason(day))) for day in days] == [
        ("01-01", False, "public holiday: New Year's Day"),
        ("01-04", False, "day off in compensation for New Year's Day"),
        ("03-03", False, "public holiday: hội làng"),
        ("03-04", False, "public holiday: "),
        ("03-06", True, "working day by decision"),
        ("04-24", True, "working day in place of 2027-04-29, 2027-04-30"),
        ("04-29", False, "day off, worked on 2027-04-24 instead"),
        ("04-30", False, "day off, worked on 2027-04-24 instead"),
    ]
    assert [calendar.document(day) for day in days] == ["123/TB", "123/TB", *["x"] * 6]


def test_an_ordinary_week_is_worked_from_monday_to_friday_and_needs_no_document() -> None:
    week = Week(2026, 11)

    assert [str(CALENDAR.reason(day)) for day in week.period().days()] == [
        *["ordinary working day"] * 5, *["weekly rest day"] * 2
    ]  # fmt: skip
    assert [CALENDAR.document(day) for day in week.period().days()] == [""] * 7


def test_the_version_tells_the_provinces_rows_apart(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("years = [2027]\n", "utf-8")

    assert load(own).version == f"{CALENDAR.version}+{sha256(own.read_bytes()).hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("off = 3", "off is not a list of rows"),
        ("off = [{ date = 2026-01-05 }]", "off row 1: no document"),
        ('off = [{ date = "x", document = "d" }]', "off row 1: not a date: 'x'"),
        ('off = [{ date = 2026-01-05, document = "d", nam = "x" }]', "off row 1: unknown key 'nam'"),
        (
            'off = [{ date = 2026-01-05, document = "d", confirmed = 1 }]',
            "off row 1: confirmed is neither true nor false",
        ),
        ("swaps = [{ off = 2026-01-05, work = 2026-01-10 }]", "swaps row 1: no document"),
        ("of = []", "unknown key 'of'"),
        (
            'off = [{ date = 2026-01-05, document = "d" }, { date = 2026-01-05, document = "d" }]',
            "2026-01-05 stands in two rows",
        ),
        ("off = [", "Invalid value (at end of document)"),
        ('years = ["2027"]', "years is not a list of whole numbers"),
        ("documents = 3", "documents is not a table"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, text: str, cause: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, "utf-8")

    with pytest.raises(ConfigurationError) as caught:
        load(own)

    assert str(caught.value).removeprefix("calendar own.toml: ") == cause


def test_a_missing_file_is_an_error_and_not_an_empty_calendar(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("today", "years"),
    [
        (date(2026, 9, 30), ()),
        (date(2026, 10, 1), (2027,)),
        (date(2027, 1, 1), (2027,)),
        (date(2027, 10, 1), (2027, 2028)),
    ],
)
def test_the_notice_of_the_next_year_is_asked_for_from_october_on(today: date, years: tuple[int, ...]) -> None:
    assert CALENDAR.years_to_confirm(today) == years


def test_a_time_limit_over_tet_2027_ends_when_its_days_have_surely_passed() -> None:
    friday = date(2027, 1, 29)

    assert CALENDAR.add_possible_working_days(friday, 3) == date(2027, 2, 1)
    assert CALENDAR.add_working_days(friday, 3) == date(2027, 2, 19)


def test_where_every_day_is_certain_time_limits_end_alike() -> None:
    monday = date(2026, 3, 2)

    assert CALENDAR.add_possible_working_days(monday, 10) == CALENDAR.add_working_days(monday, 10) == date(2026, 3, 16)


def test_a_time_limit_in_a_year_of_which_nothing_is_expected_ends_all_the_same() -> None:
    assert CALENDAR.add_working_days(date(2300, 1, 1), 2) == date(2300, 1, 3)
