from __future__ import annotations

import gzip
import json
import time
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checks.updates.sources import feed, json_feed, list_page, sitemap
from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, LiteralSecret, UpdateSourceError
from portalops.model.updates import ItemChannel, ListedItem, Listing
from portalops.ports import UpdateSource
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import ZONE, at, said_of
from tests.web import WebServer, answer, redirect, web_server

SAMPLES = Path(__file__).parents[2] / "samples/updates"
WORDPRESS = SAMPLES / "wordpress"
"""What WordPress 6.8.12 of Debian 13 answers, with 15 posts of November 2026; of the page without styles and scripts."""
SITE = "http://soyte.khanhhoa.example"
NOW = at("2026-11-20 09:00")
KINDS: dict[str, Any] = {"feed": feed, "json-feed": json_feed, "list-page": list_page, "sitemap": sitemap}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as started:
        yield started


def source(kind: str, **settings: object) -> UpdateSource:
    table = KindTable.alone("soyte", kind, {"channel": "subportal", **settings}, Path("/srv"))
    built: UpdateSource = KINDS[kind].build("soyte", table, zone=ZONE, web=HttpWeb())
    return built


def listing(kind: str, data: bytes | str, **settings: object) -> Listing:
    """Return what an answer says."""
    settings = {"url": f"{SITE}/", **settings}
    return source(kind, **settings).parse(data if isinstance(data, bytes) else data.encode(), polled_at=NOW)


# --- what all have in common ------------------------------------------------------------------


def test_a_server_is_asked_with_its_own_mark_the_next_time(server: WebServer) -> None:
    data = (SAMPLES / "atom.xml").read_bytes()
    server.pages["/rss"], server.marks["/rss"] = answer(data), {"ETag": '"v1"'}
    own = source("feed", url=f"{server.url}/rss")

    first = own.fetch(etag="")
    second = own.fetch(etag=first.etag)

    assert (first.data, first.etag, second.data) == (data, '"v1"', None)
    assert own.traits.host == "127.0.0.1"


def test_where_a_source_was_redirected_to_is_told(server: WebServer) -> None:
    server.pages |= {"/rss": redirect("/tin/rss"), "/tin/rss": answer(b"<rss/>"), "/gone": redirect("/none")}

    assert source("feed", url=f"{server.url}/rss").fetch(etag="").via == (f"{server.url}/tin/rss",)
    with pytest.raises(UpdateSourceError, match=f"HTTP status 404, after redirects to {server.url}/none"):
        source("feed", url=f"{server.url}/gone").fetch(etag="")


@pytest.mark.parametrize("kind", ["feed", "json-feed", "sitemap"])
def test_what_a_server_does_wrong_is_an_error_of_its_source(server: WebServer, kind: str) -> None:
    server.pages["/"] = server.endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536)

    with pytest.raises(UpdateSourceError, match=r"update source soyte: the answer is larger than \d\d MiB") as caught:
        source(kind, url=server.url).fetch(etag="")

    assert "portalops updates collect" in str(caught.value.hint)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UpdateSourceError, match="no answer: Connection refused"):
        source("feed", url="http://127.0.0.1:9/rss").fetch(etag="")


@pytest.mark.parametrize("kind", ["feed", "json-feed", "sitemap"])
def test_a_file_serves_as_well(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "answer"
    file.write_bytes(b"<rss/>")

    assert b"<rss/>" in (source(kind, file=str(file)).fetch(etag="").data or b"")
    assert b"<rss/>" in (source(kind, url=file.as_uri()).fetch(etag="").data or b"")
    file.unlink()
    with pytest.raises(UpdateSourceError, match=f"cannot read {file}: No such file"):
        source(kind, file=str(file)).fetch(etag="")


@pytest.mark.parametrize(
    ("kind", "settings", "error", "cause"),
    [
        ("sitemap", {}, ConfigurationError, "needs either file or url"),
        ("json-feed", {"url": "http://a.example/", "file": "a.json"}, ConfigurationError, "either file or url"),
        ("feed", {"url": "ftp://a.example/rss"}, ConfigurationError, "is not a valid address"),
        ("feed", {"url": "http:///rss"}, ConfigurationError, "is not a valid address"),
        ("feed", {"url": "http://[::1/"}, ConfigurationError, "is not a valid address"),
        ("feed", {"url": "http://a.example:99999/"}, ConfigurationError, "is not a valid address"),
        ("feed", {"url": "http://a.example/", "marker": ""}, ConfigurationError, "marker"),
        ("feed", {"url": "http://reader:geheim@a.example/"}, LiteralSecret, "holds a login"),
        ("list-page", {"url": "http://a.example/", "item": "li["}, ConfigurationError, "item is not a CSS selector"),
        (
            "list-page",
            {"url": "http://a.example/", "item": "li", "link": "a::"},
            ConfigurationError,
            "link is not a CSS",
        ),
    ],
)
def test_wrong_settings_are_named(kind: str, settings: dict[str, object], error: type[Exception], cause: str) -> None:
    with pytest.raises(error, match=cause) as caught:
        source(kind, **settings)

    assert "geheim" not in str(caught.value)


MAINTENANCE = "<html><body><h1>Hệ thống đang bảo trì</h1></body></html>"
GOOD = {
    "feed": (WORDPRESS / "feed.xml").read_text(),
    "json-feed": json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "Cổng thông tin điện tử", "items": []},
        ensure_ascii=False,
    ),
    "list-page": (WORDPRESS / "home.html").read_text(),
}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (
            "list-page",
            "<ul><li><a href='/a'>A</a><b>11/9/2026</b></li><li><a href='/b'>B</a><b>10/24/2026</b></li></ul>",
        ),
        (
            "json-feed",
            json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1",
                    "items": [{"id": "a", "date_published": "11/9/2026"}, {"id": "b", "date_published": "10/24/2026"}],
                }
            ),
        ),
        (
            "feed",
            "<rss version='2.0'><channel><item><title>A</title><pubDate>11/9/2026</pubDate></item>"
            "<item><title>B</title><pubDate>10/24/2026</pubDate></item></channel></rss>",
        ),
    ],
)
def test_a_day_above_12_shows_how_an_answer_writes_its_dates(kind: str, data: str) -> None:
    settings = {"item": "li", "date": "b"} if kind == "list-page" else {}

    found = listing(kind, data, **settings)

    days = [one.published_at.astimezone(ZONE).date() for one in found.items if one.published_at]
    assert days == [date(2026, 11, 9), date(2026, 10, 24)]


@pytest.mark.parametrize("kind", GOOD)
def test_an_answer_without_its_marker_is_an_outage(kind: str) -> None:
    settings = {"marker": unicodedata.normalize("NFD", "Cổng thông tin điện tử"), **LIST[kind]}

    listing(kind, GOOD[kind], **settings)
    with pytest.raises(UpdateSourceError, match=r"lacks the marker .* it may be a maintenance or login page"):
        listing(kind, MAINTENANCE, **settings)


LIST: dict[str, dict[str, object]] = {"feed": {}, "json-feed": {}, "list-page": {"item": "li.wp-block-post"}}


# --- feeds ------------------------------------------------------------------------------------


def _names(items: tuple[ListedItem, ...]) -> list[tuple[object, ...]]:
    return [(item.external_id, item.url, item.title, item.published_at) for item in items]


def test_wordpress_shows_the_same_in_each_way() -> None:
    by_feed = listing("feed", (WORDPRESS / "feed.xml").read_bytes()).items
    by_json = listing("json-feed", (WORDPRESS / "posts.json").read_bytes()).items
    page = listing(
        "list-page", (WORDPRESS / "home.html").read_bytes(), item="li.wp-block-post", link="h2 a", date="time"
    ).items
    mapped = listing("sitemap", _documents((WORDPRESS / "wp-sitemap-posts-post-1.xml").read_bytes())).items

    assert _names(by_feed)[1] == (
        f"{SITE}/?p=5",
        f"{SITE}/2026/11/14/tin-so-1-thong-bao-moi/",
        "Tin số 1: ‘thông báo’ “mới”",
        at("2026-11-14 09:15"),
    )
    assert _names(by_json) == _names(by_feed)[:3]
    assert [item.body for item in by_json][1] == by_feed[1].body
    assert [name[1:] for name in _names(page)] == [name[1:] for name in _names(by_feed)] + [_names(page)[5][1:]]
    assert [(item.url, item.modified_at) for item in mapped][:6] == [(item.url, item.published_at) for item in page]


def test_a_json_feed_is_read_by_its_own_keys() -> None:
    data = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Sở Y tế",
        "language": "vi",
        "items": [
            {
                "id": "tin-12",
                "url": f"{SITE}/tin/12",
                "title": "Tiêm chủng &amp; <b>phòng dịch</b>",
                "content_html": "<p>Trung tâm <script>x()</script>tổ chức tiêm chủng.</p>",
                "date_published": "2026-11-18T09:11:05+07:00",
                "date_modified": "2026-11-19T02:00:00Z",
                "authors": [{"name": "Trung tâm Kiểm soát bệnh tật"}],
                "tags": ["Y tế"],
            },
            {"id": 13, "title": "Tin 13", "summary": "Tóm tắt", "author": {"name": "Sở Y tế"}, "language": "en"},
            {"id": {}, "url": [], "title": None},
            "khong phai",
        ],
    }

    found = listing("json-feed", json.dumps(data))

    first, second = found.items
    assert (first.external_id, first.title, first.body) == (
        "tin-12",
        "Tiêm chủng & phòng dịch",
        "Trung tâm tổ chức tiêm chủng.",
    )
    assert (first.published_at, first.modified_at) == (at("2026-11-18 09:11:05"), at("2026-11-19 09:00"))
    assert (first.unit_name, first.language, first.body_is_summary) == ("Trung tâm Kiểm soát bệnh tật", "vi", False)
    assert (second.external_id, second.published_at, second.unit_name) == ("13", None, "Sở Y tế")
    assert (second.language, second.body, second.body_is_summary) == ("en", "Tóm tắt", True)
    assert said_of(found) == ("item 3: neither title, url nor id", "item 4: not a JSON object")
    (tagged, *_others) = listing("json-feed", json.dumps(data), unit_from="tag").items
    assert tagged.unit_name == "Y tế"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the answer is not JSON"),
        (MAINTENANCE.encode(), "the answer is not JSON"),
        (b"[" * 100_000, "the answer is not JSON: nested too deep"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "JSON but no JSON Feed"),
        (b'{"code":"rest_no_route","message":"No route","data":{"status":404}}', "no JSON Feed: .*rest_no_route"),
        (b'"https://jsonfeed.org/version/1.1"', "JSON but no JSON Feed"),
        (b'[{"id": ' + b"9" * 5000 + b"}]", "the answer is not JSON: Exceeds the limit"),
    ],
)
def test_what_is_no_json_feed_is_an_error(data: bytes, cause: str) -> None:
    with pytest.raises(UpdateSourceError, match=cause):
        listing("json-feed", data)


def test_texts_that_no_encoding_can_hold_do_no_harm() -> None:
    data = r'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "\ud800", "title": "a\u0000b\udfff"}]}'

    assert len(listing("json-feed", data).items) == 1


def test_a_feed_that_is_made_to_take_long_does_not() -> None:
    hostile = "<!a" * 200_000 + "<!--" * 200_000 + "</a " * 100_000 + "<a href='" * 100_001
    data = f"<rss version='2.0'><channel><item><title>a</title><description><![CDATA[{hostile}]]></description></item></channel></rss>"
    begun = time.thread_time()

    (item,) = listing("feed", data).items

    assert item.title == "a"
    assert time.thread_time() - begun < 10


# --- maps -------------------------------------------------------------------------------------


def _documents(*documents: bytes) -> bytes:
    return json.dumps({"documents": [["", one.decode("utf-8", "surrogateescape")] for one in documents]}).encode()


def _map(*urls: tuple[str, str]) -> bytes:
    entries = "".join(
        f"<url><loc>{SITE}{path}</loc>{f'<lastmod>{day}</lastmod>' * bool(day)}</url>" for path, day in urls
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'.encode()


def _index(*addresses: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>'.encode()


def test_an_index_is_followed_to_its_files_and_all_are_evidence(server: WebServer) -> None:
    for file in WORDPRESS.glob("*.xml"):
        server.pages[f"/{file.name}"] = answer(file.read_bytes().replace(SITE.encode(), server.url.encode()))
    own = source("sitemap", url=f"{server.url}/wp-sitemap.xml")

    kept = own.fetch(etag="").data or b""
    found = own.parse(kept, polled_at=NOW)

    documents = json.loads(kept)["documents"]
    assert [address.rpartition("/")[2] for address, _text in documents] == [
        "wp-sitemap.xml",
        "wp-sitemap-posts-post-1.xml",
        "wp-sitemap-posts-page-1.xml",
        "wp-sitemap-taxonomies-category-1.xml",
        "wp-sitemap-users-1.xml",
    ]
    assert len(found.items) == 15 + 2 + 5 + 5
    assert found.items[0].modified_at == at("2026-11-16 09:15")
    assert {item.published_at for item in found.items} == {None}
    posts = source("sitemap", url=f"{server.url}/wp-sitemap.xml", paths=["/2026/*"]).parse(kept, polled_at=NOW)
    assert {item.url.split("/")[3] for item in posts.items} == {"2026"}


def test_a_packed_file_is_unpacked_and_a_bomb_is_not(server: WebServer) -> None:
    own = source("sitemap", url=f"{server.url}/sitemap.xml.gz")
    good = _map(("/tin/1", "2026-11-16")).replace(SITE.encode(), server.url.encode())
    server.pages["/sitemap.xml.gz"] = answer(gzip.compress(good))

    assert [item.url for item in own.parse(own.fetch(etag="").data or b"", polled_at=NOW).items] == [
        f"{server.url}/tin/1"
    ]

    server.pages["/sitemap.xml.gz"] = answer(gzip.compress(bytes(21 << 20), 1))
    with pytest.raises(UpdateSourceError, match="larger than 20 MiB"):
        own.fetch(etag="")


@pytest.mark.parametrize(
    ("index", "cause"),
    [
        (_index(*(f"{SITE}/{number}.xml" for number in range(51))), "its index lists 51 files; only 50 are read"),
        (
            _index("http://127.0.0.2/a.xml"),
            "its index lists a file of another site: http://127.0.0.2/a.xml: another host",
        ),
        (_index("file:///etc/passwd"), "another site: file:///etc/passwd: not an address"),
    ],
)
def test_an_index_that_leads_astray_is_not_followed(server: WebServer, index: bytes, cause: str) -> None:
    server.pages["/"] = answer(index.replace(SITE.encode(), server.url.encode()))

    with pytest.raises(UpdateSourceError, match=cause) as failed:
        source("sitemap", url=f"{server.url}/").fetch(etag="")

    assert len(server.asked) == 1
    assert failed.value.answer is not None and b"sitemapindex" in (failed.value.answer.data or b"")


def test_an_index_in_a_file_is_not_followed(server: WebServer, tmp_path: Path) -> None:
    file = tmp_path / "sitemap.xml"
    file.write_bytes(_index(f"{server.url}/1.xml"))

    with pytest.raises(UpdateSourceError, match="its index lists a file of another site"):
        source("sitemap", file=str(file)).fetch(etag="")

    assert server.asked == []


def test_a_file_of_an_index_that_is_not_there_fails_the_whole(server: WebServer) -> None:
    server.pages["/"] = answer(_index(f"{server.url}/1.xml"))

    with pytest.raises(UpdateSourceError, match="HTTP status 404") as failed:
        source("sitemap", url=f"{server.url}/").fetch(etag="")

    assert failed.value.answer is not None and failed.value.answer.data is not None
    kept = json.loads(failed.value.answer.data)
    assert [address for address, _text in kept["documents"]] == [f"{server.url}/"]
    assert json.loads(kept["failed"])["status"] == 404


@pytest.mark.parametrize(
    ("documents", "cause"),
    [
        ((MAINTENANCE.encode(),), "XML but no sitemap: html"),
        ((b"Bao tri",), "not well-formed XML"),
        ((b'<!DOCTYPE u [<!ENTITY a "b">]><urlset>&a;</urlset>',), "declares XML entities"),
        ((_map(),), "lists no address of an item"),
        ((_index("a"), _map(("/1", ""))[:-9]), "not well-formed XML"),
    ],
)
def test_what_is_no_map_is_an_error(documents: tuple[bytes, ...], cause: str) -> None:
    with pytest.raises(UpdateSourceError, match=cause):
        listing("sitemap", _documents(*documents))


def test_foreign_addresses_and_an_index_in_an_index_are_refused_and_the_others_count() -> None:
    foreign = _map(("/1", "2026-11-16"), ("/2", "")).replace(f"{SITE}/2".encode(), b"http://other.example/2")

    found = listing("sitemap", _documents(_index("a"), foreign, _index("b")))

    assert [item.url for item in found.items] == [f"{SITE}/1"]
    assert said_of(found) == (
        "http://other.example/2: another host than soyte.khanhhoa.example",
        "file 2: an index in an index",
    )


@pytest.mark.parametrize(("same", "is_doubted"), [(7, False), (8, True)])
def test_a_map_whose_addresses_share_a_day_was_built_that_day(same: int, is_doubted: bool) -> None:
    days = ["2026-11-16"] * same + [f"2026-10-{day:02}" for day in range(1, 11 - same)]

    found = listing("sitemap", _documents(_map(*((f"/{number}", day) for number, day in enumerate(days)))))

    assert (found.doubt is not None) is is_doubted


# --- list pages -------------------------------------------------------------------------------


PAGE = """<html lang="vi"><head><base href="/tin/"></head><body><ul class="news">
<li><a href="12"><img src="a.png"></a><a class="t" href="12">Sở Y tế họp báo</a> <span>(16/11/2026 09:30)</span><i>Sở Y tế</i></li>
<li lang="en"><a class="t" href="13"> Press   <b>release</b><script>x()</script></a><span>Ngày đăng: 15/11/2026</span></li>
<li><a class="t" href="https://ads.example/x">Quảng cáo</a></li>
<li><a class="t" href="javascript:alert(1)">Tin lạ</a></li>
<li><a class="t" href="14"></a></li>
</ul></body></html>"""
SETTINGS: dict[str, object] = {"item": "ul.news > li", "link": "a.t", "date": "span"}


ANOTHER_HOST = (
    "leads to another host than the page's; if its items lie there, name that whole host in link_hosts, as in"
    ' ["tin.example.vn"]'
)


def test_items_of_a_page_are_found_by_their_selectors() -> None:
    found = listing("list-page", PAGE, unit_name="i", **SETTINGS)

    first, second = found.items
    assert (first.url, first.title, first.unit_name) == (f"{SITE}/tin/12", "Sở Y tế họp báo", "Sở Y tế")
    assert (first.published_at, first.raw_date, first.language) == (at("2026-11-16 09:30"), "16/11/2026 09:30", "vi")
    assert (second.title, second.published_at, second.language) == ("Press release", at("2026-11-15 00:00"), "en")
    assert second.body is None
    assert said_of(found) == (
        f"item 3: https://ads.example/x {ANOTHER_HOST}",
        f"item 4: javascript:alert(1) {ANOTHER_HOST}",
        "item 5: it has no title",
    )


def test_links_to_a_host_that_is_named_are_items() -> None:
    found = listing("list-page", PAGE, link_hosts=["ads.example"], **SETTINGS)

    assert "https://ads.example/x" in {item.url for item in found.items}


def test_the_item_itself_may_be_the_link() -> None:
    page = f"<nav><a href='{SITE}/1'>Một</a><a href='2'>Hai</a></nav>"

    found = listing("list-page", page, item="nav a")

    assert [(item.url, item.title) for item in found.items] == [(f"{SITE}/1", "Một"), (f"{SITE}/2", "Hai")]


ROW = "<tr><td>{number}</td><td>{title}</td><td>{date}</td></tr>"
FIRST = ROW.format(number=1, title="<a href='1'>Thông báo tuyển dụng</a>", date="16/11/2026")


@pytest.mark.parametrize(
    ("first", "items"),
    [
        (ROW.format(number="STT", title="Trích yếu", date="Ngày ban hành"), 1),
        (ROW.format(number="", title="<b>Tên văn bản:</b>", date=""), 1),
        (ROW.format(number=2, title="Nội dung", date="17/11/2026"), 2),  # a number stands there
        (ROW.format(number="", title="Thông báo nghỉ lễ", date=""), 2),  # no column is called so
        (ROW.format(number="", title="<a href='2'>Nội dung</a>", date=""), 2),  # it leads to something
    ],
)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_first_row_that_names_the_columns_is_no_item(first: str, items: int, place: str) -> None:
    rows = f"{first}{FIRST}" if place == "before" else f"{FIRST}{first}"
    page = f"<table>{rows}</table>"

    found = listing("list-page", page, item="tr", title="td:nth-child(2)", date="td:nth-child(3)")

    assert len(found.items) + len(found.rejected) == (items if place == "before" else 2)


@pytest.mark.parametrize("page", [MAINTENANCE, "", "\0", "<!-- -->", "khong phai HTML"])
def test_a_page_on_which_nothing_fits_is_an_outage(page: str) -> None:
    with pytest.raises(UpdateSourceError, match=r"nothing on its page matches item = ul\.news > li"):
        listing("list-page", page, **SETTINGS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1258"])
def test_a_page_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    page = f'<html><head><meta charset="{encoding}"></head><li><a href="/1">Sở Y tế</a></li>'
    data = (
        unicodedata.normalize("NFC", page).encode(encoding, "replace")
        if encoding != "cp1258"
        else page.replace("ở", "ơ\u0309").replace("ế", "ê\u0301").encode("cp1258")
    )

    (item,) = listing("list-page", data, item="li").items

    assert unicodedata.normalize("NFC", item.title) == "Sở Y tế"


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 400_000 + "<li><a href=/1>a",
        "<li><a href=/1>a</a></li>" * 20_000,
        "<!--" * 500_000,
        "<" * 2_000_000,
        "<li><a href=/1 " + " ".join(f"a{number}=1" for number in range(5_000)) + ">a</a></li>",
    ],
    ids=["deep", "many", "comments", "angles", "attributes"],
)
def test_a_page_that_is_made_to_take_long_does_not(page: str) -> None:
    begun = time.thread_time()

    try:
        found = listing("list-page", page, item="li")
    except UpdateSourceError:
        found = None

    assert found is None or len(found.items) <= list_page.MAX_ITEMS
    assert time.thread_time() - begun < 20


def test_where_a_page_counts_is_said_by_its_settings() -> None:
    assert not source("list-page", url=SITE, item="li").traits.cross_check
    assert source("list-page", url=SITE, item="li", cross_check=True).traits.cross_check
    assert source("sitemap", url=SITE).traits.cross_check
    assert source("sitemap", url=SITE).traits.channel is ItemChannel.SUBPORTAL
