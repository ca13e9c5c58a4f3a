from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.dates import DateRules, dated_in_one_order, is_order_open, read_moment, settle_order
from portalops.model.updates import ListedItem

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
RULES = DateRules(ZONE)
HALF_PAST_EIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 24 Nov 2026 08:30:00 +0700",
        "Tue, 24 Nov 2026 08:30:00 GMT+7",
        "Tue, 24 Nov 2026 08:30:00",
        "Tue, 24 Nov 2026 08:30:00 ICT",
        "24/11/2026 08:30",
        "Thứ Ba, 24/11/2026 08:30",
        "11/24/2026 8:30:00 AM",
        "2026-11-24T08:30:00",
        "2026-11-24 08:30:00.000",
        "2026/11/24 08:30:00",
        "2026-11-24T01:30:00Z",
        "2026-11-24T08:30:00+07:00",
        "Tue Nov 24 08:30:00 2026",
        "08:30, 24/11/2026",
        "24/11/2026 8:30:00 SA",
        "Thứ ba, ngày 24 tháng 11 năm 2026, 08:30",
        "24-11-2026 08:30",
        "1795483800",
        "1795483800000",
    ],
)
def test_the_forms_that_vietnamese_sites_write_mean_one_instant(text: str) -> None:
    assert read_moment(text, RULES) == HALF_PAST_EIGHT


def test_a_day_alone_is_its_local_midnight_and_day_comes_before_month() -> None:
    assert read_moment("05/11/2026", RULES) == datetime(2026, 11, 4, 17, tzinfo=UTC)


def test_gmt_is_gmt_unless_the_source_says_that_it_means_local_time() -> None:
    text = "Tue, 24 Nov 2026 08:30:00 GMT"

    assert read_moment(text, RULES) == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    assert read_moment(text, DateRules(ZONE, gmt_means_local=True)) == HALF_PAST_EIGHT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hôm nay",
        "0000-00-00 00:00:00",
        "31/11/2026",
        "2026-13-24",
        "11/05/2026 8:30:00 AM",
        "Mon, 24 Nov 2026 08:30:00 +0700",
        "Tue, 24 Nov 2026 08:30:00 XYZ",
        "24/11",
        "24/11/26",
        "Tue, 24 Nov 2026 25:30:00 +0700",
        "9999-12-31",
        "1" * 101,
    ],
)
def test_what_could_be_another_day_or_none_is_no_date(text: str) -> None:
    assert read_moment(text, RULES) is None


def test_a_source_that_says_how_it_writes_dates_is_read_so_and_never_guessed() -> None:
    rules = DateRules(ZONE, formats=("%m/%d/%Y %I:%M:%S %p",))

    assert read_moment("11/05/2026 8:30:00 AM", rules) == datetime(2026, 11, 5, 1, 30, tzinfo=UTC)
    assert read_moment("05/11/2026", rules) is None
    assert read_moment("2026-11-24T01:30:00Z", rules) == HALF_PAST_EIGHT


@pytest.mark.parametrize(
    ("others", "day"),
    [
        ((), date(2026, 11, 5)),
        (("24/11/2026",), date(2026, 11, 5)),
        (("11/24/2026 8:30:00 AM",), date(2026, 5, 11)),
        (("11/24/2026", "24/11/2026"), None),
        (("11/24/2026", *["24/11/2026"] * 19), None),
        (("11/24/2026", *["24/11/2026"] * 20), date(2026, 11, 5)),
        (("2026-11-24", "", "hôm nay", "32/13/2026"), date(2026, 11, 5)),
    ],
)
def test_a_date_that_fits_both_orders_is_read_as_the_others_of_its_answer(
    others: tuple[str, ...], day: date | None
) -> None:
    found = read_moment("05/11/2026", settle_order(RULES, others))

    assert (None if found is None else found.astimezone(ZONE).date()) == day


def test_formats_say_the_order_whatever_the_other_dates_are() -> None:
    rules = DateRules(ZONE, formats=("%d/%m/%Y",))

    assert settle_order(rules, ("11/24/2026",)) == rules
    assert not is_order_open("05/11/2026", rules)


def test_items_of_one_answer_are_dated_in_one_order() -> None:
    items = [
        ListedItem("", "", "", read_moment(raw, RULES), raw)
        for raw in ("11/9/2026 8:30 AM", "11/24/2026 8:30 AM", "2026-11-03")
    ]

    dated = dated_in_one_order(items, RULES)

    days = [one.published_at.astimezone(ZONE).date() for one in dated if one.published_at]
    assert days == [date(2026, 11, 9), date(2026, 11, 24), date(2026, 11, 3)]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1795483800, HALF_PAST_EIGHT),
        (0, None),
        (True, None),
        (None, None),
        (-5, None),
        (datetime(2026, 11, 24, 8, 30), HALF_PAST_EIGHT),
        (HALF_PAST_EIGHT, HALF_PAST_EIGHT),
        (date(2026, 11, 24), datetime(2026, 11, 23, 17, tzinfo=UTC)),
    ],
)
def test_values_of_database_drivers(value: object, moment: datetime | None) -> None:
    assert read_moment(value, RULES) == moment


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)))
def test_every_day_written_the_vietnamese_way_comes_back(moment: datetime) -> None:
    found = read_moment(moment.strftime("%d/%m/%Y %H:%M"), RULES)

    assert found is not None
    assert found.astimezone(ZONE).replace(tzinfo=None) == moment.replace(second=0, microsecond=0)


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert read_moment(text, RULES) is None or read_moment(text, RULES) is not None
