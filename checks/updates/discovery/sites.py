"""Asks a site what it has: its front page, what that names, and the usual places; then polls what was found a second time.

Through the web's own door alone, as sources are asked: bounded in time and size, at most two connections to one server.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from urllib.parse import unquote, urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml.html import HtmlElement

from checks.updates.dates import DateRules
from checks.updates.discovery.candidates import FUTURE, Assessed, Candidate, assess, choose
from checks.updates.discovery.lists import propose_lists
from checks.updates.discovery.places import (
    Place,
    feed_links,
    generator_of,
    map_places,
    section_links,
    title_of,
    well_known,
)
from checks.updates.recognition import canonical_url
from checks.updates.source_settings import bounded
from checks.updates.sources import build_update_source
from checks.updates.sources._pages import text_of
from checks.updates.sources.list_page import page_of
from portalops.config.tables import KindTable
from portalops.errors import PortalOpsError
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing
from portalops.ports import Clock, UpdateSource, Web, WebUnavailable

logger = logging.getLogger(__name__)

ACCEPT = "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, application/json, */*;q=0.5"
LIMIT_BYTES = 10 << 20
"""Of a feed, as for sources; a page is read as a list up to 2 MiB."""
PAGE_BYTES = 2 << 20
SITE_SECONDS = 120.0
"""After so long nothing more is asked of one site. One that answers in half a second takes fifteen."""
AT_ONE_SITE = 2
AT_ONCE = 10
"""Sites; with two connections each they have all that may be open at once."""
MAP_SHARE_PERCENT = 50
"""Of a site's items that its map must name, to say anything of those that a feed missed."""
WAIT_SECONDS = 5.0
"""Between the two polls: enough for a list that is shuffled to show it."""

_FEED_ROOT = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<(?:\w+:)?(rss|feed|rdf)\b",
    re.DOTALL | re.IGNORECASE,
)
_JSON = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[\[{]")


@dataclass(frozen=True, slots=True)
class Exploring:
    """With what sites are asked."""

    web: Web
    clock: Clock
    zone: ZoneInfo
    """The portal's: times without a zone are in it."""
    wait: Callable[[float], None]
    """Waits some seconds."""
    wait_seconds: float = WAIT_SECONDS
    inside: bool = False
    """Sites may lie in the own network."""

    def source(self, candidate: Candidate) -> UpdateSource:
        """Return a candidate as the source that it would be.

        Raises:
            ConfigurationError: its settings do not fit its kind.
        """
        settings = {**candidate.settings, "channel": "subportal", **({"inside": True} if self.inside else {})}
        table = KindTable.alone("found", candidate.kind, settings, Path("/"))
        return build_update_source(table, zone=self.zone, web=self.web)


@dataclass(frozen=True, slots=True)
class FoundSite:
    """What a site has."""

    url: str
    """As it was asked for."""
    problem: Message | None = None
    """Why nothing was found; None if something was."""
    title: str = ""
    """Of its front page, untrusted."""
    generator: str = ""
    """What made it, as it says; untrusted."""
    chosen: tuple[Assessed, ...] = ()
    """The sources that together show its items, the best first."""
    site_map: Assessed | None = None
    """A map that can say what a feed missed."""
    others: tuple[Assessed, ...] = ()
    """What was found and is not needed, or is no source."""
    tried: int = 0
    """How many addresses were asked."""
    leads_to: str = ""
    """Where it redirects to on another host; nothing is taken from there, for that may be the portal's or another unit's site."""


def explore_sites(urls: Sequence[str], exploring: Exploring) -> Iterator[FoundSite]:
    """Yield what each site has, in the order of the addresses; several are asked at once."""
    over = Event()
    threads = ThreadPoolExecutor(AT_ONCE, "discover")
    try:
        yield from threads.map(lambda url: explore(url, exploring, over), urls)
    finally:  # who interrupts does not wait for the sites that are left
        over.set()
        threads.shutdown(wait=False, cancel_futures=True)


def explore(url: str, exploring: Exploring, over: Event | None = None) -> FoundSite:
    """Return what a site has. A site that does not answer is a result with a problem, never an error.

    Args:
        url: of the site, or of a feed.
        exploring: with what it is asked.
        over: set where nobody waits any more; nothing is asked then.
    """
    try:
        return _Site(url, exploring, over or Event()).found()
    except WebUnavailable as error:
        return FoundSite(url, error.cause, tried=1)
    except Exception as error:  # a page that breaks a parser must not lose what other sites have
        logger.exception("exploring %s failed", url)
        return FoundSite(url, msg("a fault in portalops: {error}", error=bounded(repr(error), 300)))


@dataclass(frozen=True, slots=True)
class _First:
    """A candidate after its first poll."""

    candidate: Candidate
    listing: Listing | None = None
    problem: Message | None = None


class _Site:
    """One site while it is explored."""

    def __init__(self, url: str, exploring: Exploring, over: Event) -> None:
        self._asked_for = url
        self._url = url
        self._exploring = exploring
        self._rules = DateRules(exploring.zone)
        self._tried = 0
        self._over = over
        self._until = exploring.clock.monotonic() + SITE_SECONDS

    def found(self) -> FoundSite:
        data = self._get(self._asked_for, follow=True)
        if host_of(self._url) != host_of(self._asked_for):
            return FoundSite(self._asked_for, _explain_lead(self._url), tried=self._tried, leads_to=self._url)
        kind = _kind_of(data)
        page = None if kind or len(data) > PAGE_BYTES else page_of(text_of(data))
        with ThreadPoolExecutor(AT_ONE_SITE, "site") as threads:
            if page is None:
                firsts = [self._first(Candidate(kind, {"url": self._url}, "URL"), data)] if kind else []
            else:
                firsts = [*self._feeds(page, threads), *self._lists(page, data, threads)]
            firsts = _unlike(firsts)
            waiting = [one for one in firsts if one.listing is not None]
            if waiting:
                self._exploring.wait(self._exploring.wait_seconds)
            assessed = [*threads.map(self._second, waiting)]
        failed = [Assessed(one.candidate, problem=one.problem) for one in firsts if one.listing is None]
        assessed = self._own(assessed)
        chosen = choose(assessed)
        site_map = self._map(chosen) if chosen and page is not None else None
        others = tuple(one for one in (*assessed, *failed) if one not in chosen)
        return FoundSite(
            self._asked_for,
            None if chosen else self._explain_nothing(page),
            title_of(page) if page is not None else "",
            generator_of(page) if page is not None else "",
            chosen,
            site_map,
            others,
            self._tried,
        )

    def _get(self, url: str, *, follow: bool = False) -> bytes:
        """Return a page; with `follow` its last address is the site's from then on.

        Raises:
            WebUnavailable: it cannot be had, or without `follow` it leads to another host, whose items are not the site's.
        """
        self._tried += 1
        page = self._exploring.web.get(url, accept=ACCEPT, limit_bytes=LIMIT_BYTES, inside=self._exploring.inside)
        if follow and page.via:
            self._url = page.via[-1]
        elif page.via and host_of(page.via[-1]) != host_of(self._url):
            raise WebUnavailable(_explain_lead(page.via[-1]))
        return page.data or b""

    def _try(self, url: str) -> bytes | None:
        if self._over.is_set() or self._exploring.clock.monotonic() > self._until:
            return None
        try:
            return self._get(url)
        except WebUnavailable as error:
            logger.debug("%s: %s", url, error.cause)
            return None

    def _feeds(self, page: HtmlElement, threads: ThreadPoolExecutor) -> list[_First]:
        """Return the feeds of a site after their first poll, those that its page names first."""
        named = feed_links(page, self._url)
        places = {place.url: place for place in (*named, *well_known(self._url))}
        found: list[_First] = []
        more: dict[str, Place] = {}
        for place, data in zip(places.values(), threads.map(self._try, places), strict=True):
            if data is None:
                continue
            if kind := _kind_of(data):
                found.append(self._first(Candidate(kind, {"url": place.url}, place.found_by), data))
            elif (place in named or "rss" in place.url or "feed" in place.url) and len(data) <= PAGE_BYTES:
                linked = page_of(text_of(data))  # a page that lists the feeds of its categories
                links = () if linked is None else feed_links(linked, place.url)
                more.update({each.url: each for each in links if each.url not in places})
        some = [*more.values()][:_MAX_MORE]
        for place, data in zip(some, threads.map(self._try, [each.url for each in some]), strict=True):
            if data is not None and (kind := _kind_of(data)):
                found.append(self._first(Candidate(kind, {"url": place.url}, place.found_by), data))
        return found

    def _lists(self, page: HtmlElement, front: bytes, threads: ThreadPoolExecutor) -> list[_First]:
        """Return the lists that a site's front page and its pages of news have, after their first poll."""
        sections = section_links(page, self._url)
        found = []
        for url, data in ((self._url, front), *zip(sections, threads.map(self._try, sections), strict=True)):
            section = page if data is front else _html(data)
            if section is None or data is None:
                continue
            for proposal in propose_lists(section, url, self._rules, most=1):
                candidate = Candidate("list-page", {"url": url, **proposal.settings()}, "CSS")
                found.append(self._first(candidate, data))
        return found

    def _first(self, candidate: Candidate, data: bytes) -> _First:
        """Return a candidate with what its page shows; one whose dates lie ahead, with GMT read as local time if that mends them."""
        first = self._parsed(candidate, data)
        if candidate.kind == "feed" and self._is_ahead(first.listing):
            local = replace(candidate, settings={**candidate.settings, "gmt_means_local": True})
            mended = self._parsed(local, data)
            if mended.listing is not None and not self._is_ahead(mended.listing):
                return mended
        return first

    def _parsed(self, candidate: Candidate, data: bytes) -> _First:
        try:
            listing = self._exploring.source(candidate).parse(data, polled_at=self._exploring.clock.now())
        except PortalOpsError as error:
            return _First(candidate, problem=_cause(error))
        return _First(candidate, listing)

    def _is_ahead(self, listing: Listing | None) -> bool:
        now = self._exploring.clock.now()
        return listing is not None and any(
            one.published_at and one.published_at > now + FUTURE for one in listing.items
        )

    def _second(self, first: _First) -> Assessed:
        """Return a candidate after its second poll."""
        assert first.listing is not None
        source = self._exploring.source(first.candidate)
        now = self._exploring.clock.now()
        try:
            answer = source.fetch(etag="")
            listing = source.parse(answer.data or b"", polled_at=now)
        except PortalOpsError as error:
            return Assessed(first.candidate, problem=msg("its second poll failed: {cause}", cause=_cause(error)))
        return assess(first.candidate, first.listing, listing, now=now)

    def _own(self, found: Sequence[Assessed]) -> list[Assessed]:
        """Set aside what shows another part of the portal, where a sub-portal lies in a folder and something shows its items."""
        folder = f"/{urlsplit(self._url).path.strip('/').partition('/')[0]}/"
        if folder == "//" or not any(_lies_in(one.items, folder) for one in found):
            return [*found]
        outside = msg("its items lie outside of {folder}", folder=bounded(folder))
        return [one if _lies_in(one.items, folder) else replace(one, problem=one.problem or outside) for one in found]

    def _map(self, chosen: Sequence[Assessed]) -> Assessed | None:
        """Return the site's map, if it names most of the items that the chosen sources show."""
        items = {address for one in chosen for item in one.items if (address := canonical_url(item.url))}
        robots = text_of(self._try(f"{_root(self._url)}/robots.txt") or b"")
        for url in map_places(self._url, robots):
            settings: dict[str, object] = {"url": url, **_paths(items)}
            candidate = Candidate("sitemap", settings, "sitemap")
            source = self._exploring.source(candidate)
            self._tried += 1
            try:
                listing = source.parse(source.fetch(etag="").data or b"", polled_at=self._exploring.clock.now())
            except PortalOpsError as error:
                logger.debug("%s: %s", url, error.message)
                continue
            named = {canonical_url(item.url) for item in listing.items}
            if listing.doubt is None and 100 * len(items & named) >= MAP_SHARE_PERCENT * len(items) > 0:
                return Assessed(candidate, listing.items)
        return None

    def _explain_nothing(self, page: HtmlElement | None) -> Message:
        if page is None:
            return msg("its answer is neither a page nor a feed")
        if page.xpath("//input[translate(@type, 'PASWORD', 'pasword') = 'password']"):
            return msg("its page asks for a login")
        hosts = {host_of(_joined(self._url, str(each))) for each in page.xpath(_LEADS)} - {""}
        if hosts and host_of(self._url) not in hosts:
            return msg("its page leads to other hosts alone, such as {host}", host=bounded(min(hosts)))
        if not page.xpath("//a[@href]"):
            return msg("its page has no link; it may be built by scripts in the browser")
        return msg("neither a feed nor a list of items was found at {n} addresses", n=self._tried)


_LEADS = "//a/@href | //link[contains(concat(' ', @rel, ' '), ' alternate ')]/@href"
"""Where a page leads a reader, or a reader of feeds."""


def host_of(url: str) -> str:
    """Return the host of an address, without `www.`.

    >>> host_of("https://www.SoYTe.example:8443/tin")
    'soyte.example'
    """
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _explain_lead(url: str) -> Message:
    return msg("it redirects to {url}, another site; if that is its own, give that address", url=bounded(url))


_MAX_MORE = 12
"""Feeds that a page of feeds lists."""


def _kind_of(data: bytes) -> str:
    """Return the kind of source that an answer is; empty for a page or anything else."""
    if _FEED_ROOT.match(data[:8192]):
        return "feed"
    return "json-feed" if _JSON.match(data) else ""


def _html(data: bytes | None) -> HtmlElement | None:
    return None if not data or len(data) > PAGE_BYTES or _kind_of(data) else page_of(text_of(data))


def _unlike(found: Iterable[_First]) -> list[_First]:
    """Return each list of items once: a site has one feed at many addresses."""
    kept: dict[object, _First] = {}
    for one in found:
        items = () if one.listing is None else one.listing.items
        what = tuple((item.url, item.title) for item in items) if items else one.candidate.url
        kept.setdefault((one.candidate.kind, what), one)
    return [*kept.values()]


def _lies_in(items: Sequence[ListedItem], folder: str) -> bool:
    return 2 * sum(urlsplit(item.url).path.startswith(folder) for item in items) > len(items)


def _paths(addresses: Iterable[str]) -> dict[str, object]:
    """Return the pattern that all items' addresses fit, as a map's `paths`; nothing if they have no folder in common."""
    folders = Counter(unquote(urlsplit(address).path).strip("/").partition("/")[0::2] for address in addresses)
    first = {folder for folder, rest in folders if rest}
    if len(first) != 1 or not all(rest for _folder, rest in folders):
        return {}
    (folder,) = first
    return {} if folder.isdigit() else {"paths": [f"/{folder}/*"]}  # the folder of a year has no items of the next


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cause(error: PortalOpsError) -> Message:
    """Return why a source failed, without the name that it had while it was tried."""
    cause = error.message.values.get("cause") if error.message.text == "update source {source}: {cause}" else None
    return cause if isinstance(cause, Message) else error.message
