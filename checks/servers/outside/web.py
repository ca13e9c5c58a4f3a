"""HTTP as it is asked and reduced: one GET, and of the answer only what checks judge by.

Redirects are not followed. Bodies are untrusted, and of those that may hold secrets nothing is kept but what kind of
thing they are.

Sources: RFC 9110, RFC 9112.
"""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from checks.servers.redaction import redacted

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
VISITORS: Mapping[str, tuple[str, ...]] = {
    "browser": (f"User-Agent: {BROWSER}",),
    "crawler": ("User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",),
    "searcher": (
        "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
        "Referer: https://www.google.com/",
    ),
}
"""Spam that was planted is often shown to search engines alone, or to people with a phone who come from one."""
KEPT_HEADERS = (
    *("location", "content-type", "strict-transport-security", "content-security-policy", "x-frame-options"),
    *("x-content-type-options", "referrer-policy", "content-encoding", "last-modified"),
)
HEAD_BYTES = 64 << 10
"""Headers may take so much beside the body."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address of a page, taken apart."""

    is_tls: bool
    name: str
    port: int
    target: str
    """Path and query, as a request names it."""

    @property
    def text(self) -> str:
        """Return it as a person writes it."""
        usual = 443 if self.is_tls else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{'https' if self.is_tls else 'http'}://{self.name}{port}{self.target}"


def url_of(text: str) -> Url:
    """Take an address apart.

    Raises:
        ValueError: it is none of http or https.
    """
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise ValueError(text)
    is_tls = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(is_tls, parts.hostname, parts.port or (443 if is_tls else 80), target)


def request(url: Url, visitor: str = "browser") -> bytes:
    """Return a GET as it goes over the wire; the server is asked to hang up after its answer."""
    usual = 443 if url.is_tls else 80
    host = url.name if url.port == usual else f"{url.name}:{url.port}"
    lines = (
        f"GET {url.target} HTTP/1.1",
        f"Host: {host}",
        *VISITORS[visitor],
        "Accept: text/html,*/*;q=0.8",
        "Accept-Language: vi,en;q=0.5",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Those of `KEPT_HEADERS`, by name in lower case; what looks like a secret in them is starred out."""
    body: bytes


class _Heard:
    """Bytes that were heard, where http.client wants a socket."""

    def __init__(self, heard: bytes) -> None:
        self._heard = heard

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._heard)


def response_from(heard: bytes, limit_bytes: int) -> Response | None:
    """Read an answer, or return None where it is no HTTP or broke off in its head.

    Args:
        heard: the bytes; a body that broke off is as long as it is.
        limit_bytes: a longer body is cut.
    """
    answer = http.client.HTTPResponse(_Heard(heard), method="GET")  # type: ignore[arg-type]  # makefile is all it uses
    try:
        answer.begin()
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut:
            body = cut.partial
    except (http.client.HTTPException, ValueError, OSError):
        return None
    finally:
        answer.close()
    headers = {name: _clean(", ".join(answer.headers.get_all(name, ()))) for name in KEPT_HEADERS}
    return Response(answer.status, {name: value for name, value in headers.items() if value}, body[:limit_bytes])


def _clean(value: str) -> str:
    return redacted(value[:2000].encode("utf-8", "surrogateescape")).decode("utf-8", "replace")


def target_of_redirect(url: Url, location: str) -> Url | None:
    """Return where a redirect leads, or None where that is no address of a page."""
    try:
        return url_of(urljoin(url.text, location))
    except ValueError:
        return None


_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("git", re.compile(rb"\A(?:ref: refs/[^\s<]{1,200}|[0-9a-f]{40})\s*\Z")),
    ("svn", re.compile(rb"\A(?:\d{1,2}\n\s*dir\n|SQLite format 3\0)")),
    ("server-status", re.compile(rb"<title>Apache Status</title>|<h1>Apache Server Status for|\AActive connections: \d+")),
    ("sql-dump", re.compile(rb"(?m)^-- (?:MySQL|MariaDB|PostgreSQL database|SQLite) ?dump|^(?:CREATE TABLE|INSERT INTO) [`\"\w]|^COPY \w[\w.]* \(")),
    ("php-source", re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?php\b")),
    ("archive", re.compile(rb"\A(?:PK\x03\x04|\x1f\x8b\x08|\xfd7zXZ\x00|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07)")),
    ("ds-store", re.compile(rb"\A\x00\x00\x00\x01Bud1")),
)  # fmt: skip


_SETTING = re.compile(rb"[ \t]{0,8}(?:export )?[A-Za-z][A-Za-z0-9_]{2,60}=")


def signatures(body: bytes) -> tuple[str, ...]:
    """Name the kinds of things that must never be served and that a body is; what it says stays behind."""
    head = body[:32768]
    found = tuple(name for name, pattern in _SIGNATURES if pattern.search(head))
    return ("dotenv", *found) if _is_dotenv(head) else found


def _is_dotenv(head: bytes) -> bool:
    """Say whether the first line that is no remark sets a variable, as in a file of a program's environment."""
    lines = (line for line in head.splitlines() if line.strip() and not line.lstrip().startswith(b"#"))
    return _SETTING.match(next(lines, b"")) is not None
