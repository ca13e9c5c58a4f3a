"""Many sources at once, over real sockets and weeks: what hangs, what lies, what was missed."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.updates.gaps import judge_gap, keys_of
from checks.updates.job import replay
from checks.updates.observations import ObservationStore
from portalops.bodies import decode_part, write
from portalops.model.message import msg
from portalops.model.updates import (
    ItemChannel,
    ListedItem,
    Listing,
    RefusedItem,
    UpdateAnswer,
    UpdateSourceTraits,
    UpdatesResult,
)
from portalops.model.verdicts import DutyVerdict
from portalops.ports import UpdateSource
from tests.checks.updates.scene import HEALTH, JUSTICE, ZONE, at
from tests.checks.updates.site import Collecting, Site, source
from tests.servers import free_port
from tests.web import answer, redirect, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as server:
        site = Site(server)
        site.publish("/1", "/2", on="2026-11-02 09:00")
        yield site


def a_feed(site: Site) -> UpdateSource:
    return source("feed", "rss", url=f"{site.server.url}/rss")


def a_map(site: Site, **settings: object) -> UpdateSource:
    return source("sitemap", "map", url=f"{site.server.url}/sitemap.xml", **settings)


def a_page(site: Site) -> UpdateSource:
    return source("list-page", "page", url=f"{site.server.url}/", item="li", date="time", cross_check=True)


# --- gaps -------------------------------------------------------------------------------------


def test_a_feed_without_overlap_has_a_gap_and_without_a_cross_check_it_stays(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site)])
    collecting.run("2026-11-15 20:00")
    site.publish("/3", "/4", "/5", "/6", on="2026-11-16 09:00")

    poll = collecting.poll("2026-11-16 20:00")

    assert (poll.gap, poll.gap_check, poll.new_items) == (True, None, 3)
    assert poll.covers_from == at("2026-11-16 09:00")


@pytest.mark.parametrize("check", [a_map, a_page])
def test_a_gap_is_closed_by_a_map_or_page_that_shows_nothing_else(site: Site, tmp_path: Path, check: Any) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), check(site)])
    collecting.run("2026-11-15 20:00")
    site.publish("/3", "/4", "/5", on="2026-11-16 09:00")

    poll = collecting.poll("2026-11-16 20:00")

    name = collecting.sources[1].traits.id
    assert (poll.gap, str(poll.gap_check)) == (False, f"{name} shows nothing since 2026-11-15 that the polls missed")
    assert poll.covers_from == at("2026-11-15 20:00")


@pytest.mark.parametrize("check", [a_map, a_page])
def test_a_gap_stays_and_what_was_missed_is_named(site: Site, tmp_path: Path, check: Any) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), check(site)])
    collecting.run("2026-11-15 20:00")
    site.publish("/3", "/4", "/5", "/6", on="2026-11-16 09:00")

    poll = collecting.poll("2026-11-16 20:00")

    name = collecting.sources[1].traits.id
    assert poll.gap
    assert str(poll.gap_check) == f"{name} shows 1 address that no poll has shown: {site.server.url}/3"
    assert poll.covers_from == at("2026-11-16 09:00")
    assert collecting.store.count() == 5


def test_a_map_counts_for_nothing_and_is_asked_once_a_week_or_where_there_is_a_gap(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), a_map(site)])

    for day in range(1, 15):
        site.publish(f"/d{day}", on=f"2026-11-{day:02} 09:00")
        collecting.run(f"2026-11-{day:02} 20:00")

    assert site.server.paths().count("/sitemap.xml") == 3  # the 1st, a Sunday, and both Mondays
    assert {poll.new_items for poll in collecting.polls if poll.source == "map"} == {0}
    site.publish("/x", "/y", "/z", on="2026-11-15 09:00")
    collecting.run("2026-11-15 20:00")
    assert site.server.paths().count("/sitemap.xml") == 4


def test_a_map_is_no_source_that_must_show_the_unit(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), a_map(site)])
    collecting.run("2026-11-16 00:30")
    site.publish("/3", on="2026-11-16 09:00")
    collecting.run("2026-11-16 20:00")
    collecting.run("2026-11-18 00:30")
    site.publish("/4", on="2026-11-18 09:00")
    collecting.run("2026-11-18 20:00")

    weeks = collecting.run("2026-11-23 08:00").unit_weeks

    week = next(one for one in weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert (week.subportal, week.subportal_verdict) == (2, DutyVerdict.MET)


def test_a_cross_check_that_is_down_leaves_the_gap_and_is_named(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), a_map(site)])
    collecting.run("2026-11-15 20:00")
    site.publish("/3", "/4", "/5", on="2026-11-16 09:00")
    del site.server.pages["/sitemap.xml"]

    first, second = collecting.run("2026-11-16 20:00").polls

    assert (first.gap, str(first.gap_check)) == (True, "map did not answer")
    assert not second.ok


def test_the_store_is_built_again_as_it_was_with_its_closed_gaps(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site), a_map(site)])
    collecting.run("2026-11-15 20:00")
    site.publish("/3", "/4", "/5", on="2026-11-16 09:00")
    result = collecting.run("2026-11-16 20:00")
    again = ObservationStore.open(tmp_path / "again.sqlite")

    told = decode_part(write({"updates": result}), "updates", UpdatesResult)
    assert told is not None and told.polls == result.polls
    replay(
        [*collecting.polls[:2], *told.polls],
        blob=collecting.keeper.blobs.__getitem__,
        sources=collecting.sources,
        units=(HEALTH, JUSTICE),
        zone=ZONE,
        store=again,
    )

    assert again.last_whole_poll("rss") == collecting.store.last_whole_poll("rss")
    assert again.count() == collecting.store.count()


MAP = UpdateSourceTraits("map", ItemChannel.SUBPORTAL, complete=True, cross_check=True)
PAGE = UpdateSourceTraits("page", ItemChannel.SUBPORTAL, complete=False, cross_check=True)


def _listed(path: str, changed: str | None) -> ListedItem:
    moment: datetime | None = at(changed) if changed else None
    return ListedItem("", f"http://soyte.example{path}", "", None, changed or "", modified_at=moment)


@pytest.mark.parametrize(
    ("check", "listing", "is_closed", "says"),
    [
        (MAP, Listing((_listed("/new", "2026-11-17 09:00"),)), False, "map shows 1 address that no poll has shown"),
        (MAP, Listing((_listed("/new", "2026-11-15 00:00"),)), False, "map shows 1 address"),
        (MAP, Listing((_listed("/old", "2026-11-14 23:00"),)), True, "map shows nothing since 2026-11-15"),
        (MAP, Listing((_listed("/known", "2026-11-17 09:00"),)), True, "map shows nothing"),
        (MAP, Listing((_listed("/undated", None),)), False, "map shows 1 address"),
        (MAP, Listing((_listed("/", "2026-11-17 09:00"),)), True, "map shows nothing"),
        (
            MAP,
            Listing((_listed("/old", "2026-11-01 09:00"),), doubt=msg("built anew")),
            False,
            "map cannot show it: built anew",
        ),
        (
            MAP,
            Listing((_listed("/old", "2026-11-01 09:00"),), (RefusedItem(msg("file 2: broken")),)),
            False,
            "cannot show it: file 2: broken",
        ),
        (PAGE, Listing((_listed("/known", "2026-11-17 09:00"),)), False, "page does not reach back to 2026-11-15"),
        (PAGE, Listing((_listed("/known", "2026-11-17 09:00"), _listed("/old", "2026-11-01 09:00"))), True, "nothing"),
        (  # an old item that is pinned at the head says nothing of how far back the page reaches
            PAGE,
            Listing((_listed("/old", "2026-11-01 09:00"), *[_listed("/known", "2026-11-17 09:00")] * 3)),
            False,
            "page does not reach back to 2026-11-15",
        ),
    ],
)
def test_what_a_cross_check_shows_closes_a_gap_or_not(
    check: UpdateSourceTraits, listing: Listing, is_closed: bool, says: str
) -> None:
    known = {"u:soyte.example/known"} & set(keys_of(listing))

    found, why = judge_gap(check, listing, since=at("2026-11-15 20:00"), known=known, zone=ZONE)

    assert (found, says in str(why)) == (is_closed, True)


# --- what servers do --------------------------------------------------------------------------


def test_changing_every_guid_of_a_feed_adds_nothing(site: Site, tmp_path: Path) -> None:
    site.publish("/3", on="2026-11-16 09:00")
    collecting = Collecting(tmp_path, [a_feed(site)])
    collecting.run("2026-11-15 20:00")
    site.guid = "http://soyte.example/moi/?p="
    site.show()

    poll = collecting.poll("2026-11-16 20:00")

    assert (poll.items, poll.new_items, poll.gap) == (3, 0, False)


def test_a_move_to_other_guids_and_addresses_adds_nothing(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [a_feed(site)])
    collecting.run("2026-11-15 20:00")
    moved = site.server.pages["/rss"]
    assert isinstance(moved, bytes)
    body = (
        moved.partition(b"\r\n\r\n")[2]
        .replace(site.server.url.encode(), b"https://soyte.example")
        .replace(b">a/", b">b/")
    )
    site.server.pages |= {"/rss": redirect("/moi/rss"), "/moi/rss": answer(body)}

    poll = collecting.poll("2026-11-16 20:00")

    assert (poll.items, poll.new_items, poll.gap) == (2, 0, False)
    assert poll.via == (f"{site.server.url}/moi/rss",)


def test_a_feed_that_breaks_off_counts_as_far_as_it_goes_and_says_so(site: Site, tmp_path: Path) -> None:
    site.publish("/3", "/4", on="2026-11-16 09:00")
    whole = site.server.pages["/rss"]
    assert isinstance(whole, bytes)
    cut = whole.partition(b"\r\n\r\n")[2][:-600]
    site.server.pages["/rss"] = answer(cut)
    collecting = Collecting(tmp_path, [a_feed(site)])

    poll = collecting.poll("2026-11-16 20:00")

    assert poll.ok and poll.items in {2, 3}
    assert "not well-formed XML" in str(poll.rejected[0])
    site.server.pages["/rss"] = answer(cut, length=len(cut) + 600)
    broken = collecting.poll("2026-11-17 20:00")
    assert (broken.ok, str(broken.problem)) == (False, "update source rss: the answer is truncated")


def test_a_page_of_maintenance_is_an_outage_whose_picture_is_kept(site: Site, tmp_path: Path) -> None:
    collecting = Collecting(tmp_path, [source("feed", "rss", url=f"{site.server.url}/rss", marker="<channel>")])
    collecting.run("2026-11-15 20:00")
    page = "<rss><h1>Hệ thống đang bảo trì</h1></rss>".encode()
    site.server.pages["/rss"] = answer(page)

    poll = collecting.poll("2026-11-16 20:00")

    assert (poll.ok, poll.items) == (False, 0)
    assert "lacks the marker <channel>" in str(poll.problem)
    assert poll.evidence is not None and collecting.keeper.blobs[poll.evidence] == page


# --- many at once -----------------------------------------------------------------------------


class Hanging:
    """A source that never answers, and whose thread nobody waits for."""

    def __init__(self, name: str, host: str = "", *, reading: bool = False) -> None:
        self.traits = UpdateSourceTraits(name, ItemChannel.SUBPORTAL, complete=False, host=host)
        self._reading = reading

    def fetch(self, *, etag: str) -> UpdateAnswer:
        if not self._reading:
            threading.Event().wait()
        return UpdateAnswer(b"bomb")

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        threading.Event().wait()
        raise AssertionError("it hangs")


@pytest.mark.heavy
def test_sources_that_hang_stop_nobody_and_the_whole_ends_in_time(site: Site, tmp_path: Path) -> None:
    hanging = [Hanging(f"h{number}", "dead.example") for number in range(5)] + [Hanging("parser", reading=True)]
    collecting = Collecting(tmp_path, [*hanging, a_feed(site)])
    begun = time.monotonic()

    result = collecting.run("2026-11-16 20:00", within=timedelta(seconds=3))

    assert time.monotonic() - begun < 30
    polls = {poll.source: poll for poll in result.polls}
    assert [poll.source for poll in result.polls] == [one.traits.id for one in collecting.sources]
    assert polls["rss"].ok
    assert str(polls["h0"].problem) == "update source h0: no complete answer within 3 seconds"
    assert str(polls["h4"].problem) == "update source h4: not polled, because the other sources took all the time"
    parser = polls["parser"]
    assert parser.evidence is not None and collecting.keeper.blobs[parser.evidence] == b"bomb"


class Counting:
    """A source that counts how many of its kind are asked at once."""

    lock = threading.Lock()

    def __init__(self, name: str, host: str, now: dict[str, int], most: dict[str, int]) -> None:
        self.traits = UpdateSourceTraits(name, ItemChannel.SUBPORTAL, complete=False, host=host)
        self._now, self._most = now, most

    def fetch(self, *, etag: str) -> UpdateAnswer:
        names = (self.traits.host, "all")
        with self.lock:
            for name in names:
                self._now[name] = self._now.get(name, 0) + 1
                self._most[name] = max(self._most.get(name, 0), self._now[name])
        time.sleep(0.01)
        with self.lock:
            for name in names:
                self._now[name] -= 1
        return UpdateAnswer(b"x")

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        return Listing(())


@pytest.mark.heavy
def test_twenty_are_asked_at_once_and_two_of_one_server(tmp_path: Path) -> None:
    most: dict[str, int] = {}
    now: dict[str, int] = {}
    many = [Counting(f"s{number}", f"host{number % 12}.example", now, most) for number in range(60)]

    polls = Collecting(tmp_path, many).run("2026-11-16 20:00").polls

    assert len(polls) == 60 and all(poll.ok for poll in polls)
    assert most.pop("all") <= 20
    assert max(most.values()) <= 2


# --- days and weeks ---------------------------------------------------------------------------


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[None]:
    """Serve a folder with a real nginx."""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ access_log off; "
        + "".join(f"{kind}_temp_path {folder}/t; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"server {{ listen 127.0.0.1:{port}; root {folder}/www; types {{ application/rss+xml rss; }} }} }}"
    )
    process = subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        for _try in range(3000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.needs("nginx")
def test_a_server_that_is_down_for_days_leaves_them_open_until_it_shows_them(site: Site, tmp_path: Path) -> None:
    www, port = tmp_path / "www", free_port()
    www.mkdir()
    own = source("feed", "rss", url=f"http://127.0.0.1:{port}/tin.rss")
    collecting = Collecting(tmp_path, [own])

    def publish(*paths: str, on: str) -> None:
        site.publish(*paths, on=on)
        page = site.server.pages["/rss"]
        assert isinstance(page, bytes)
        (www / "tin.rss").write_bytes(page.partition(b"\r\n\r\n")[2])

    site.feed_length = 6
    for day in (3, 4, 5):
        publish(f"/0{day}", on=f"2026-11-0{day} 09:00")
    with nginx(tmp_path, port):
        collecting.run("2026-11-13 20:00")
        unchanged = collecting.poll("2026-11-14 09:00")
        whole = collecting.poll("2026-11-15 20:00")
    down = [collecting.run(f"2026-11-{day} 20:00") for day in (16, 17, 18, 19, 20, 21)]
    after = collecting.run("2026-11-24 08:00")
    publish("/9", on="2026-11-17 09:00")
    with nginx(tmp_path, port):
        back = collecting.run("2026-11-24 09:00")

    assert (unchanged.ok, unchanged.evidence, unchanged.items, unchanged.covers_from) == (True, None, 5, None)  # a 304
    assert (whole.evidence is not None, whole.covers_from) == (True, at("2026-11-02 09:00"))
    assert {str(poll.problem) for result in down for poll in result.polls} == {
        "update source rss: no answer: Connection refused"
    }
    assert _verdict(after) is DutyVerdict.INSUFFICIENT_EVIDENCE
    week = next(one for one in after.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert [day.day for day in week.unreachable] == [16, 17, 18, 19, 20]
    assert (back.polls[0].gap, back.polls[0].new_items) == (False, 1)
    assert _verdict(back) is DutyVerdict.INSUFFICIENT_EVIDENCE, "what came and went meanwhile nobody knows"


def _verdict(result: UpdatesResult) -> DutyVerdict:
    return next(
        one.subportal_verdict for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id
    )


@pytest.mark.parametrize(
    ("status", "length"), [("503 Service Unavailable", None), ("200 OK", 200_000)], ids=["other", "breaks off"]
)
def test_an_answer_that_is_no_whole_page_is_kept_with_its_status_and_chain(
    site: Site, tmp_path: Path, status: str, length: int | None
) -> None:
    body = "<h1>Hệ thống đang bảo trì</h1>".encode() + b"x" * 100_000
    site.server.pages["/rss"] = redirect("/down")
    site.server.pages["/down"] = answer(body, status=status, length=length)
    collecting = Collecting(tmp_path, [a_feed(site)])

    poll = collecting.poll("2026-11-16 20:00")

    assert not poll.ok and poll.evidence is not None
    kept = json.loads(collecting.keeper.blobs[poll.evidence])
    assert (kept["url"], kept["status"]) == (f"{site.server.url}/rss", int(status[:3]))
    assert kept["redirected_to"] == [f"{site.server.url}/down"] == list(poll.via)
    assert kept["beginning"].startswith("<h1>Hệ thống đang bảo trì</h1>xxx")
    assert len(kept["beginning"].encode()) == 16 << 10
