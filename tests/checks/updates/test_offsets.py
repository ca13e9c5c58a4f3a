"""Times that are hours off: told with the setting that mends them, and not told where habits explain them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from checks.updates.offsets import DatedItem, lag_of, offset_of, say_lag, say_offset
from checks.updates.rules.stamps import span, stamp
from tests.checks.updates.scene import at


def _gmt(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _plain(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _seen(
    off: float, *, every_hours: int = 1, written: Callable[[datetime], str] = _gmt, days: int = 6
) -> list[DatedItem]:
    """Items of some days, each published in the morning, first seen at the next look, and claimed some hours off."""
    found = []
    for day in range(days):
        published = at("2026-11-16 08:20") + timedelta(days=day, minutes=37 * day)
        step = timedelta(hours=every_hours)
        midnight = published.replace(hour=0, minute=0)
        seen = midnight + ((published - midnight) // step + 1) * step
        claimed = stamp(published) + span(timedelta(hours=off))
        found.append(DatedItem("front", claimed, stamp(seen), stamp(seen - step), written(published)))
    return found


def _said(items: Sequence[DatedItem]) -> str:
    offset = offset_of(items, usual_hours=7)
    return "" if offset is None else str(say_offset(offset, usual_hours=7, zone="Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("off", "written", "setting"),
    [
        (7, _gmt, "set gmt_means_local = true for it."),
        (7, _plain, 'set assume_tz = "Asia/Ho_Chi_Minh" for it.'),
        (-7, _plain, 'set assume_tz = "UTC" for it.'),
        (1, _gmt, "have the clock and the time zone of its server corrected."),
        (7, lambda moment: str(stamp(moment) // 1000), "have the clock and the time zone of its server corrected."),
        (7, lambda moment: f"{_plain(moment)} +0700", "have the clock and the time zone of its server corrected."),
    ],
)
def test_times_that_are_hours_off_are_told_with_what_mends_them(
    off: int, written: Callable[[datetime], str], setting: str
) -> None:
    said = _said(_seen(off, written=written))

    hours = f"{abs(off)} hour{'s' if abs(off) > 1 else ''} {'ahead' if off > 0 else 'behind'}"
    assert said.startswith(
        "source front: 6 of its 6 newest items claim a time at which they cannot have appeared; its times"
    )
    assert hours in said
    assert said.endswith(setting)


def test_where_looks_are_a_day_apart_the_zone_of_the_portal_is_the_likely_cause() -> None:
    items = [one._replace(first_seen_at=one.published_at - span(timedelta(hours=6, minutes=30))) for one in _seen(7)]
    rare = [one._replace(looked_before_at=one.first_seen_at - span(timedelta(hours=24))) for one in items]

    assert "7 hours ahead" in _said(rare)


@pytest.mark.parametrize(
    "items",
    [
        _seen(0),
        _seen(7)[:2],  # one or two are somebody's mistake
        [*_seen(0), *_seen(7, days=3)],
        [one for hours in (3, 26, 49, 5) for one in _seen(-hours, days=1)],  # drafts that waited: each another time
        _seen(
            -8, written=lambda moment: moment.strftime("%d/%m/%Y")
        ),  # read as midnight, though it names the day alone
        [],
    ],
    ids=["right", "two", "half", "drafts", "days", "none"],
)
def test_what_habits_explain_is_no_wrong_setting(items: list[DatedItem]) -> None:
    assert _said(items) == ""


def _late(*claims_and_polls: tuple[str, str, str]) -> list[DatedItem]:
    return [
        DatedItem(
            "front", stamp(at(claim)), stamp(at(seen)), stamp(at(before)), f"{at(claim):%a, %d %b %Y %H:%M:%S} +0700"
        )
        for claim, before, seen in claims_and_polls
    ]


MADE_AT_NIGHT = _late(
    ("2026-11-16 09:00", "2026-11-16 22:30", "2026-11-17 07:30"),
    ("2026-11-17 15:00", "2026-11-17 22:30", "2026-11-18 07:30"),
    ("2026-11-19 09:00", "2026-11-19 22:30", "2026-11-20 07:30"),
)
CACHED_FOR_A_DAY = _late(
    ("2026-11-16 09:00", "2026-11-17 07:30", "2026-11-17 22:30"),
    ("2026-11-17 15:00", "2026-11-18 07:30", "2026-11-18 22:30"),
    ("2026-11-19 09:00", "2026-11-20 07:30", "2026-11-20 22:30"),
)


@pytest.mark.parametrize(("items", "hours"), [(MADE_AT_NIGHT, 7), (CACHED_FOR_A_DAY, 16)])
def test_a_feed_of_which_all_items_come_up_about_equally_late_is_late_and_its_clock_is_right(
    items: list[DatedItem], hours: int
) -> None:
    lag = lag_of(items, usual_hours=7)

    assert lag is not None
    assert (lag.hours, lag.late, lag.items) == (hours, 3, 3)
    assert "the feed is late, not its clock" in str(say_lag(lag))


@pytest.mark.parametrize(
    "items",
    [
        MADE_AT_NIGHT[:2],
        _seen(0),
        _seen(-1),
        _seen(-7, written=_plain),  # in UTC, which a setting mends
        _late(  # dates of papers
            ("2026-10-01 09:00", "2026-11-16 22:30", "2026-11-17 07:30"),
            ("2026-11-10 15:00", "2026-11-17 22:30", "2026-11-18 07:30"),
            ("2026-11-19 09:00", "2026-11-19 22:30", "2026-11-20 07:30"),
        ),
    ],
)
def test_a_feed_is_not_late_where_its_items_are_not_or_a_setting_explains_it(items: list[DatedItem]) -> None:
    assert lag_of(items, usual_hours=7) is None
