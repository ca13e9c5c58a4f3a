"""A JSON Feed, or the posts that WordPress tells at /wp-json/wp/v2/posts: a file or an address.

What holds for feeds holds here: what it shows was visible when it was looked at, its dates are only claims, and a look covers
the time back to its oldest item.

Sources: JSON Feed 1.1 (jsonfeed.org/version/1.1); the REST API handbook of WordPress, "Posts".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from checks.updates.authors import several_names
from checks.updates.dates import DateRules, dated_in_one_order, read_moment
from checks.updates.source_settings import bounded, content_key, source_error, too_many
from checks.updates.sources import UpdateSourceKind
from checks.updates.sources._pages import PageSettings, PageSource, text_of
from checks.updates.text import without_markup
from portalops.json_text import read_json
from portalops.model.message import msg
from portalops.model.updates import ListedItem, Listing, RefusedItem
from portalops.ports import Web

if TYPE_CHECKING:
    from portalops.config.tables import KindTable

VERSIONS = ("https://jsonfeed.org/version/1", "http://jsonfeed.org/version/1")
MAX_ITEMS = 5000


class Settings(PageSettings):
    """`kind = "json-feed"`."""

    unit_from: Literal["author", "tag"] = "author"
    """What names the agency, where the feed carries those of many; WordPress tells neither by name."""


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> JsonFeedSource:
    """Return the source that a configuration table describes."""
    return JsonFeedSource(source_id, table.parse(Settings), zone=zone, web=web)


class JsonFeedSource(PageSource[Settings]):
    """One feed."""

    accept = "application/feed+json, application/json;q=0.9, */*;q=0.1"

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        text = text_of(data)
        self._door.require_marker(text)
        entries, language = self._entries(text)
        items: list[ListedItem] = []
        rejected: list[RefusedItem] = []
        for number, entry in enumerate(entries[:MAX_ITEMS], 1):
            if not isinstance(entry, dict):
                rejected.append(RefusedItem(msg("item {number}: not a JSON object", number=number), content_key(entry)))
                continue
            item = self._post(entry) if "link" in entry else self._item(entry, language)
            if item.title or item.url or item.external_id:
                items.append(item)
            else:
                what = msg("item {number}: neither title, url nor id", number=number)
                rejected.append(RefusedItem(what, content_key(entry), item.unit_name, item.published_at))
        rejected += too_many(len(entries), MAX_ITEMS)
        return Listing(dated_in_one_order(items, self._rules), tuple(rejected))

    def _entries(self, text: str) -> tuple[list[object], str]:
        """Return the items, and the language of all that name none.

        Raises:
            UpdateSourceError: the answer is none of the two.
        """
        try:
            answer = read_json(text)
        except ValueError as error:
            raise source_error(self._traits.id, msg("the answer is not JSON: {cause}", cause=bounded(error))) from error
        if isinstance(answer, list):
            return answer, ""
        if isinstance(answer, dict) and str(answer.get("version", "")).startswith(VERSIONS):
            entries = answer.get("items")
            if isinstance(entries, list):
                return entries, _text(answer.get("language"))
        raise source_error(
            self._traits.id, msg("the answer is JSON but no JSON Feed: {start}", start=bounded(text.strip(), 60))
        )

    def _item(self, entry: Mapping[str, object], language: str) -> ListedItem:
        """Read an item of a JSON Feed; of version 1.0 too, whose author stands alone."""
        raw = _text(entry.get("date_published"))
        html, plain, summary = (entry.get(key) for key in ("content_html", "content_text", "summary"))
        whole = html if isinstance(html, str) else plain
        body = whole if isinstance(whole, str) else summary
        return ListedItem(
            external_id=_text(entry.get("id")),
            url=_text(entry.get("url")),
            title=without_markup(_text(entry.get("title"))),
            published_at=read_moment(raw, self._rules),
            raw_date=raw,
            modified_at=read_moment(_text(entry.get("date_modified")), self._rules),
            unit_name=_unit_name(entry, self._settings.unit_from),
            language=_text(entry.get("language")) or language,
            body=without_markup(body) if isinstance(body, str) else None,
            body_is_summary=not isinstance(whole, str),
        )

    def _post(self, entry: Mapping[str, object]) -> ListedItem:
        """Read a post of WordPress. Its `date_gmt` is UTC and names no zone; `date` is the site's own time."""
        gmt = _text(entry.get("date_gmt"))
        raw = f"{gmt}Z" if gmt else _text(entry.get("date"))
        modified = _text(entry.get("modified_gmt"))
        content = _rendered(entry.get("content"))
        return ListedItem(
            external_id=_text(_rendered(entry.get("guid"))) or _text(entry.get("id")),
            url=_text(entry.get("link")),
            title=without_markup(_text(_rendered(entry.get("title")))),
            published_at=read_moment(raw, _UTC if gmt else self._rules),
            raw_date=raw,
            modified_at=read_moment(f"{modified}Z", _UTC) if modified else None,
            state=_text(entry.get("status")),
            body=without_markup(content) if isinstance(content, str) else None,
        )


_UTC = DateRules(ZoneInfo("UTC"))


def _text(value: object) -> str:
    """Return text, or a number as text: ids of version 1.0 may be numbers; nothing of anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _rendered(value: object) -> object:
    return value.get("rendered") if isinstance(value, dict) else value


def _unit_name(entry: Mapping[str, object], unit_from: str) -> str:
    if unit_from == "tag":
        tags = entry.get("tags")
        return several_names(map(_text, tags)) if isinstance(tags, list) else ""
    authors = entry.get("authors")
    some = authors if isinstance(authors, list) and authors else [entry.get("author")]
    return several_names(_text(one.get("name")) for one in some if isinstance(one, dict))


SOURCE = UpdateSourceKind(settings=Settings, build=build)
