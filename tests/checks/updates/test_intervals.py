"""Weeks and days over real sources, where an item is known to have come between two polls and never at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from portalops.model.updates import Bounds, FlagKind, PortalDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.scene import HEALTH, JUSTICE
from tests.checks.updates.site import Collecting, Site, source
from tests.web import answer, web_server

MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as server:
        site = Site(server, feed_length=8)
        for number in range(6):
            site.publish(f"/cu-{number}", on=f"2026-10-{20 + number} 09:00")
        yield site


@pytest.fixture
def twice_daily(site: Site, tmp_path: Path) -> Polling:
    return Polling(site, Collecting(tmp_path, [source("feed", "rss", url=f"{site.server.url}/rss")]))


class Polling:
    """A feed that is polled at 08:00 and 20:00, and a site that publishes in between."""

    def __init__(self, site: Site, collecting: Collecting) -> None:
        self.site, self.collecting = site, collecting

    def until(self, last: str, *, first: str = "2026-11-15", hours: tuple[int, ...] = (8, 20)) -> UpdatesResult:
        """Poll on each day at each hour and return what the last poll judged."""
        day, end = date.fromisoformat(first), date.fromisoformat(last)
        found: UpdatesResult | None = None
        while day <= end:
            for hour in hours:
                found = self.collecting.run(f"{day} {hour:02}:00")
            day += timedelta(days=1)
        assert found is not None
        return found

    def k1(self, result: UpdatesResult, week: str = "2026-W47") -> UnitWeek:
        return next(one for one in result.unit_weeks if str(one.week) == week and one.unit == HEALTH.id)


def _undated(site: Site, path: str) -> bytes:
    """Return the feed with one item in front that names no date."""
    entry = f"<item><link>{site.server.url}{path}</link><title>Tin {path}</title></item>".encode()
    return _feed_of(site).replace(b"<channel>", b"<channel>" + entry)


def _feed_of(site: Site) -> bytes:
    page = site.server.pages["/rss"]
    assert isinstance(page, bytes)
    return page.partition(b"\r\n\r\n")[2]


def test_a_claim_that_a_cache_may_explain_places_an_item_for_certain_on_no_earlier_day(
    site: Site, tmp_path: Path
) -> None:
    front = Collecting(tmp_path, [source("feed", "front", url=f"{site.server.url}/rss", channel="portal", unit=None)])
    polling = Polling(site, front)
    polling.until("2026-11-17")
    front.run("2026-11-18 08:00")
    site.publish("/thu-tu", on="2026-11-17 20:30")  # in truth on Wednesday at nine

    polling_result = front.run("2026-11-18 20:00")
    days: dict[str, PortalDay] = {str(one.day): one for one in polling_result.portal_days}

    assert (days["2026-11-17"].verdict, days["2026-11-17"].updates) == (DutyVerdict.INSUFFICIENT_EVIDENCE, 0)
    assert (days["2026-11-18"].verdict, days["2026-11-18"].updates) == (MET, 1)
    assert [one.flags for one in polling_result.flagged] == [(FlagKind.BACKDATED,)]


def test_an_item_of_sunday_evening_or_monday_morning_leaves_the_week_open(twice_daily: Polling) -> None:
    site = twice_daily.site
    twice_daily.until("2026-11-17", hours=(8,))
    site.publish("/thu-ba", on="2026-11-17 09:00")
    twice_daily.until("2026-11-22", first="2026-11-17", hours=(20,))
    site.server.pages["/rss"] = answer(_undated(site, "/chu-nhat"))  # in truth on Sunday at half past nine

    week = twice_daily.k1(twice_daily.collecting.run("2026-11-23 08:00"))

    assert (week.subportal_verdict, week.subportal_bounds) == (UNKNOWN, Bounds(1, 2, 2, 2))


def test_after_an_outage_an_item_may_be_of_the_week_before(site: Site, tmp_path: Path) -> None:
    polling = Polling(site, Collecting(tmp_path, [source("feed", "rss", url=f"{site.server.url}/rss")]))
    polling.until("2026-11-18")
    site.publish("/thu-ba", on="2026-11-17 09:00")
    polling.until("2026-11-19", first="2026-11-19")
    site.server.pages["/rss"] = answer(status="503 Service Unavailable")
    polling.until("2026-11-26", first="2026-11-20")
    site.publish("/thu-hai", on="2026-11-23 09:00")  # first seen on the 27th

    week = polling.k1(polling.until("2026-11-27", first="2026-11-27"))

    assert (week.subportal, week.subportal_verdict) == (1, UNKNOWN)


def test_the_week_of_a_sources_first_poll_is_held_against_nobody(site: Site, tmp_path: Path) -> None:
    polling = Polling(site, Collecting(tmp_path, [source("feed", "rss", url=f"{site.server.url}/rss")]))
    polling.until("2026-11-23", first="2026-11-18")

    week = polling.k1(polling.collecting.run("2026-11-24 08:00"))

    assert (week.subportal_verdict, week.subportal_bounds) == (UNKNOWN, Bounds(0, 3, 2, 2))


def test_of_two_units_with_one_text_in_one_poll_none_is_the_copier(tmp_path: Path) -> None:
    with web_server() as one, web_server() as other:
        sites = [Site(one, feed_length=8), Site(other, feed_length=8)]
        for site in sites:
            site.publish(*(f"/cu-{number}-{site.server.url[-3:]}" for number in range(6)), on="2026-11-02 09:00")
        feeds = [
            source("feed", name, url=f"{site.server.url}/rss", unit=unit.id)
            for name, site, unit in zip(("a", "b"), sites, (HEALTH, JUSTICE), strict=True)
        ]
        collecting = Collecting(tmp_path, feeds)
        polling = Polling(sites[0], collecting)
        polling.until("2026-11-16")
        polling.until("2026-11-17", first="2026-11-17", hours=(8,))
        for site in sites:
            site.publish("/chung", on="2026-11-17 09:00")
            site.items[0] = (site.items[0][0], "2026-11-10 09:00")  # both claim a day that the poll before refutes
            site.show()
        polling.until("2026-11-17", first="2026-11-17", hours=(20,))
        result = polling.until("2026-11-24", first="2026-11-18")

    (alike,) = {one.flags for one in result.flagged if one.title == "Tin /chung"}
    assert alike == (FlagKind.BACKDATED, FlagKind.DUPLICATE)
    assert twice(result, HEALTH.id) == (0, 1)


def twice(result: UpdatesResult, unit: str) -> tuple[int, int | None]:
    bounds = next(one.subportal_bounds for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == unit)
    assert bounds is not None
    return bounds.least, bounds.most


def test_a_feed_that_was_empty_for_a_week_held_nothing_against_anybody(twice_daily: Polling) -> None:
    site = twice_daily.site
    twice_daily.until("2026-11-15")
    site.server.pages["/rss"] = answer(b"<rss version='2.0'><channel></channel></rss>")
    twice_daily.until("2026-11-22", first="2026-11-16")
    site.publish("/a", on="2026-11-17 09:00")
    site.publish("/b", on="2026-11-19 09:00")
    site.publish("/c", on="2026-11-20 09:00")

    week = twice_daily.k1(twice_daily.until("2026-11-24", first="2026-11-23"))

    assert week.subportal_verdict in {UNKNOWN, DutyVerdict.PENDING}
    assert week.subportal_bounds is not None and week.subportal_bounds.least == 0


@pytest.mark.parametrize("kind", ["oldest first", "stale", "one id", "in turn"])
def test_a_feed_that_cannot_show_what_is_new_makes_nobody_unmet(twice_daily: Polling, kind: str) -> None:
    site = twice_daily.site
    for number in (7, 8, 9):
        site.publish(f"/cu-{number}", on=f"2026-11-0{number} 09:00")
    if kind == "oldest first":
        _turn(site)
    twice_daily.until("2026-11-15")
    before = site.server.pages["/rss"]
    for day in ("16", "18", "20"):
        site.publish(f"/{day}-11", on=f"2026-11-{day} 09:00")
        if kind == "oldest first":
            _turn(site)
        if kind == "stale":
            site.server.pages["/rss"] = before
        if kind == "one id":
            _one_id(site)
        if kind == "in turn":
            now = site.server.pages["/rss"]
            twice_daily.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(20,))
            site.server.pages["/rss"] = before
            twice_daily.until(f"2026-11-{int(day) + 1}", first=f"2026-11-{int(day) + 1}", hours=(8,))
            site.server.pages["/rss"] = now
        else:
            twice_daily.until(f"2026-11-{int(day) + 1}", first=f"2026-11-{day}")
    if kind == "stale":
        site.show()

    week = twice_daily.k1(twice_daily.until("2026-11-24", first="2026-11-22"))

    assert week.subportal_verdict is not UNMET, week.reason


def _turn(site: Site) -> None:
    """Show the oldest items, the oldest first, cut at eight."""
    newest_first = site.items
    site.items = sorted(newest_first, key=lambda one: one[1])
    site.show()
    site.items = newest_first


def _one_id(site: Site) -> None:
    site.guid = "x"
    page = _feed_of(site)
    while b"'false'>a/" in page:
        start = page.index(b"'false'>a/")
        page = page[: start + 8] + b"1" + page[page.index(b"</guid>", start) :]
    site.guid = "a"
    site.server.pages["/rss"] = answer(page)


def test_items_that_are_up_for_minutes_on_two_days_meet_no_week(twice_daily: Polling) -> None:
    site = twice_daily.site
    twice_daily.until("2026-11-15")
    for day in ("17", "19"):
        site.publish(f"/chop-nhoang-{day}", on=f"2026-11-{day} 07:50")
        twice_daily.until(f"2026-11-{day}", first=f"2026-11-{int(day) - 1}", hours=(8,))
        site.items = [one for one in site.items if not one[0].startswith("/chop")]
        site.show()
        twice_daily.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(20,))
    twice_daily.until("2026-11-22", first="2026-11-20")
    twice_daily.until("2026-11-23", first="2026-11-23", hours=(8,))
    site.publish("/tuan-sau", on="2026-11-23 09:00")
    twice_daily.until("2026-11-23", first="2026-11-23", hours=(20,))

    week = twice_daily.k1(twice_daily.until("2026-11-24", first="2026-11-24"))

    assert week.subportal_verdict is not MET
    assert (week.subportal, week.subportal_verdict) == (0, UNKNOWN), "they may stand in another list now"


def test_a_thief_that_dates_its_copy_earlier_within_one_poll_is_not_the_first(tmp_path: Path) -> None:
    with web_server() as one, web_server() as other:
        honest, thief = (Site(server, feed_length=8) for server in (one, other))
        for number in range(6):
            honest.publish(f"/a-{number}", on=f"2026-10-{20 + number} 09:00")
            thief.publish(f"/b-{number}", on=f"2026-10-{20 + number} 09:00")
        feeds = [
            source("feed", name, url=f"{site.server.url}/rss", unit=unit.id)
            for name, site, unit in zip(("a", "b"), (honest, thief), (HEALTH, JUSTICE), strict=True)
        ]
        polling = Polling(honest, Collecting(tmp_path, feeds))
        polling.until("2026-11-16")
        for day in ("17", "19"):
            polling.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(8,))
            honest.publish(f"/chung-{day}", on=f"2026-11-{day} 10:00")
            thief.publish(f"/chung-{day}", on=f"2026-11-{day} 09:59")
            polling.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(20,))
            polling.until(f"2026-11-{int(day) + 1}", first=f"2026-11-{int(day) + 1}")
        result = polling.until("2026-11-24", first="2026-11-21")

    verdicts = {one.unit: one.subportal_verdict for one in result.unit_weeks if str(one.week) == "2026-W47"}
    assert verdicts[HEALTH.id] is not UNMET
    assert verdicts[JUSTICE.id] is not MET


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        (("09:00", "09:00", False), UNKNOWN),  # the portal had it the day before
        (("08:40", "14:00", True), UNKNOWN),  # one poll showed both first, and the portal dates it earlier
        (("14:00", "08:40", True), UNKNOWN),  # the unit dates it earlier, as whoever copies it may
    ],
)
def test_the_portals_own_news_on_a_units_site_meets_no_week(
    site: Site, tmp_path: Path, times: tuple[str, str, bool], verdict: DutyVerdict
) -> None:
    portal_at, unit_at, is_same_day = times
    with web_server() as front_server:
        front = Site(front_server, feed_length=8)
        for number in range(6):
            front.publish(f"/tinh-{number}", on=f"2026-10-{20 + number} 10:00")
        feeds = [
            source("feed", "front", url=f"{front.server.url}/rss", channel="portal", unit=None),
            source("feed", "rss", url=f"{site.server.url}/rss"),
        ]
        polling = Polling(site, Collecting(tmp_path, feeds))
        polling.until("2026-11-15")
        for day in ("16", "18"):
            polling.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(8,))
            front.publish(f"/tin-{day}", on=f"2026-11-{day} {portal_at}")
            if is_same_day:
                site.publish(f"/tin-{day}", on=f"2026-11-{day} {unit_at}")
            polling.until(f"2026-11-{day}", first=f"2026-11-{day}", hours=(20,))
            if not is_same_day:
                site.publish(f"/tin-{day}", on=f"2026-11-{int(day) + 1} {unit_at}")
            polling.until(f"2026-11-{int(day) + 1}", first=f"2026-11-{int(day) + 1}")
        week = polling.k1(polling.until("2026-11-24", first="2026-11-20"))

    assert week.subportal_verdict is verdict, str(week.reason)


def test_sub_portals_whose_items_the_portal_shows_between_the_same_polls_are_counted(
    site: Site, tmp_path: Path
) -> None:
    with web_server() as front_server:
        front = Site(front_server, feed_length=8)
        feeds = [
            source("feed", "front", url=f"{front.server.url}/rss", channel="portal", unit=None),
            source("feed", "rss", url=f"{site.server.url}/rss"),
        ]
        polling = Polling(site, Collecting(tmp_path, feeds))
        front.publish("/tinh", on="2026-10-20 10:00")
        polling.until("2026-11-15")
        for where in (front, site):
            where.publish("/chung-1", on="2026-11-16 09:00")
            where.publish("/chung-2", on="2026-11-16 09:30")
        site.publish("/rieng", on="2026-11-16 10:00")
        polling.until("2026-11-16", first="2026-11-16", hours=(20,))
        site.publish("/tinh", on="2026-11-17 09:00")  # the portal had it long before
        polling.until("2026-11-17", first="2026-11-17")

    assert polling.collecting.store.shown_at_once(["front"]) == {"rss": 2}
    assert polling.collecting.store.shown_at_once(["elsewhere"]) == {}
