"""Proposes the CSS selectors of a page that lists items, from what repeats in it. Pure.

Items of a list are brothers in the page, made alike, each with a link whose text is a title; the better proposal is the one whose items
have dates. A proposal is only that: the source itself then reads the page by it, twice, and a person sees what came.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from cssselect import HTMLTranslator
from lxml import etree
from lxml.html import HtmlElement

from checks.updates.dates import DateRules, read_moment

MIN_ITEMS = 3
TITLE_LETTERS = 15
"""The text of a link to an article has more; those of a menu have less."""
SHARE_PERCENT = 80
"""Of the items that must have a title, or a date."""
MAX_ELEMENTS = 20_000
"""Of a page that are gone through."""

_CLASS = re.compile(r"[A-Za-z_][\w-]*")
_PASSING = re.compile(r"first|last|odd|even|active|current|\d{3,}", re.IGNORECASE)
"""Classes that tell one item of a list from its brothers, or one day from the next."""
_DATE = re.compile(r"\d.*\d")


@dataclass(frozen=True, slots=True)
class ListProposal:
    """Selectors of a list, as `kind = "list-page"` takes them."""

    item: str
    link: str
    title: str
    """Empty where the link's text is the title."""
    date: str
    """Empty where the items have none."""
    items: int
    dated: int

    def settings(self) -> dict[str, str]:
        """Return the keys of the source's table."""
        keys = {"item": self.item, "link": self.link, "title": self.title, "date": self.date}
        return {key: value for key, value in keys.items() if value}


def propose_lists(page: HtmlElement, url: str, rules: DateRules, *, most: int = 2) -> tuple[ListProposal, ...]:
    """Return what the page may list, the likeliest first.

    Args:
        page: its root.
        url: its own address; titles lead to the same host.
        rules: how dates are read.
        most: how many proposals are wanted.
    """
    groups: dict[_Kind, list[HtmlElement]] = defaultdict(list)
    for number, element in enumerate(page.iter(etree.Element)):
        if number >= MAX_ELEMENTS:
            break
        parent = element.getparent()
        if parent is not None and element.tag in _ITEM_TAGS and not _is_menu(element):
            groups[_Kind(parent, element.tag, _classes(element))].append(element)
    proposals = [
        proposal
        for kind, members in groups.items()
        if len(members) >= MIN_ITEMS and (proposal := _proposal(page, kind, members, url, rules))
    ]
    unique = {(one.item, one.title, one.date): one for one in proposals}
    return tuple(sorted(unique.values(), key=lambda one: (-min(one.dated, 50), -one.items)))[:most]


def _is_menu(element: HtmlElement) -> bool:
    """Say whether an element lies in a menu, a head or a foot, by the tags and names of what it lies in."""
    return any(
        each.tag in _MENU_TAGS or _MENU.search(f"{each.get('id') or ''} {each.get('class') or ''}")
        for each in element.iterancestors()
    )


_MENU_TAGS = frozenset({"nav", "header", "footer"})
_MENU = re.compile(r"(?:^|[\s_-])(?:menu|nav|navbar|breadcrumb|footer)(?:$|[\s_-])", re.IGNORECASE)
_ITEM_TAGS = frozenset({"li", "div", "article", "tr", "section", "dl", "p", "a"})


class _Kind(NamedTuple):
    """What brothers that are made alike have in common."""

    parent: HtmlElement
    tag: str
    classes: frozenset[str]


def _proposal(
    page: HtmlElement, kind: _Kind, members: Sequence[HtmlElement], url: str, rules: DateRules
) -> ListProposal | None:
    found = [(link, each) for each in members if (link := _title_link(each, url)) is not None]
    titles, titled = [link for link, _each in found], [each for _link, each in found]
    if 100 * len(titles) < SHARE_PERCENT * len(members) or len({link.get("href") for link in titles}) < MIN_ITEMS:
        return None
    item = _item_selector(page, kind, members)
    if item is None:
        return None
    link = (
        ""
        if kind.tag == "a"
        else _common(members, [_short(link, each) for link, each in zip(titles, titled, strict=True)], titles)
    )
    if not link and kind.tag != "a":
        return None
    date, dated = _date_selector(members, rules)
    return ListProposal(item, link, "", date, len(members), dated)


def _title_link(element: HtmlElement, url: str) -> HtmlElement | None:
    host = urlsplit(url).hostname
    for link in [element] if element.tag == "a" else element.iter("a"):
        try:
            address = urlsplit(urljoin(url, str(link.get("href") or "")))
        except ValueError:
            continue
        letters = sum(map(str.isalpha, link.text_content()))
        if letters >= TITLE_LETTERS and address.hostname == host and (address.path.strip("/") or address.query):
            return link
    return None


def _item_selector(page: HtmlElement, kind: _Kind, members: Sequence[HtmlElement]) -> str | None:
    """Return the shortest selector that fits the members and, on this page, nothing else."""
    own = kind.tag + "".join(f".{name}" for name in sorted(kind.classes)[:2])
    steps: list[str] = [own]
    wanted = set(members)
    above: HtmlElement | None = kind.parent
    while above is not None and len(steps) <= 5:
        anchor = _anchor(above)
        if anchor:
            selector = " > ".join((anchor, *steps))
            if set(_fitting(page, selector)) == wanted:
                return selector
        steps.insert(0, anchor or str(above.tag))
        above = above.getparent()
    alone = " > ".join(steps[-2:])
    return alone if set(_fitting(page, alone)) == wanted else None


def _anchor(element: HtmlElement) -> str:
    """Return the selector of an element by its id, else by its classes; empty where it has neither."""
    name = str(element.get("id") or "")
    if _CLASS.fullmatch(name) and not _PASSING.search(name):
        return f"{element.tag}#{name}"
    return f"{element.tag}{''.join(f'.{each}' for each in sorted(_classes(element))[:2])}" if _classes(element) else ""


def _short(element: HtmlElement, item: HtmlElement) -> str:
    """Return a selector that fits an element within its item: by its class, by its parent, or by its place among its like."""
    own = str(element.tag) + "".join(f".{name}" for name in sorted(_classes(element))[:1])
    parent = element.getparent()
    if _classes(element) or parent is None:
        return own
    if parent is item:
        return f"{own}:nth-of-type({1 + sum(1 for _each in element.itersiblings(element.tag, preceding=True))})"
    return f"{parent.tag}{''.join(f'.{name}' for name in sorted(_classes(parent))[:1])} > {own}"


def _common(members: Sequence[HtmlElement], selectors: Sequence[str], wanted: Sequence[HtmlElement]) -> str:
    """Return the selector that leads to what is wanted in most members, as the first that fits; empty if none does."""
    aims = set(wanted)
    for selector, _count in Counter(["a[href]", *selectors]).most_common():
        firsts = [next(_fitting(each, selector), None) for each in members]
        if 100 * sum(first in aims for first in firsts) >= SHARE_PERCENT * len(members):
            return selector
    return ""


def _date_selector(members: Sequence[HtmlElement], rules: DateRules) -> tuple[str, int]:
    """Return the selector of the items' dates, and how many have one."""
    found: Counter[str] = Counter()
    for each in members:
        for element in each.iter(etree.Element):
            if element is not each and _is_date(element, rules):
                found[_short(element, each)] += 1
                break
    for selector, _count in found.most_common(3):
        firsts = (next(_fitting(each, selector), None) for each in members)
        dated = sum(first is not None and _is_date(first, rules) for first in firsts)
        if 100 * dated >= SHARE_PERCENT * len(members):
            return selector, dated
    return "", 0


def _is_date(element: HtmlElement, rules: DateRules) -> bool:
    text = " ".join(element.text_content().split())
    if len(text) > 60:
        return False
    inner = _DATE.search(text)
    return any(read_moment(raw, rules) for raw in (element.get("datetime") or "", text, inner[0] if inner else ""))


def _classes(element: HtmlElement) -> frozenset[str]:
    names = str(element.get("class") or "").split()
    return frozenset(name for name in names if _CLASS.fullmatch(name) and not _PASSING.search(name))


def _fitting(element: HtmlElement, selector: str) -> Iterator[HtmlElement]:
    yield from element.xpath(HTMLTranslator().css_to_xpath(selector, prefix="descendant::"))
