"""A notice as it is made of what was expected, corrected, and written into a province's file."""

from __future__ import annotations

from datetime import date

import pytest

from portalops.calendar import load
from portalops.calendar.expected import expect
from portalops.calendar.notice import (
    DayOff,
    NoticeCorrection,
    Swap,
    YearNotice,
    check_notice,
    correct,
    notice_toml,
    propose,
    read_notice,
)
from portalops.calendar.table import documents_of_notices, overlay
from portalops.errors import ConfigurationError, UsageError
from portalops.model.period import Period

DOCUMENT = 'Thông báo số 123/TB-BNV của Bộ Nội vụ, 20/11/2026 ("Tết")'
PROPOSED = propose(2027, DOCUMENT, expect(2027))
YEAR = Period(date(2027, 1, 1), date(2027, 12, 31))


def test_a_notice_that_says_what_was_expected_makes_its_year_certain() -> None:
    calendar = overlay(notice_toml(PROPOSED).encode(), "own.toml")

    assert calendar.working_days(YEAR) == load().working_days(YEAR)
    assert [day for day in YEAR.days() if not calendar.is_certain(day)] == [date(2027, 11, 24)]
    assert calendar.confirmed(2027)
    assert calendar.document(date(2027, 2, 5)) == DOCUMENT
    assert str(calendar.reason(date(2027, 5, 3))) == "day off in compensation for International Labour Day"


def test_the_culture_day_is_confirmed_once_somebody_names_it() -> None:
    named = correct(PROPOSED, NoticeCorrection(off=[(date(2027, 11, 24), "culture-day")]))

    assert overlay(notice_toml(named).encode(), "own.toml").warnings(YEAR) == ()


def test_a_notice_is_corrected_by_days_off_days_worked_and_swaps() -> None:
    correction = NoticeCorrection(
        off=[(date(2027, 2, 11), "tet")],
        work=[date(2027, 2, 4)],
        swaps=[(date(2027, 9, 1), date(2027, 8, 28))],
    )
    calendar = overlay(notice_toml(correct(PROPOSED, correction)).encode(), "own.toml")

    changed = [day for day in YEAR.days() if calendar.is_working(day) != load().is_working(day)]
    assert changed == [date(2027, 2, 4), date(2027, 2, 11), date(2027, 8, 28), date(2027, 9, 1)]
    assert str(calendar.reason(date(2027, 9, 1))) == "day off, worked on 2027-08-28 instead"


@pytest.mark.parametrize(
    ("correction", "problem"),
    [
        (NoticeCorrection(work=[date(2027, 3, 2)]), "2027-03-02 is a working day already"),
        (NoticeCorrection(off=[(date(2027, 3, 2), "x"), (date(2027, 3, 2), "y")]), "2027-03-02 is named twice"),
        (NoticeCorrection(work=[date(2027, 2, 4)], off=[(date(2027, 2, 4), "tet")]), "2027-02-04 is named twice"),
        (NoticeCorrection(swaps=[(date(2027, 2, 5), date(2027, 2, 20))]), "2027-02-05 is a day off already"),
        (NoticeCorrection(swaps=[(date(2027, 3, 6), date(2027, 3, 13))]), "2027-03-06 is a day off already"),
        (NoticeCorrection(swaps=[(date(2027, 3, 2), date(2027, 3, 3))]), "2027-03-03 is no day of weekly rest"),
        (NoticeCorrection(swaps=[(date(2027, 3, 2), date(2027, 5, 1))]), "2027-05-01 is no day of weekly rest"),
    ],
)
def test_a_correction_that_cannot_be_right_is_refused(correction: NoticeCorrection, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        correct(PROPOSED, correction)


@pytest.mark.parametrize(
    ("notice", "problem"),
    [
        (YearNotice(2027, "x", {}), "gives no day off"),
        (YearNotice(2027, "x", {date(2026, 2, 5): DayOff("tet")}), "2026-02-05 is not in 2027"),
        (YearNotice(2027, "x", PROPOSED.off, (date(2028, 3, 4),)), "2028-03-04 is not in 2027"),
        (
            YearNotice(2027, "x", PROPOSED.off, (), (Swap((date(2027, 3, 2),), (date(2027, 9, 4),)),)),
            "2027-03-02, 2027-09-04 are no swap of 2027",
        ),
        (YearNotice(2027, "x", PROPOSED.off, (date(2027, 2, 6),)), "2027-02-06 is named twice"),
    ],
)
def test_a_notice_that_cannot_be_right_is_refused(notice: YearNotice, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        check_notice(notice)


def test_a_day_of_new_year_may_be_worked_in_the_december_before() -> None:
    check_notice(correct(PROPOSED, NoticeCorrection(swaps=[(date(2027, 1, 4), date(2026, 12, 26))])))


def test_a_notice_replaces_what_nothing_confirms_and_leaves_the_provinces_decisions() -> None:
    own = (
        'off = [{ date = 2027-03-03, name = "hội", document = "nháp", confirmed = false }]\n'
        'province_off = [{ date = 2027-03-04, name = "bão", document = "Công điện 1/CĐ-UBND" }]\n'
    )
    calendar = overlay((own + notice_toml(PROPOSED)).encode(), "own.toml")

    assert calendar.is_working(date(2027, 3, 3))
    assert not calendar.is_working(date(2027, 3, 4))


def test_a_notice_takes_the_place_of_what_the_table_holds_of_its_year() -> None:
    notice = YearNotice(2026, "x", {date(2026, 1, 1): DayOff("new-year")})
    calendar = overlay(notice_toml(notice).encode(), "own.toml")

    assert calendar.is_working(date(2026, 2, 17))
    assert not calendar.is_working(date(2025, 1, 28))


def test_the_later_of_two_notices_of_a_year_counts() -> None:
    later = correct(PROPOSED, NoticeCorrection(work=[date(2027, 2, 4)]))
    text = notice_toml(PROPOSED) + notice_toml(YearNotice(2027, "y", later.off, later.work))

    assert overlay(text.encode(), "own.toml").is_working(date(2027, 2, 4))
    assert documents_of_notices(text.encode(), "own.toml") == {2027: "y"}


def test_a_corrected_draft_is_read_as_the_rows_of_a_notice() -> None:
    rows = (
        'off = [{ date = 2027-01-01, name = "new-year", document = "dự kiến", confirmed = false },\n'
        '  { date = 2027-11-24, name = "culture-day", document = "dự kiến", confirmed = false }]\n'
        'work = [{ date = 2027-01-09, document = "dự kiến", confirmed = false }]\n'
        "swaps = [{ off = 2027-04-29, work = [2027-04-24] }]\n"
    )
    notice = read_notice(2027, "x", rows.encode(), "rows.toml")

    assert notice == YearNotice(
        2027,
        "x",
        {date(2027, 1, 1): DayOff("new-year"), date(2027, 11, 24): DayOff("culture-day", is_confirmed=False)},
        (date(2027, 1, 9),),
        (Swap((date(2027, 4, 29),), (date(2027, 4, 24),)),),
    )
    assert len(overlay(notice_toml(notice).encode(), "own.toml").warnings(YEAR)) == 1


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("notice = 3", "notice is not a list of rows"),
        ("[[notice]]\nyear = 2027", "notice 1: no document"),
        ('[[notice]]\nyear = 9999\ndocument = "x"', "notice 1: its year is none from 1990 to 2100"),
        ('[[notice]]\nyear = 2027\ndocument = "x"\nprovince_off = []', "notice 1: unknown key 'province_off'"),
        ('[[notice]]\nyear = 2027\ndocument = "x"\noff = [{ date = 1 }]', "notice of 2027: off row 1: not a date: 1"),
        ("years = [9999]", "one of its years is none from 1990 to 2100"),
    ],
)
def test_a_wrong_notice_in_a_file_is_named(text: str, cause: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        overlay(text.encode(), "own.toml")

    assert str(caught.value).removeprefix("calendar own.toml: ").removeprefix("calendar own.toml: ") == cause
