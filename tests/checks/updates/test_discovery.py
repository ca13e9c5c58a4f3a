"""What is found at a site, by real requests to a server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from checks.updates.dates import DateRules
from checks.updates.discovery.candidates import Candidate, assess, choose
from checks.updates.discovery.lists import propose_lists
from checks.updates.discovery.sites import Exploring, FoundSite, explore, explore_sites
from checks.updates.sources.list_page import page_of
from portalops.model.updates import ListedItem, Listing
from portalops.system.web import HttpWeb
from tests.checks.updates import cms_sites
from tests.checks.updates.cms_sites import NOW, TITLES, ZONE
from tests.doubles import FixedClock
from tests.web import Reply, WebServer, answer, redirect, web_server

Pages = Callable[[str], Mapping[str, Reply]]


def _exploring(wait: Callable[[float], None] = lambda _seconds: None) -> Exploring:
    return Exploring(HttpWeb(), FixedClock(NOW), ZONE, wait)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def _found(server: WebServer, pages: Pages, path: str = "/") -> FoundSite:
    server.pages.update(pages(server.url))
    return explore(server.url + path, _exploring())


def _settings(site: FoundSite, server: WebServer) -> list[tuple[str, dict[str, object]]]:
    return [
        (one.candidate.kind, {**one.candidate.settings, "url": one.candidate.url.removeprefix(server.url)})
        for one in site.chosen
    ]


@pytest.mark.parametrize(
    ("pages", "kind", "url"),
    [
        (cms_sites.wordpress, "json-feed", "/wp-json/wp/v2/posts?per_page=50"),
        (cms_sites.joomla, "feed", "/?format=feed&type=rss"),
        (cms_sites.drupal, "feed", "/rss.xml"),
        (cms_sites.sharepoint, "feed", "/_layouts/15/listfeed.aspx?List=%7B4E1F%7D"),
    ],
)
def test_the_feed_of_a_content_system_is_found(server: WebServer, pages: Pages, kind: str, url: str) -> None:
    site = _found(server, pages)

    assert _settings(site, server) == [(kind, {"url": url})]
    assert (site.problem, site.chosen[0].remarks) == (None, ())
    assert site.chosen[0].newest == NOW - timedelta(hours=1)


def test_a_page_of_feeds_leads_to_one_for_each_category_and_local_times_under_gmt_are_seen(server: WebServer) -> None:
    site = _found(server, cms_sites.nukeviet)

    assert site.generator == "NukeViet v4.5"
    assert _settings(site, server) == [
        ("feed", {"url": "/vi/news/rss/Tin-tuc/", "gmt_means_local": True}),
        ("feed", {"url": "/vi/news/rss/Thong-bao/", "gmt_means_local": True}),
    ]


def test_where_no_feed_is_the_list_on_a_page_of_news_is_proposed_and_read(server: WebServer) -> None:
    site = _found(server, cms_sites.liferay_list)

    ((kind, settings),) = _settings(site, server)
    assert (kind, settings["url"], settings["item"]) == (
        "list-page",
        "/web/soyte/tin-tuc",
        "div.asset-entries > div.asset-abstract",
    )
    assert [item.title for item in site.chosen[0].items] == list(TITLES)
    assert site.chosen[0].is_newest_first and site.chosen[0].is_dated


def test_a_table_without_classes_is_a_list(server: WebServer) -> None:
    site = _found(server, cms_sites.table_list)

    ((kind, settings),) = _settings(site, server)
    assert (kind, settings["item"]) == ("list-page", "div#noi-dung > table > tr")
    assert len(site.chosen[0].dates) == len(TITLES)


def test_a_site_that_scripts_build_is_a_result_with_its_reason(server: WebServer) -> None:
    site = _found(server, cms_sites.scripted)

    assert site.chosen == ()
    assert "built by scripts" in str(site.problem)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<form><input name="u"><input type="Password" name="p"></form><a href="/quen">Quên</a>', "asks for a login"),
        (
            '<a href="https://khac.example/tin">Tin tức của trang khác</a>',
            "leads to other hosts alone, such as khac.example",
        ),
    ],
)
def test_a_page_without_a_source_is_named_for_what_it_is(server: WebServer, body: str, said: str) -> None:
    server.pages["/"] = cms_sites.html(body)

    assert said in str(explore(server.url, _exploring()).problem)


def test_the_headings_of_a_table_are_no_item_that_cannot_be_read(server: WebServer) -> None:
    pages = cms_sites.table_list(server.url)
    page = pages["/"]
    assert isinstance(page, bytes)
    body = page.partition(b"\r\n\r\n")[2].decode()
    head = "<table><tr><th>Ngày</th><th>Trích yếu</th></tr>"
    server.pages["/"] = cms_sites.html(
        body.partition("<body>")[2].replace("<table>", head).removesuffix("</body></html>")
    )

    site = explore(server.url, _exploring())

    assert (len(site.chosen[0].items), site.chosen[0].remarks) == (len(TITLES), ())


def test_a_map_that_names_the_items_is_found_and_one_that_does_not_is_none(server: WebServer) -> None:
    site = _found(server, cms_sites.wordpress)

    assert site.site_map is None  # it has five of the twenty posts
    server.pages["/wp-sitemap.xml"] = answer(
        b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        + b"".join(f"<url><loc>{item.url}</loc></url>".encode() for item in site.chosen[0].items)
        + b"</urlset>"
    )
    again = explore(server.url, _exploring())
    assert again.site_map is not None
    assert again.site_map.candidate.settings == {"url": f"{server.url}/wp-sitemap.xml", "paths": ["/tin-tuc/*"]}


def test_of_a_sub_portal_in_a_folder_the_feed_of_the_whole_portal_is_not_taken(server: WebServer) -> None:
    server.pages.update(
        {
            "/soyte/": cms_sites.html('<link rel="alternate" type="application/rss+xml" href="/rss.xml">'),
            "/rss.xml": answer(cms_sites.rss(server.url, "/tin/{}", count=30)),
            "/soyte/rss.xml": answer(cms_sites.rss(server.url, "/soyte/tin/{}")),
        }
    )

    site = explore(f"{server.url}/soyte/", _exploring())

    assert _settings(site, server) == [("feed", {"url": "/soyte/rss.xml"})]
    assert [str(one.problem) for one in site.others] == ["its items lie outside of /soyte/"]


def test_an_address_that_is_a_feed_itself_is_taken(server: WebServer) -> None:
    server.pages["/tin.rss"] = answer(cms_sites.rss(server.url, "/tin/{}"))

    site = explore(f"{server.url}/tin.rss", _exploring())

    assert _settings(site, server) == [("feed", {"url": "/tin.rss"})]


def test_a_site_that_moved_is_explored_where_it_is_now(server: WebServer) -> None:
    server.pages.update({"/cu": redirect("/moi/"), "/moi/": cms_sites.html("")})
    server.pages["/moi/rss.xml"] = answer(cms_sites.rss(server.url, "/moi/tin/{}"))

    assert _settings(explore(f"{server.url}/cu", _exploring()), server) == [("feed", {"url": "/moi/rss.xml"})]


def test_a_site_that_is_down_leaves_the_others(server: WebServer) -> None:
    server.pages.update(cms_sites.drupal(server.url))

    down, up = explore_sites([f"{server.url}/404", server.url], _exploring())

    assert "404" in str(down.problem)
    assert len(up.chosen) == 1


def test_a_list_that_is_shuffled_is_found_out_by_its_second_poll(server: WebServer) -> None:
    server.pages.update(cms_sites.drupal(server.url))

    def change(_seconds: float) -> None:
        server.pages["/rss.xml"] = answer(cms_sites.rss(server.url, "/node/9{}"))

    site = explore(server.url, _exploring(change))

    assert [str(remark) for remark in site.chosen[0].remarks] == [
        "two polls a few seconds apart showed different items"
    ]


def test_a_source_that_fails_its_second_poll_is_named_and_not_chosen(server: WebServer) -> None:
    server.pages.update(cms_sites.drupal(server.url))

    site = explore(server.url, _exploring(lambda _seconds: server.pages.clear()))

    assert site.chosen == ()
    assert "its second poll failed" in str(site.others[0].problem)


def test_a_site_is_asked_by_two_connections_at_most(server: WebServer) -> None:
    server.delay = 0.01

    _found(server, cms_sites.wordpress)

    assert server.most_at_once <= 2


# --- what is chosen -------------------------------------------------------------------------------


def _items(newest: int, count: int = 5, *, path: str = "tin") -> Listing:
    return Listing(
        tuple(
            ListedItem(
                "", f"https://a.example/{path}/{newest - n}", f"Tin {n}", NOW - timedelta(days=100 - newest + n), ""
            )
            for n in range(count)
        )
    )


def test_a_feed_that_nobody_fills_any_more_is_not_taken_before_the_page_that_goes_on() -> None:
    old, page = (
        assess(Candidate(kind, {"url": kind}, ""), listing, listing, now=NOW)
        for kind, listing in (("feed", _items(60)), ("list-page", _items(100)))
    )

    assert choose([old, page]) == (page,)


def test_of_feeds_for_categories_that_of_a_quiet_one_is_taken_too_and_an_old_copy_of_all_is_not() -> None:
    news, notices, quiet = (
        assess(Candidate("feed", {"url": name}, ""), listing, listing, now=NOW)
        for name, listing in (
            ("news", _items(100, path="tin")),
            ("notices", _items(99, path="thong-bao")),
            ("quiet", _items(50, path="cong-khai")),
        )
    )

    assert choose([quiet, notices, news]) == (news, notices, quiet)
    assert choose([quiet, news]) == (news,)


def test_a_feed_that_stands_oldest_first_is_remarked() -> None:
    listing = Listing(_items(100).items[::-1])

    found = assess(Candidate("feed", {"url": "u"}, ""), listing, listing, now=NOW)

    assert [str(remark) for remark in found.remarks] == ["its items do not stand newest first, so a poll proves less"]


def test_items_that_cannot_be_told_apart_are_no_source() -> None:
    same = Listing(tuple(ListedItem("", "", "Tin", None, "") for _n in range(5)))

    assert assess(Candidate("feed", {"url": "u"}, ""), same, same, now=NOW).problem is not None


# --- lists ----------------------------------------------------------------------------------------


def test_a_menu_is_no_list_of_items() -> None:
    menu = "".join(f'<li class="m"><a href="/muc-{n}">Giới thiệu</a></li>' for n in range(9))

    page = page_of(f"<ul class='menu'>{menu}</ul>")

    assert page is not None
    assert propose_lists(page, "https://a.example/", DateRules(ZONE)) == ()


def test_links_to_other_sites_are_no_list_of_items() -> None:
    links = "".join(f'<li><a href="https://b{n}.example/tin/{n}">{TITLES[0]}</a></li>' for n in range(9))

    page = page_of(f"<ul class='lien-ket'>{links}</ul>")

    assert page is not None
    assert propose_lists(page, "https://a.example/", DateRules(ZONE)) == ()


@pytest.mark.parametrize("text", ["", "<", "<a href='http://['>" + "x" * 40, "<ul>" + "<li>" * 3000, "<div>" * 3000])
def test_a_page_that_is_made_to_hurt_proposes_nothing(text: str) -> None:
    page = page_of(text)

    assert page is None or propose_lists(page, "https://a.example/", DateRules(ZONE)) == ()
