"""A page that lists what was published, as citizens see it: an address, and CSS selectors that say where in it the items are.

For sites without a feed. What holds for feeds holds here: an item was visible when it was looked at, its date is only a claim,
and a look covers the time back to the page's oldest item. Addresses lead to the page's own host, or to one of `link_hosts`;
others are refused and named. A page on which nothing fits the selectors was built anew, or is no list at all: that is an
error, not an empty list.

With `cross_check = true` the page is asked for only where a feed of its channel and unit has a gap, and counts for nothing.

Sources: Selectors Level 3 as cssselect reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from cssselect import HTMLTranslator, SelectorError
from lxml import etree, html
from lxml.html import HtmlElement
from pydantic import AfterValidator

from checks.updates.addresses import elsewhere_key
from checks.updates.dates import dated_in_one_order, read_moment
from checks.updates.source_settings import bounded, content_key, source_error, too_many
from checks.updates.sources import UpdateSourceKind
from checks.updates.sources._pages import PageSettings, PageSource, text_of
from checks.updates.text import fold, without_markup
from portalops.config.tables import KindTable
from portalops.config.values import RefusedValue
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing, RefusedItem
from portalops.ports import Web

LIMIT_BYTES = 2 << 20
"""Of a page. Its parser takes the square of the time for some pages that are made to take long."""
MAX_ITEMS = 1000
MAX_TEXT = 2000
"""Letters of a title or date that are looked at."""

HEADINGS = frozenset({
    "stt", "tt", "số ký hiệu", "số, ký hiệu", "số/ký hiệu", "số hiệu", "trích yếu", "tiêu đề", "tên văn bản", "tên tài liệu",
    "nội dung", "ngày", "ngày đăng", "ngày ban hành", "title", "date",
})  # fmt: skip
"""What names a column of a list; no item is called so."""
_ROWS_BEFORE = "preceding-sibling::tr | ../preceding-sibling::*[self::thead or self::tbody or self::tr]"


def _xpath(selector: str) -> str:
    try:
        return HTMLTranslator().css_to_xpath(selector, prefix="descendant::")
    except (SelectorError, RecursionError) as error:
        raise RefusedValue(
            msg("is not a CSS selector"), msg("Write it as in a style sheet, such as 'ul.news > li'.")
        ) from error


def _selector(text: str) -> str:
    _xpath(text)
    return text


Selector = Annotated[str, AfterValidator(_selector)]


class Settings(PageSettings):
    """`kind = "list-page"`."""

    item: Selector
    """What fits is an item: `ul.news > li`."""
    link: Selector = "a[href]"
    """In an item: the first that fits leads to it; an item that itself has an address is its own link."""
    title: Selector | None = None
    """In an item: its title; the link's text if not given."""
    date: Selector | None = None
    """In an item: its date, from the attribute `datetime` or the text; without it items have no date."""
    unit_name: Selector | None = None
    """In an item: what names the agency, where the page carries those of many."""
    link_hosts: tuple[str, ...] = ()
    """Further hosts that items may lead to."""
    cross_check: bool = False
    """It is asked only what another source of its channel and unit may have missed."""


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> ListPageSource:
    """Return the source that a configuration table describes."""
    settings = table.parse(Settings)
    return ListPageSource(source_id, settings, zone=zone, web=web, cross_check=settings.cross_check)


class ListPageSource(PageSource[Settings]):
    """One page."""

    accept = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
    limit_bytes = LIMIT_BYTES

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        text = text_of(data)
        self._door.require_marker(text)
        settings = self._settings
        page = page_of(text)
        found = [] if page is None else _without_heads([*_fitting(page, settings.item)])
        if page is None or not found:
            raise source_error(
                self._traits.id,
                msg("nothing on its page matches item = {selector}", selector=bounded(settings.item)),
                msg("Open the address in a browser: the page was rebuilt, or is down; then correct 'item'."),
            )
        base = _base(page, settings.url or "")
        items: list[ListedItem] = []
        rejected = list(too_many(len(found), MAX_ITEMS))
        leads = _refreshes_to(page, base)
        if leads and self._settings.host and not self._is_own(leads):
            why = msg(
                "the page sends its readers on to {url}, on another host: the site may have moved", url=bounded(leads)
            )
            rejected.append(RefusedItem(why, elsewhere_key(leads), is_open=True))
        for number, element in enumerate(found[:MAX_ITEMS], 1):
            item = self._item(element, base)
            if isinstance(item, RefusedItem):
                rejected.append(replace(item, what=msg("item {number}: {why}", number=number, why=item.what)))
            else:
                items.append(item)
        return Listing(dated_in_one_order(items, self._rules), tuple(rejected))

    def _item(self, element: HtmlElement, base: str) -> ListedItem | RefusedItem:
        """Return an item, or why it is none. What leads to another host may be news that lies there, unless it looks like no item of the list."""
        settings = self._settings
        link = element if element.get("href") else next(_fitting(element, settings.link), None)
        address = "" if link is None else _absolute(base, link.get("href") or "")
        named = next(_fitting(element, settings.title), None) if settings.title else link
        title = "" if named is None else _title(named)
        raw, published = self._dated(element)
        unit_name = self._text(element, settings.unit_name) if settings.unit_name else ""

        def refused(why: Message) -> RefusedItem:
            return RefusedItem(why, content_key((address, title, raw, _text(element))), unit_name, published)

        if address and not self._is_own(address):
            why = msg(
                '{url} leads to another host than the page\'s; if its items lie there, name that whole host in link_hosts, as in ["tin.example.vn"]',
                url=bounded(address),
            )
            # A banner has no title, or no date where the list's items have one: it hides nothing.
            is_like_others = bool(title) and (published is not None or not settings.date)
            return RefusedItem(why, elsewhere_key(address) if is_like_others else "", unit_name, published)
        if not title:
            return refused(msg("it has no title"))
        if not address and not raw:
            return refused(msg("{title} has neither address nor date", title=bounded(title)))
        return ListedItem(
            external_id="",
            url=address,
            title=title,
            published_at=published,
            raw_date=raw,
            unit_name=unit_name,
            language=(element.xpath("string(ancestor-or-self::*[@lang][1]/@lang)") or "")[:16],
        )

    def _dated(self, element: HtmlElement) -> tuple[str, datetime | None]:
        """Return the date as it stands, and what it means."""
        found = next(_fitting(element, self._settings.date), None) if self._settings.date else None
        if found is None:
            return "", None
        shown = _text(found)
        for raw in (found.get("datetime") or "", shown, _without_words(shown)):
            if moment := read_moment(raw, self._rules):
                return raw, moment
        return shown, None

    def _is_own(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower()
        except ValueError:
            return False
        own = {self._settings.host, *(one.lower() for one in self._settings.link_hosts)} - {""}
        return parts.scheme in {"http", "https"} and bool(host) and (host in own or not own)

    @staticmethod
    def _text(element: HtmlElement, selector: str) -> str:
        return next((_text(one) for one in _fitting(element, selector)), "")


def page_of(text: str) -> HtmlElement | None:
    """Return a page's root; None where there is none. What lies deeper than 256 elements is left out by the parser."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        page: HtmlElement = html.document_fromstring(
            text.replace("\0", "").encode("utf-8", "replace"), parser=parser, ensure_head_body=True
        )
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    return page


def _fitting(element: HtmlElement, selector: str) -> Iterator[HtmlElement]:
    yield from element.xpath(_xpath(selector))


def _text(element: HtmlElement) -> str:
    return " ".join(" ".join(element.xpath("descendant::text()[not(parent::script or parent::style)]")).split())[
        :MAX_TEXT
    ]


def _title(element: HtmlElement) -> str:
    """Return a title, whose words may be set in pieces, `k<b>hai</b>`; a date and its hour stay apart (`_text`)."""
    return without_markup(etree.tostring(element, encoding="unicode", method="html", with_tail=False))[:MAX_TEXT]


def _without_heads(rows: Sequence[HtmlElement]) -> list[HtmlElement]:
    """Return rows without those of headings: a table's selector fits them too, and they hide no item."""
    leads = any(one.tag == "tr" and _has_link(one) for one in rows)
    return [one for one in rows if not (_is_table_head(one) or (leads and _is_named_as_head(one)))]


def _is_table_head(element: HtmlElement) -> bool:
    """Say whether an element is a row of `th`."""
    return element.tag == "tr" and not element.xpath("./td") and not _has_link(element)


def _is_named_as_head(element: HtmlElement) -> bool:
    """Say whether an element is a table's first row, leads nowhere, has no number, and a cell of it names a column."""
    if element.tag != "tr" or _has_link(element) or element.xpath(_ROWS_BEFORE):
        return False
    cells = [fold(_text(cell)).rstrip(":") for cell in element.xpath("./td | ./th")]
    return not HEADINGS.isdisjoint(cells) and not any(sign.isdigit() for cell in cells for sign in cell)


def _has_link(element: HtmlElement) -> bool:
    return bool(element.xpath(".//a[@href]"))


def _base(page: HtmlElement, url: str) -> str:
    """Return what relative addresses start from."""
    bases = page.xpath("//base/@href")
    return _absolute(url, str(bases[0])) or url if bases else url


def _absolute(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip()[:MAX_TEXT])
    except ValueError:
        return ""


def _refreshes_to(page: HtmlElement, base: str) -> str:
    """Return where a page sends its readers on to by `meta refresh`; empty if nowhere."""
    for content in page.xpath("//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']/@content"):
        found = _REFRESH.search(str(content)[:MAX_TEXT])
        if found:
            return _absolute(base, found[1])
    return ""


_REFRESH = re.compile(r"""[;,]\s*(?:url\s*=)?\s*["']?\s*([^"'\s]+)""", re.IGNORECASE)


def _without_words(text: str) -> str:
    """Return a date without what is written around it: `Ngày đăng: (16/11/2026 09:30)`."""
    found = re.search(r"\d.*\d", text)
    return found[0] if found else ""


SOURCE = UpdateSourceKind(settings=Settings, build=build)
