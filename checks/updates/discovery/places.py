"""Where a site may have a feed or a map: what its pages and its robots.txt name, and where the usual content systems have it. Pure.

Sources: RSS Autodiscovery 1.0 (rssboard.org/rss-autodiscovery); RFC 9309, section 2.2.4, and sitemaps.org/protocol.html for
`Sitemap:`; the handbooks of WordPress ("REST API Handbook"), Drupal (`rss.xml`), Joomla (`format=feed`), NukeViet (`rss/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

MAX_LINKS = 12
"""Of one page: a portal may link a feed for each of its categories."""
MAX_SECTIONS = 4
"""Pages of news that are read as lists, beside the front page."""

_FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "text/xml"}
)
_FEED_LINK = re.compile(r"(?:^|[/?&=._-])(?:rss|feeds?|atom)(?:$|[/?&=._-])|listfeed\.aspx", re.IGNORECASE)
_NO_FEED = re.compile(r"comment|binh-luan|\.(?:png|jpe?g|gif|svg|css|js|pdf)(?:$|\?)", re.IGNORECASE)
_SECTION = re.compile(r"tin-?tuc|tin-?bai|news|su-?kien|hoat-?dong|thong-?bao|bai-?viet", re.IGNORECASE)
_SECTION_WORDS = re.compile(r"tin tức|tin hoạt động|thông báo|sự kiện|hoạt động|tin mới|news", re.IGNORECASE)
_ROBOTS = re.compile(r"^\s*sitemap\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """An address at which there may be something."""

    url: str
    found_by: str
    """A content system whose usual place it is, or how it was found."""


WELL_KNOWN = (
    Place("wp-json/wp/v2/posts?per_page=50", "WordPress"),
    Place("feed/", "WordPress"),
    Place("rss/", "NukeViet"),
    Place("news/rss/", "NukeViet"),
    Place("vi/news/rss/", "NukeViet"),
    Place("feeds/", "NukeViet"),
    Place("rss.xml", "Drupal"),
    Place("?format=feed&type=rss", "Joomla"),
    Place("index.php?format=feed&type=rss", "Joomla"),
    Place("rss", "Liferay"),
    Place("rss.aspx", "ASP.NET"),
    Place("rss.html", "RSS"),
    Place("atom.xml", "Atom"),
    Place("feed.json", "JSON Feed"),
)
"""Relative to the site, and to the folder of a sub-portal that lies in one."""
WELL_KNOWN_MAPS = ("sitemap.xml", "wp-sitemap.xml", "sitemap_index.xml")


def well_known(url: str) -> tuple[Place, ...]:
    """Return the usual places of feeds of a site.

    >>> [place.url for place in well_known("https://a.example/soyte/trang-chu")][-2:]
    ['https://a.example/soyte/atom.xml', 'https://a.example/soyte/feed.json']
    """
    return tuple(Place(urljoin(base, each.url), each.found_by) for base in _bases(url) for each in WELL_KNOWN)


def map_places(url: str, robots: str) -> tuple[str, ...]:
    """Return where a site's map may lie: what its robots.txt names on its own host, then the usual places."""
    host = _host(url)
    named = [address for address in _ROBOTS.findall(robots[:100_000]) if _host(address) == host]
    usual = [urljoin(_bases(url)[0], name) for name in WELL_KNOWN_MAPS]
    return tuple(dict.fromkeys([*named[:3], *usual]))


def feed_links(page: HtmlElement, url: str) -> tuple[Place, ...]:
    """Return the feeds that a page names in its head, then those that it links, on its own host."""
    found: dict[str, Place] = {}
    for address, name in (*_declared(page), *_linked(page)):
        place = Place(_joined(url, address), name)
        if place.url and _host(place.url) == _host(url) and not _NO_FEED.search(place.url):
            found.setdefault(place.url, place)
    return tuple(found.values())[:MAX_LINKS]


def section_links(page: HtmlElement, url: str) -> tuple[str, ...]:
    """Return a site's pages of news, by the words of their links or addresses."""
    found: dict[str, None] = {}
    for link in page.iter("a"):
        address = _joined(url, str(link.get("href") or ""))
        text = " ".join(link.text_content().split())
        is_section = len(text) <= 40 and (_SECTION_WORDS.search(text) or _SECTION.search(urlsplit(address).path))
        if address and is_section and _host(address) == _host(url) and address.rstrip("/") != url.rstrip("/"):
            found[address.partition("#")[0]] = None
    return tuple(found)[:MAX_SECTIONS]


def generator_of(page: HtmlElement) -> str:
    """Return what made a page, as it says; empty if it does not."""
    names = page.xpath("//meta[translate(@name, 'GENRATO', 'genrato') = 'generator']/@content")
    return " ".join(str(names[0]).split())[:60] if names else ""


def title_of(page: HtmlElement) -> str:
    """Return a page's title, at most 200 characters."""
    return " ".join(str(page.xpath("string(//title)")).split())[:200]


def _declared(page: HtmlElement) -> Iterator[tuple[str, str]]:
    for link in page.iter("link"):
        relations = str(link.get("rel") or "").lower().split()
        address = str(link.get("href") or "")
        if "alternate" in relations and str(link.get("type") or "").lower().split(";")[0] in _FEED_TYPES:
            yield address, "link rel=alternate"
        elif "https://api.w.org/" in relations:
            yield f"{address.rstrip('/')}/wp/v2/posts?per_page=50", "WordPress"


def _linked(page: HtmlElement) -> Iterator[tuple[str, str]]:
    for link in page.iter("a"):
        address = str(link.get("href") or "")
        if _FEED_LINK.search(address):
            yield address, "a[href]"


def _bases(url: str) -> tuple[str, ...]:
    """Return the root of a site, and the folder that an address lies in where that is another one."""
    root = urljoin(url, "/")
    first = urlsplit(url).path.strip("/").partition("/")[0]
    is_folder = first and "." not in first
    return (root, urljoin(root, f"{first}/")) if is_folder else (root,)


def _joined(base: str, address: str) -> str:
    try:
        found = urljoin(base, address.strip()[:2000])
        return found if urlsplit(found).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
