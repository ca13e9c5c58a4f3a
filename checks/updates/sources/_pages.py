"""What every source that is a page has: where it lies, how it is asked for, and by what a good answer is known."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from pathlib import Path
from typing import ClassVar, Generic, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from checks.updates.dates import WrittenDates
from checks.updates.source_settings import CommonSettings, bounded, source_error
from portalops.config.values import LocalPath, RefusedValue
from portalops.errors import LiteralSecret
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.updates import UpdateAnswer, UpdateSourceTraits
from portalops.ports import Web, WebPage, WebUnavailable

LIMIT_BYTES = 10 << 20
"""Of one answer, unpacked. A feed of 500 whole articles takes about 2 MiB."""


class PageSettings(CommonSettings):
    """Where a page lies: either `file` or `url`."""

    file: LocalPath | None = None
    url: str | None = None
    """http, https or file."""
    marker: str | None = Field(default=None, min_length=1, max_length=200)
    """Text that a good answer holds; without it an answer is a page of maintenance or of a login, and so an outage."""

    inside: bool = False
    """Its name may lead to an address that is not public: the site lies in the own network."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is None:
            return None
        hint = msg("Give an http, https or file address.")
        try:
            parts = urlsplit(url)
            is_known = parts.scheme.lower() in {"http", "https", "file"} and bool(parts.hostname or parts.path)
            _port = parts.port  # which is only looked at when it is asked for
            has_login = parts.scheme.lower() != "file" and "@" in parts.netloc
        except ValueError as error:
            raise RefusedValue(msg("is not a valid address"), hint) from error
        if not is_known or (parts.scheme.lower() != "file" and not parts.hostname):
            raise RefusedValue(msg("is not a valid address"), hint)
        if has_login:
            raise RefusedValue(
                msg("holds a login"),
                msg("Name an address that everybody can read: what is published needs no login."),
                error=LiteralSecret,
                shows_value=False,
            )
        return url

    @model_validator(mode="after")
    def _one_place(self) -> PageSettings:
        if (self.file is None) == (self.url is None):
            raise RefusedValue(msg("needs either file or url"), shows_value=False)
        return self

    @property
    def path(self) -> Path | None:
        """Return the file that it lies in; None if a server is asked."""
        if self.file is not None:
            return self.file
        assert self.url is not None
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme.lower() == "file" else None

    @property
    def host(self) -> str:
        """Return the server that is asked; empty for a file."""
        return "" if self.path else (urlsplit(self.url or "").hostname or "").lower()


class PageReader:
    """Asks for the pages of one source, and words what goes wrong."""

    def __init__(self, source_id: str, settings: PageSettings, web: Web, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._source_id = source_id
        self._settings = settings
        self._web = web
        self._limit = limit_bytes

    def answer(self, *, accept: str, etag: str) -> UpdateAnswer:
        """Return the source's page as it is.

        Raises:
            UpdateSourceError: it cannot be had.
        """
        path = self._settings.path
        if path is not None:
            return UpdateAnswer(self._read(path))
        assert self._settings.url is not None
        page = self.page(self._settings.url, accept=accept, mark=etag)
        return UpdateAnswer(page.data, page.mark, page.via)

    def page(self, url: str, *, accept: str, mark: str = "") -> WebPage:
        """Return a page of the source's server.

        Raises:
            UpdateSourceError: it cannot be had.
        """
        try:
            return self._web.get(url, accept=accept, mark=mark, limit_bytes=self._limit, inside=self._settings.inside)
        except WebUnavailable as error:
            cause = error.cause
            if error.via:
                cause = msg("{cause}, after redirects to {urls}", cause=cause, urls=bounded(", ".join(error.via), 300))
            failed = source_error(self._source_id, cause)
            if error.status is not None:
                failed.answer = UpdateAnswer(_as_evidence(url, error), via=error.via)
            raise failed from error

    def require_marker(self, text: str) -> None:
        """See that an answer is what it should be.

        Raises:
            UpdateSourceError: it lacks the text by which a good answer is known.
        """
        marker = self._settings.marker
        if marker and unicodedata.normalize("NFC", marker) not in unicodedata.normalize("NFC", text):
            raise source_error(
                self._source_id,
                msg(
                    "its answer lacks the marker {marker}: it may be a maintenance or login page",
                    marker=bounded(marker),
                ),
                msg("Open the address in a browser; if the page is right, correct 'marker'."),
            )

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(self._limit + 1)
        except OSError as error:
            raise source_error(
                self._source_id, msg("cannot read {file}: {cause}", file=bounded(path), cause=cause_of(error))
            ) from error
        if len(data) > self._limit:
            raise source_error(self._source_id, msg("the answer is larger than {limit} MiB", limit=self._limit >> 20))
        return data


def _as_evidence(url: str, error: WebUnavailable) -> bytes:
    """Return what is kept of an answer that is not the page: from where, its status, and how it begins."""
    kept = {
        "url": url,
        "redirected_to": error.via,
        "status": error.status,
        "beginning": error.beginning.decode("utf-8", "backslashreplace"),
    }
    return json.dumps(kept, ensure_ascii=False).encode()


S = TypeVar("S", bound=PageSettings)


class PageSource(WrittenDates, Generic[S]):
    """One page that shows the newest items: what every kind of such pages does alike."""

    accept: ClassVar[str]
    """The media types that are asked for."""
    limit_bytes: ClassVar[int] = LIMIT_BYTES

    def __init__(self, source_id: str, settings: S, *, zone: ZoneInfo, web: Web, cross_check: bool = False) -> None:
        self._settings = settings
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(source_id, complete=False, cross_check=cross_check, host=settings.host)
        self._door = PageReader(source_id, settings, web, limit_bytes=self.limit_bytes)

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        return self._door.answer(accept=self.accept, etag=etag)


_DECLARED = re.compile(rb"""(?:encoding|charset)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)


def text_of(data: bytes) -> str:
    """Return an answer as text, by its byte-order mark, as UTF-8, or as it says of itself; what does not fit is replaced."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        declared = _DECLARED.search(data[:2048])
    try:
        return data.decode(declared[1].decode("ascii") if declared else "utf-8", "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
