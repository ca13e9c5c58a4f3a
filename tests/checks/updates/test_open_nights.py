"""Polls that leave open on which of two days an item came, and the times that decide it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from checks.updates.open_nights import advise_times, open_nights, open_weeks
from checks.updates.rules.stamps import stamp
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.newsroom import Portal
from tests.checks.updates.scene import SUBPORTALS, ZONE, at, item, poll, the_week
from tests.checks.updates.site import Site
from tests.web import web_server

ENDS = [stamp(at(f"2026-11-{day} 00:00")) for day in (17, 18, 19)]


def polled(*hours: str) -> list[int]:
    return [stamp(at(f"2026-11-{day} {hour}")) for day in (16, 17, 18) for hour in hours] + [
        stamp(at(f"2026-11-19 {hours[0]}"))
    ]


@pytest.mark.parametrize(
    ("hours", "nights"),
    [
        (("20:00",), 3),
        (("08:00", "20:00"), 3),
        (("07:30", "22:29"), 3),
        (("07:30", "22:30"), 0),
        (("07:00", "23:30"), 0),
        (("10:00", "23:30"), 3),
    ],
)
def test_a_night_is_open_without_a_poll_near_the_days_end_and_one_in_the_morning(
    hours: tuple[str, ...], nights: int
) -> None:
    assert open_nights({"feed": polled(*hours)}, ENDS) == (nights, 3)


def test_one_source_that_failed_opens_no_night() -> None:
    good = polled("07:00", "23:30")

    assert open_nights({"a": good, "b": good, "c": good[:1] + good[-1:]}, ENDS) == (0, 3)
    assert open_nights({"a": good[:1]}, ENDS) == (0, 0)


def _open_week() -> UnitWeek:
    looks = [poll(SUBPORTALS, f"2026-11-{day} 20:00") for day in range(14, 25)]
    items = [item(SUBPORTALS, f"2026-11-{day} 21:00", seen=f"2026-11-{day + 1} 20:00") for day in (16, 17)]
    return the_week(items, polls=looks)


def test_a_week_is_open_by_its_polls_where_an_item_that_counts_may_be_of_several_days() -> None:
    week, now = _open_week(), at("2026-11-24 09:00")

    assert open_weeks([week], now=now, zone=ZONE) == 1
    assert open_weeks([replace(week, verdict=DutyVerdict.MET)], now=now, zone=ZONE) == 0
    assert open_weeks([week], now=at("2026-11-22 09:00"), zone=ZONE) == 0


@pytest.mark.parametrize(("cutoff", "times"), [("24:00", '["07:00", "23:30"]'), ("17:00", '["00:00", "16:30"]')])
def test_the_times_that_decide_most_days_lie_around_the_days_close(cutoff: str, times: str) -> None:
    assert f"at = {times} for the job thu-thap" in str(advise_times(cutoff, "thu-thap"))


def test_the_doctor_and_collecting_name_the_times_once_polls_leave_nights_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with web_server() as server:
        site = Site(server)
        site.publish("/cu", on="2026-11-01 09:00")
        portal = Portal(tmp_path / "portal", capsys, f'kind = "feed"\nunit = "so-y-te"\nurl = "{server.url}/rss"\n')
        for evening in range(4):
            with time_machine.travel(at("2026-11-20 20:00") + timedelta(days=evening), tick=True):
                portal.collect()
        with time_machine.travel(datetime.fromisoformat("2026-11-24T09:00+07:00"), tick=True):
            (line,) = [one for one in portal.call("doctor", "--only", "updates") if one["object"] == "nights"]

    assert line["state"] == "warning"
    assert line["seen"].startswith("on 3 of the last 3 nights the polls left open of which day an item is")
    assert (
        line["cure"]
        == 'Write every = "day" and at = ["07:00", "23:30"] for the job daily-updates in the configuration.'
    )
