"""The map of a site: which addresses it has, and when each is said to have changed. It is a cross-check, and nothing else.

Where a feed's answer does not overlap with the one before, the site's map may show that nothing was missed between the two:
it is asked for then, and once a week to see that it is there. By itself nothing of it counts as an update. A `lastmod` is often
the time of building the site, or of publishing, or is not there at all; so where 80 of 100 addresses name one day, no day of
the file is believed.

An index is followed to the files that it names, on its own host, packed or not, each asked for once. What is kept as
evidence is one JSON object: `documents`, a list of pairs of address and text; of a map that cannot be had whole, those that could
be had, and `failed`, what came instead of the next one.

Sources: the sitemap protocol 0.9 (sitemaps.org/protocol.html); updates.md, section 1.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from checks.updates.dates import read_moment
from checks.updates.source_settings import bounded, source_error
from checks.updates.sources import UpdateSourceKind
from checks.updates.sources._pages import PageReader, PageSettings
from checks.updates.sources._xml import NotWellFormed, local_name, root_of
from portalops.errors import UpdateSourceError
from portalops.json_text import read_json
from portalops.model.message import Message, msg, verbatim
from portalops.model.updates import ListedItem, Listing, RefusedItem, UpdateAnswer, UpdateSourceTraits
from portalops.ports import Web, WebUnavailable
from portalops.system.web import gunzip

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from portalops.config.tables import KindTable

ACCEPT = "application/xml, text/xml;q=0.9, */*;q=0.1"
MAX_FILES = 50
"""That an index may name. The protocol allows 50,000."""
MAX_BYTES = 20 << 20
"""Of all files together, unpacked. The protocol allows 50 MB for each."""
MAX_ADDRESSES = 100_000
SECONDS = 120.0
"""For an index and all of its files."""
BEGINNING_BYTES = 16 << 10
"""Of a packed file that cannot be unpacked, as evidence of that."""
SAME_DAY_PERCENT = 80
"""From this share of addresses with one day on, the days are those of a build (updates.md, section 1)."""


class Settings(PageSettings):
    """`kind = "sitemap"`."""

    paths: tuple[str, ...] = ()
    """Patterns, as of shells, of the paths of addresses that are items: `/tin-tuc/*`; all if not given."""


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> SitemapSource:
    """Return the source that a configuration table describes."""
    return SitemapSource(source_id, table.parse(Settings), zone=zone, web=web)


class SitemapSource:
    """One map, of one file or of many."""

    def __init__(self, source_id: str, settings: Settings, *, zone: ZoneInfo, web: Web) -> None:
        self._settings = settings
        self._zone = zone
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(source_id, complete=True, cross_check=True, host=settings.host)
        self._door = PageReader(source_id, settings, web, limit_bytes=MAX_BYTES)

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        del etag  # it is asked for seldom, and then whole
        first = self._door.answer(accept=ACCEPT, etag="")
        documents: list[tuple[str, bytes]] = []
        try:
            documents.append((self._settings.url or "", self._unpacked(first.data or b"")))
            for document in self._files_of_index(documents[0][1]):
                documents.append(document)  # noqa: PERF402  # those before one that fails are evidence
        except UpdateSourceError as error:  # of a map that cannot be had whole, what there is shows why
            failed = error.answer.data.decode() if error.answer and error.answer.data else None
            error.answer = _as_answer(documents, first.via, failed=failed)
            raise
        return _as_answer(documents, first.via)

    def _files_of_index(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        try:
            root = self._root(data)
        except UpdateSourceError:
            return  # to be kept as it is, and told when it is read
        until, room = time.monotonic() + SECONDS, MAX_BYTES - len(data)
        for address in self._named_files(root) if local_name(root) == "sitemapindex" else ():
            if time.monotonic() > until:
                raise self._error(msg("its files take longer than {seconds} seconds", seconds=round(SECONDS)))
            file = self._unpacked(self._door.page(address, accept=ACCEPT).data or b"")
            room -= len(file)
            if room < 0:
                raise self._error(msg("its files are larger than {limit} MiB", limit=MAX_BYTES >> 20))
            yield address, file

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        try:
            documents = [text.encode("utf-8", "surrogateescape") for _url, text in read_json(data)["documents"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._error(msg("its kept answer cannot be read")) from error
        self._door.require_marker("\n".join(document.decode("utf-8", "replace") for document in documents))
        items: list[ListedItem] = []
        rejected: list[RefusedItem] = []
        for number, document in enumerate(documents):
            root = self._root(document)
            if local_name(root) == "urlset":
                self._take(root, items, rejected)
            elif number:
                rejected.append(RefusedItem(msg("file {number}: an index in an index", number=number)))
        if not items and not rejected:
            raise self._error(msg("it lists no address of an item"), msg("Check that 'url' and 'paths' are right."))
        return Listing(tuple(items), tuple(rejected), _doubt(items, self._zone))

    def _take(self, root: Element, items: list[ListedItem], rejected: list[RefusedItem]) -> None:
        for entry in root:
            if local_name(entry) != "url":
                continue
            address, raw = _child(entry, "loc"), _child(entry, "lastmod")
            if len(items) >= MAX_ADDRESSES:
                raise self._error(msg("it lists more than {limit} addresses", limit=MAX_ADDRESSES))
            if why := self._explain_foreign(address):
                rejected.append(RefusedItem(why))
            elif self._is_item(address):
                changed = read_moment(raw, self._rules)
                items.append(ListedItem("", address, "", None, raw[:100], modified_at=changed))

    def _named_files(self, root: Element) -> tuple[str, ...]:
        """Return the files that an index names.

        Raises:
            UpdateSourceError: they are too many, or lie on another host.
        """
        found = tuple(dict.fromkeys(_child(entry, "loc") for entry in root if local_name(entry) == "sitemap"))
        if len(found) > MAX_FILES:
            raise self._error(
                msg("its index lists {count} files; only {limit} are read", count=len(found), limit=MAX_FILES)
            )
        for address in found:
            if why := self._explain_foreign(address) or (None if self._settings.host else verbatim(bounded(address))):
                raise self._error(msg("its index lists a file of another site: {why}", why=why))
        return found

    def _explain_foreign(self, address: str) -> Message | None:
        """Say why an address is none of the site's, as the protocol wants it; None if it is."""
        try:
            parts = urlsplit(address)
            host = parts.hostname
        except ValueError:
            return msg("{url}: not an address", url=bounded(address))
        if parts.scheme not in {"http", "https"} or not host:
            return msg("{url}: not an address", url=bounded(address))
        own = self._settings.host
        if own and host.lower() != own:
            return msg("{url}: another host than {own}", url=bounded(address), own=own)
        return None

    def _is_item(self, address: str) -> bool:
        path = unquote(urlsplit(address).path)
        return not self._settings.paths or any(fnmatchcase(path, pattern) for pattern in self._settings.paths)

    def _unpacked(self, data: bytes) -> bytes:
        if not data.startswith(b"\x1f\x8b"):
            return data
        try:
            return gunzip((data,), MAX_BYTES)
        except WebUnavailable as error:
            failed = self._error(error.cause)
            failed.answer = UpdateAnswer(data[:BEGINNING_BYTES].decode("utf-8", "backslashreplace").encode())
            raise failed from error

    def _root(self, data: bytes) -> Element:
        try:
            root = root_of(self._traits.id, data)
        except NotWellFormed as error:
            raise self._error(error.note) from error
        if local_name(root) not in {"urlset", "sitemapindex"}:
            raise self._error(msg("the answer is XML but no sitemap: {tag}", tag=bounded(local_name(root), 40)))
        return root

    def _error(self, cause: Message, hint: Message | None = None) -> UpdateSourceError:
        return source_error(self._traits.id, cause, hint)


def _as_answer(
    documents: Sequence[tuple[str, bytes]], via: tuple[str, ...], *, failed: str | None = None
) -> UpdateAnswer:
    texts = [(address, data.decode("utf-8", "surrogateescape")) for address, data in documents]
    kept: dict[str, object] = {"documents": texts}
    if failed is not None:
        kept["failed"] = failed
    return UpdateAnswer(json.dumps(kept).encode(), via=via)


def _child(entry: Element, name: str) -> str:
    return next(((one.text or "").strip() for one in entry if local_name(one) == name), "")


def _doubt(items: Sequence[ListedItem], zone: ZoneInfo) -> Message | None:
    days = Counter(item.modified_at.astimezone(zone).date() for item in items if item.modified_at)
    if not days:
        return None
    day, count = days.most_common(1)[0]
    share = 100 * count // len(items)
    if share < SAME_DAY_PERCENT:
        return None
    return msg(
        "{percent} % of its addresses give {day} as their last change, as when a site is rebuilt",
        percent=share,
        day=day,
    )


SOURCE = UpdateSourceKind(settings=Settings, build=build)
