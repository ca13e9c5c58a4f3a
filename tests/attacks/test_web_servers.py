"""A unit's web server, or whoever has taken it, against the collecting of updates."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.model.updates import Poll
from tests.checks.updates.scene import at
from tests.checks.updates.site import Collecting, Site, source
from tests.web import answer, redirect, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as server:
        site = Site(server)
        site.publish("/1", "/2", on="2026-11-02 09:00")
        yield site


def collecting(site: Site, folder: Path, *paths: str) -> Collecting:
    """Return feeds at paths of the site."""
    return Collecting(folder, [source("feed", path.strip("/"), url=site.server.url + path) for path in paths])


def test_a_web_server_that_leads_into_the_own_network_is_not_followed(site: Site, tmp_path: Path) -> None:
    with web_server() as inner:
        site.server.pages |= {
            "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
            "/intranet": redirect("http://10.0.0.1/"),
            "/file": redirect("file:///etc/passwd"),
            "/login": redirect(inner.url.replace("//", "//root:root@")),
        }

        polls = (
            collecting(site, tmp_path, "/metadata", "/intranet", "/file", "/login", "/rss")
            .run("2026-11-16 20:00")
            .polls
        )

    assert [poll.ok for poll in polls] == [False, False, False, False, True]
    assert all("it is redirected to" in str(poll.problem) for poll in polls[:4])
    assert inner.asked == []


def test_a_web_server_that_answers_without_end_stops_nobody(site: Site, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    site.server.pages |= {
        "/endless": site.server.endless(head + b"\r\n", b" " * 65536),
        "/bomb": answer(gzip.compress(bytes(64 << 20), 1), headers={"Content-Encoding": "gzip"}),
        "/circle": redirect("/circle"),
        "/entities": answer(b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>'),
    }
    begun = time.monotonic()

    result = collecting(site, tmp_path, "/endless", "/bomb", "/circle", "/entities", "/rss").run(
        "2026-11-16 20:00", within=timedelta(minutes=1)
    )

    assert [poll.ok for poll in result.polls] == [False, False, False, False, True]
    assert [_end(poll) for poll in result.polls[:4]] == [
        "the answer is larger than 10 MiB",
        "the answer is larger than 10 MiB",
        "it is redirected more than 5 times",
        "the answer declares XML entities, which no feed or sitemap needs",
    ]
    assert time.monotonic() - begun < 60
    assert site.server.sent_bytes < 64 << 20


def _end(poll: Poll) -> str:
    return str(poll.problem).partition(": ")[2].partition(", after redirects")[0]


def test_old_articles_under_new_names_are_no_news(site: Site, tmp_path: Path) -> None:
    own = collecting(site, tmp_path, "/rss")
    own.run("2026-11-15 20:00")
    site.guid = "new"
    site.items = [(f"/moi{path}", "2026-11-16 09:00") for path, _on in site.items]
    site.show()
    page = site.server.pages["/rss"]
    assert isinstance(page, bytes)
    site.server.pages["/rss"] = answer(
        page.partition(b"\r\n\r\n")[2].replace(b" /moi/", b" /")
    )  # titles and texts as before

    poll = own.poll("2026-11-16 20:00")

    assert (poll.items, poll.new_items) == (2, 0)


def test_a_cache_that_always_says_that_nothing_changed_does_not_hide_what_was_published(
    site: Site, tmp_path: Path
) -> None:
    site.server.marks["/rss"] = {"ETag": '"for ever"'}
    own = collecting(site, tmp_path, "/rss")
    own.run("2026-11-15 20:00")
    site.publish("/3", on="2026-11-16 07:00")

    hidden = own.poll("2026-11-16 08:00")
    shown = own.poll("2026-11-16 20:00")

    assert (hidden.ok, hidden.new_items, hidden.covers_from) == (True, 0, None)
    assert (shown.new_items, shown.gap) == (1, False)
    assert shown.covers_from is not None and shown.covers_from <= at("2026-11-15 20:00")
