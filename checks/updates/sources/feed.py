"""An RSS or Atom feed: a file or an address. What it shows was visible when it was looked at; its dates are only claims.

Feeds are short: a look covers the time back to the feed's oldest item, and to the look before if the two overlap.
Dates are read by `checks.updates.dates`, because feed readers take local times for UTC and some dates for other days;
feedparser's own reading serves only where every number of its date stands in the text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import feedparser

from checks.updates.authors import several_names
from checks.updates.dates import DateRules, dated_in_one_order, read_moment
from checks.updates.source_settings import bounded, content_key, source_error, too_many
from checks.updates.sources import UpdateSourceKind
from checks.updates.sources._pages import PageSettings, PageSource, text_of
from checks.updates.sources._xml import NotWellFormed, local_name, root_of
from checks.updates.text import without_markup
from portalops.config.tables import KindTable
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing, RefusedItem
from portalops.ports import Web

MAX_ITEMS = 5000
ROOTS = frozenset({"rss", "feed", "rdf"})


class Settings(PageSettings):
    """`kind = "feed"`."""

    unit_from: Literal["author", "category", "source"] = "author"
    """Which element names the agency, where the feed carries those of many."""


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> FeedSource:
    """Return the source that a configuration table describes."""
    return FeedSource(source_id, table.parse(Settings), zone=zone, web=web)


class FeedSource(PageSource[Settings]):
    """One feed."""

    accept = "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.1"

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        self._door.require_marker(text_of(data))
        note = self._check_xml(data)
        # Nothing is cleaned: it is read as text, and feedparser's cleaning takes long for what is made to take long.
        try:
            feed = feedparser.parse(io.BytesIO(data), resolve_relative_uris=False, sanitize_html=False)
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as error:
            # What feedparser raises for some broken feeds: an encoding that is no text, &#x110000;
            cause = bounded(f"{type(error).__name__} {error}")
            raise source_error(self._traits.id, msg("the feed is broken: {cause}", cause=cause)) from error
        entries = feed.get("entries", [])
        # What stands behind the place where a feed breaks off is not known, however often it does.
        rejected = [RefusedItem(note, "broken", is_open=True)] if note else []
        rejected += too_many(len(entries), MAX_ITEMS)
        language = str(dict.get(feed.get("feed", {}), "language") or "")
        items = []
        for number, entry in enumerate(entries[:MAX_ITEMS], 1):
            item = _item(entry, self._settings.unit_from, language, self._rules)
            if item.title or item.url or item.external_id:
                items.append(item)
            else:
                what = msg("item {number}: neither title, link nor id", number=number)
                rejected.append(
                    RefusedItem(what, content_key((item.raw_date, item.body)), item.unit_name, item.published_at)
                )
        if note and not items:
            raise source_error(self._traits.id, note)
        return Listing(dated_in_one_order(items, self._rules), tuple(rejected))

    def _check_xml(self, data: bytes) -> Message | None:
        """Refuse what is no feed or would blow up; return a note for a feed that is not well formed.

        Raises:
            UpdateSourceError: it is something else, such as a page in HTML, or declares entities.
        """
        note: Message | None = None
        try:
            tag = local_name(root_of(self._traits.id, data))
        except NotWellFormed as error:
            tag, note = _first_tag(data), error.note
        if tag in ROOTS:
            return note
        if tag == "html":
            note = msg("the answer is an HTML page, not a feed")
        raise source_error(
            self._traits.id, note or msg("the answer is XML but no RSS or Atom feed: {tag}", tag=bounded(tag, 40))
        )


def _first_tag(data: bytes) -> str:
    found = re.search(rb"<(?:[\w.-]+:)?([A-Za-z]\w*)", data.replace(b"\0", b"")[:4096])
    return found[1].decode("ascii", "replace").lower() if found else ""


def _item(entry: Mapping[str, object], unit_from: str, language: str, rules: DateRules) -> ListedItem:
    # feedparser answers for a missing key with another one; only the key that is really there will do
    own: dict[str, object] = dict(dict.items(entry))  # type: ignore[arg-type]  # a dict of feedparser's own kind
    raw = str(own.get("published") or own.get("updated") or own.get("created") or "")
    parsed = own.get("published_parsed") or own.get("updated_parsed")
    contents = own.get("content")
    body = contents[0].get("value") if isinstance(contents, list) and contents else None
    summary = own.get("summary")
    text = body if body is not None else summary
    return ListedItem(
        external_id=str(own.get("id") or ""),
        url=str(own.get("link") or ""),
        title=without_markup(str(own.get("title") or "")).strip(),
        published_at=read_moment(raw, rules) or _parse_by_feedparser(raw, parsed),
        raw_date=raw,
        unit_name=_unit_name(own, unit_from),
        language=str(own.get("language") or language),
        body=None if text is None else without_markup(str(text)),
        body_is_summary=body is None,
    )


def _parse_by_feedparser(raw: str, parsed: object) -> datetime | None:
    """Take feedparser's date only if it names a zone and invents no number: it reads 2026/11/24 as 1 November."""
    if not isinstance(parsed, tuple) or not re.search(r"(?:Z|[A-Z]{3}|[+-]\d\d:?\d\d)$", raw):
        return None
    try:
        year, month, day, hour, minute, second = parsed[:6]
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError):
        return None
    numbers = {int(number) for number in re.findall(r"\d+", raw)}
    return moment if {moment.year, moment.day} <= numbers else None


def _unit_name(entry: Mapping[str, object], unit_from: str) -> str:
    match unit_from:
        case "category":
            return several_names(_each(entry, "tags", "term"))
        case "source":
            source = entry.get("source")
            return str(source.get("title") or "") if isinstance(source, Mapping) else ""
        case _:
            names = _each(entry, "authors", "name")
            return several_names(names) if len(names) > 1 else str(entry.get("author") or "")


def _each(entry: Mapping[str, object], of: str, name: str) -> Sequence[str]:
    """Return what each of an item's categories or authors is called."""
    some = entry.get(of)
    return [str(one.get(name) or "") for one in some if isinstance(one, Mapping)] if isinstance(some, list) else ()


SOURCE = UpdateSourceKind(settings=Settings, build=build)
