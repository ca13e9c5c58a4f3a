"""An RSS or Atom feed: a file or an address. What it shows was visible when it was looked at; its dates are only claims.

Feeds are short: a look covers the time back to the feed's oldest item, and to the look before if the two overlap.
Dates are read by `checks.updates.dates`, because feed readers take local times for UTC and some dates for other days;
feedparser's own reading serves only where every number of its date stands in the text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import field_validator, model_validator

from checks.updates.dates import DateRules, read_moment
from checks.updates.sources._settings import CommonSettings, bounded, source_error
from checks.updates.text import without_markup
from portalops.config.values import LocalPath, Refused
from portalops.model.message import Message, msg
from portalops.model.updates import ListedItem, Listing, SourceTraits
from portalops.ports import Answer

if TYPE_CHECKING:
    from portalops.config.tables import KindTable

LIMIT_BYTES = 10 << 20
TIMEOUT_SECONDS = 30.0
MAX_REDIRECTS = 5
MAX_ITEMS = 5000
ROOTS = frozenset({"rss", "feed", "rdf"})


class Settings(CommonSettings):
    """`kind = "feed"`: either `file` or `url`."""

    file: LocalPath | None = None
    url: str | None = None
    """http, https or file."""
    unit_from: Literal["author", "category", "source"] = "author"
    """Which element names the agency, where the feed carries those of many."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme.lower() not in {"http", "https", "file"}:
            raise Refused(msg("is no address that can be read"), msg("Give an http, https or file address."))
        return url

    @model_validator(mode="after")
    def _one_place(self) -> Settings:
        if (self.file is None) == (self.url is None):
            raise Refused(msg("needs either file or url"), shows_value=False)
        return self


def build(source_id: str, table: KindTable, *, zone: ZoneInfo) -> FeedSource:
    """Return the source that a configuration table describes."""
    return FeedSource(source_id, table.parse(Settings), zone=zone)


class FeedSource:
    """One feed."""

    def __init__(self, source_id: str, settings: Settings, *, zone: ZoneInfo) -> None:
        self._settings = settings
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(source_id, complete=False)

    @property
    def traits(self) -> SourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> Answer:
        url = self._settings.url
        if self._settings.file is not None:
            return self._from_file(self._settings.file)
        assert url is not None
        if urlsplit(url).scheme.lower() == "file":
            return self._from_file(Path(unquote(urlsplit(url).path)))
        return self._from_server(url, etag)

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        import feedparser  # noqa: PLC0415  # start-up time

        note = self._check_xml(data)
        feed = feedparser.parse(io.BytesIO(data), resolve_relative_uris=False)
        entries = feed.get("entries", [])
        rejected = [str(note)] if note else []
        rejected += [f"item {MAX_ITEMS + 1} and {len(entries) - MAX_ITEMS - 1} more: too many"] * (
            len(entries) > MAX_ITEMS
        )
        language = str(dict.get(feed.get("feed", {}), "language") or "")
        items = []
        for number, entry in enumerate(entries[:MAX_ITEMS], 1):
            item = _item(entry, self._settings.unit_from, language, self._rules)
            if item.title or item.url or item.external_id:
                items.append(item)
            else:
                rejected.append(f"item {number}: neither title, link nor id")
        if note and not items:
            raise source_error(self._traits.id, note)
        return Listing(tuple(items), tuple(rejected))

    def _check_xml(self, data: bytes) -> Message | None:
        """Refuse what is no feed or would blow up; return a note for a feed that is not well formed.

        Raises:
            UpdateSourceError: it is something else, such as a page in HTML, or declares entities.
        """
        from defusedxml import DefusedXmlException  # noqa: PLC0415  # start-up time
        from defusedxml.ElementTree import ParseError, fromstring  # noqa: PLC0415

        if b"<!ENTITY" in data.replace(b"\0", b"").upper():
            raise source_error(self._traits.id, msg("the feed declares XML entities, which no feed needs"))
        try:
            root = fromstring(data)
        except DefusedXmlException as error:
            raise source_error(
                self._traits.id, msg("the feed holds forbidden XML: {cause}", cause=bounded(error))
            ) from error
        except (ParseError, ValueError, LookupError) as error:
            note = msg("the answer is not well-formed XML: {cause}", cause=bounded(error))
            if _first_tag(data) not in ROOTS:
                raise source_error(self._traits.id, note) from error
            return note
        tag = str(root.tag).rpartition("}")[2].lower()
        if tag not in ROOTS:
            raise source_error(
                self._traits.id, msg("the answer is XML but no RSS or Atom feed: {tag}", tag=bounded(tag, 40))
            )
        return None

    def _from_file(self, path: Path) -> Answer:
        try:
            with path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except OSError as error:
            raise source_error(
                self._traits.id, msg("cannot read {file}: {cause}", file=bounded(path), cause=error.strerror or "error")
            ) from error
        return Answer(self._checked_size(data))

    def _from_server(self, url: str, etag: str) -> Answer:
        import httpx  # noqa: PLC0415  # start-up time

        headers = {"Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.1"}
        headers |= {"If-None-Match": etag} if etag else {}
        data = bytearray()
        try:
            with (
                httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=True, max_redirects=MAX_REDIRECTS) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code == httpx.codes.NOT_MODIFIED and etag:
                    return Answer(None, etag)
                if response.status_code != httpx.codes.OK:
                    raise source_error(
                        self._traits.id,
                        msg("the server answers with HTTP status {status}", status=response.status_code),
                    )
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > LIMIT_BYTES:
                        break
                return Answer(self._checked_size(bytes(data)), response.headers.get("ETag", "")[:500])
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            cause = f"{type(error).__name__} {error}".strip()
            raise source_error(self._traits.id, msg("no answer: {cause}", cause=bounded(cause))) from error

    def _checked_size(self, data: bytes) -> bytes:
        if len(data) > LIMIT_BYTES:
            raise source_error(self._traits.id, msg("the feed is larger than {limit} MiB", limit=LIMIT_BYTES >> 20))
        return data


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
        published_at=read_moment(raw, rules) or _by_feedparser(raw, parsed),
        raw_date=raw,
        unit_name=_unit_name(own, unit_from),
        language=str(own.get("language") or language),
        body=None if text is None else without_markup(str(text)),
        body_is_summary=body is None,
    )


def _by_feedparser(raw: str, parsed: object) -> datetime | None:
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
            tags = entry.get("tags")
            return str(tags[0].get("term") or "") if isinstance(tags, list) and tags else ""
        case "source":
            source = entry.get("source")
            return str(source.get("title") or "") if isinstance(source, Mapping) else ""
        case _:
            return str(entry.get("author") or "")
