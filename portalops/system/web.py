"""Pages of web servers that nobody trusts: `ports.Web` over sockets.

A server may send without end, drip a byte a minute, pack a gigabyte into a megabyte, or lead to an address inside the own
network. So one deadline holds for all that is done for a page, no more than the limit is ever held, and what is connected to
is the very address that was checked: asking for the name a second time could give another one. An HTTP library does none of
these three. Proxies of the environment are not used, since a proxy would choose the address.

Sources: RFC 9110 (sections 8.8, 13.1, 15.4), RFC 9112, RFC 1952.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore, Lock

import certifi
import httpx

from portalops import __version__
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Network, WebPage, WebUnavailable
from portalops.system.network import SocketNetwork

MAX_CONNECTIONS = 20
MAX_TO_ONE_NAME = 2
MAX_REDIRECTS = 5
SECONDS = 30.0
"""For a page: names, connections, redirects and the body."""
CONNECT_SECONDS = 10.0
"""For each address of a name."""
AGENT = f"portalops/{__version__}"

_CHUNK_BYTES = 1 << 16
_BEGINNING_BYTES = 16 << 10
"""Of an answer that is not the page, or not a whole one: enough for what it says."""
_HEARD_BYTES = 64 << 10
"""Of what a server sends, its head with it, that is kept until it is known whether the page came."""
_MAX_MARK = 500
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = IPv6Network("64:ff9b::/96")


class HttpWeb:
    """The web as it is reached from this machine."""

    def __init__(
        self, network: Network | None = None, *, seconds: float = SECONDS, wait_seconds: float = SECONDS
    ) -> None:
        """Open the door; nothing is asked yet.

        Args:
            network: resolves names to addresses.
            seconds: for each page.
            wait_seconds: for one of the connections that may be open at once.
        """
        self._network = network or SocketNetwork()
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._all = BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = Lock()
        self._lanes: dict[str, BoundedSemaphore] = {}

    def get(self, url: str, *, accept: str, mark: str = "", limit_bytes: int, inside: bool = False) -> WebPage:
        if not self._all.acquire(timeout=self._wait_seconds):
            seconds = round(self._wait_seconds)
            raise WebUnavailable(
                msg("not polled: the maximum number of connections was open for {seconds} seconds", seconds=seconds)
            )
        try:
            deadline = time.monotonic() + self._seconds
            visit = _Visit(self, accept=accept, mark=mark, limit_bytes=limit_bytes, inside=inside, deadline=deadline)
            return visit.to(url)
        finally:
            self._all.release()

    def addresses(self, name: str) -> tuple[str, ...]:
        return self._network.addresses(name)

    @property
    def seconds(self) -> float:
        return self._seconds

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Return whom to believe: what the system trusts, and the public authorities that come with httpx."""
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context

    @contextmanager
    def lane(self, name: str, deadline: float) -> Iterator[None]:
        """Wait until a name may be connected to."""
        with self._lock:
            lane = self._lanes.setdefault(name, BoundedSemaphore(MAX_TO_ONE_NAME))
        if not lane.acquire(timeout=_left(deadline)):
            raise TimeoutError
        try:
            yield
        finally:
            lane.release()


class _Visit:
    """One page, from its address to its body."""

    def __init__(
        self, web: HttpWeb, *, accept: str, mark: str, limit_bytes: int, inside: bool, deadline: float
    ) -> None:
        self._web = web
        self._accept = accept
        self._mark = mark
        self._limit = limit_bytes
        self._inside = inside
        self._deadline = deadline
        self._via: list[str] = []
        self._own = ""
        """What kind of address the first server has."""
        self._answered: tuple[int, _Wire] | None = None
        """The status of the last answer, which redirects no further, and its result."""

    def to(self, text: str) -> WebPage:
        url = _url(text)
        if url is None:
            raise WebUnavailable(msg("{url} is not a web address", url=show_text(text, 200)))
        try:
            for _each in range(MAX_REDIRECTS + 1):
                found = self._ask(url)
                if isinstance(found, WebPage):
                    return found
                url = found
                self._via.append(show_text(str(url), 300))
        except WebUnavailable as error:
            raise self._failed(error.cause) from error
        except TimeoutError as error:
            raise self._failed(msg("no answer within {seconds} seconds", seconds=round(self._web.seconds))) from error
        except ssl.SSLCertVerificationError as error:
            raise self._failed(
                msg("its certificate is not valid: {cause}", cause=show_text(error.verify_message, 120))
            ) from error
        except http.client.HTTPException as error:
            cause = f"{type(error).__name__} {error}".strip()
            raise self._failed(msg("the answer is not HTTP: {cause}", cause=show_text(cause, 120))) from error
        except ssl.SSLError as error:  # whose number is none of the system's
            cause = show_text(error.reason or str(error), 120)
            raise self._failed(msg("its TLS is faulty: {cause}", cause=cause)) from error
        except OSError as error:
            raise self._failed(msg("no answer: {cause}", cause=cause_of(error))) from error
        except ValueError as error:
            cause = f"{type(error).__name__} {error}".strip()
            raise self._failed(msg("no answer: {cause}", cause=show_text(cause, 120))) from error
        raise self._failed(msg("it is redirected more than {limit} times", limit=MAX_REDIRECTS))

    def _failed(self, cause: Message) -> WebUnavailable:
        if self._answered is None:
            return WebUnavailable(cause, tuple(self._via))
        status, wire = self._answered
        return WebUnavailable(cause, tuple(self._via), status=status, beginning=_beginning(wire.heard))

    def _ask(self, url: httpx.URL) -> WebPage | httpx.URL:
        """Return the page, or where it is redirected to."""
        name = url.raw_host.decode("ascii")
        with ExitStack() as stack:
            stack.enter_context(self._web.lane(name, self._deadline))
            sock = stack.enter_context(closing(self._connected(url, self._allowed(url, name))))
            if url.scheme == "https":
                sock.settimeout(_left(self._deadline))
                sock = stack.enter_context(closing(self._web.trust.wrap_socket(sock, server_hostname=name)))
            sock.settimeout(_left(self._deadline))
            sock.sendall(self._request(url))
            wire = _Wire(sock, self._deadline)
            answer = http.client.HTTPResponse(wire, method="GET")  # type: ignore[arg-type]  # makefile is all it uses
            stack.enter_context(closing(answer))
            answer.begin()
            if answer.status in _REDIRECTS:
                return self._target(url, answer.getheader("Location", ""))
            if answer.status == http.client.NOT_MODIFIED and self._mark:
                return WebPage(None, self._mark, tuple(self._via))
            self._answered = answer.status, wire
            if answer.status != http.client.OK:
                with suppress(OSError, http.client.HTTPException):  # what could be had of it is enough
                    answer.read(_BEGINNING_BYTES)
                raise WebUnavailable(msg("the server answers with HTTP status {status}", status=answer.status))
            return WebPage(self._body(answer), _mark_of(answer), tuple(self._via))

    def _allowed(self, url: httpx.URL, name: str) -> tuple[str, ...]:
        """Return the addresses of a name that may be connected to.

        A name that has a public address is public, whatever else it claims to be.
        """
        addresses = self._web.addresses(name)
        if not addresses:
            raise WebUnavailable(msg("the name {host} has no address", host=show_text(name, 120)))
        if not self._own:
            kinds = [reach(each) for each in addresses]
            self._own = "public" if "public" in kinds else kinds[0]
            if self._own != "public" and not self._inside and not _is_given(name):
                raise WebUnavailable(
                    msg(
                        "the name {host} has the address {address}, which is not public; if the site is in your "
                        "own network, set inside = true",
                        host=show_text(name, 120),
                        address=addresses[0],
                    )
                )
            return tuple(each for each in addresses if reach(each) == self._own)
        allowed = tuple(each for each in addresses if reach(each) in {"public", self._own})
        if not allowed:
            raise WebUnavailable(
                msg(
                    "it is redirected to {url}, whose address {address} is in another network than the source's "
                    "own address",
                    url=show_text(str(url), 200),
                    address=addresses[0],
                )
            )
        return allowed

    def _connected(self, url: httpx.URL, addresses: tuple[str, ...]) -> socket.socket:
        port = url.port or (443 if url.scheme == "https" else 80)
        last: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=min(CONNECT_SECONDS, _left(self._deadline)))
            except OSError as error:
                last = error
        assert last is not None
        raise last

    def _request(self, url: httpx.URL) -> bytes:
        lines = [
            b"GET " + url.raw_path + b" HTTP/1.1",
            b"Host: " + url.netloc,
            f"User-Agent: {AGENT}".encode("ascii"),
            f"Accept: {self._accept}".encode("ascii"),
            b"Accept-Encoding: gzip",
            b"Connection: close",
        ]
        if self._mark:
            name = "If-Modified-Since" if _is_date(self._mark) else "If-None-Match"
            lines.append(f"{name}: {self._mark}".encode("latin-1"))
        return b"\r\n".join((*lines, b"", b""))

    @staticmethod
    def _target(url: httpx.URL, location: str) -> httpx.URL:
        text = location.encode("latin-1", "replace").decode("utf-8", "replace")  # as browsers read it
        target = _url(text, url)
        if target is None:
            raise WebUnavailable(msg("it is redirected to {url}, which is not a web address", url=show_text(text, 200)))
        return target

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
        parts = _parts(answer)
        if coding in {"gzip", "x-gzip"}:
            return gunzip(parts, self._limit)
        if coding != "identity":
            raise WebUnavailable(
                msg("the answer is compressed in a way that was not requested: {coding}", coding=show_text(coding, 40))
            )
        body = bytearray()
        for part in parts:
            body += part
            _require_room(len(body), self._limit)
        return bytes(body)


class _Raw(io.RawIOBase):
    """What a socket says, until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self.heard = bytearray()
        """How it began, at most `_HEARD_BYTES`."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what io.BufferedReader hands over
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(buffer)
        self.heard += buffer[: min(count, _HEARD_BYTES - len(self.heard))]
        return count


class _Wire:
    """A socket, where http.client wants one."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._raw = _Raw(sock, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw, _CHUNK_BYTES)

    @property
    def heard(self) -> bytes:
        return bytes(self._raw.heard)


class _Heard:
    """What a server said, where http.client wants a socket."""

    def __init__(self, heard: bytes) -> None:
        self._heard = heard

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._heard)


def _beginning(heard: bytes) -> bytes:
    """Return the beginning of an answer's body, unpacked if it can be; what could be had of it."""
    data = b""
    with closing(http.client.HTTPResponse(_Heard(heard), method="GET")) as answer, suppress(http.client.HTTPException):  # type: ignore[arg-type]  # as above
        answer.begin()
        while len(data) < _BEGINNING_BYTES and (part := answer.read1(_BEGINNING_BYTES - len(data))):
            data += part
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _BEGINNING_BYTES)
    except zlib.error:
        return data


def gunzip(parts: Iterable[bytes], limit_bytes: int) -> bytes:
    """Unpack gzip, never holding more than the limit.

    Args:
        parts: the packed bytes, in order.
        limit_bytes: of what comes out.

    Raises:
        WebUnavailable: more would come out, it breaks off, or it is no gzip.
    """
    unpacked = bytearray()
    packer = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            while part:
                unpacked += packer.decompress(part, limit_bytes + 1 - len(unpacked))
                _require_room(len(unpacked), limit_bytes)
                part = packer.unconsumed_tail  # noqa: PLW2901  # what is left of it
                if packer.eof:
                    part = packer.unused_data  # noqa: PLW2901  # as above
                    if not part.startswith(b"\x1f"):  # no further member: padding
                        break
                    packer = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise WebUnavailable(
            msg("the answer cannot be decompressed: {cause}", cause=show_text(str(error), 120))
        ) from error
    if not packer.eof:
        raise WebUnavailable(msg("the answer is truncated"))
    return bytes(unpacked)


def reach(address: str) -> str:
    """Return what kind of network an address lies in: `public`, `private`, `loopback`, or `link-local`."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        else:
            found = found.ipv4_mapped or found.sixtofour or found
    if found.is_loopback or found.is_unspecified:
        return "loopback"
    if found.is_link_local:
        return "link-local"
    return "public" if found.is_global and not found.is_multicast else "private"


def _is_given(name: str) -> bool:
    """Say whether a name is an address itself, or this machine's own by RFC 6761: then nobody else decides where it leads."""
    try:
        ip_address(name)
    except ValueError:
        return name.rstrip(".").rpartition(".")[2] == "localhost"
    return True


def _parts(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while part := answer.read(_CHUNK_BYTES):
        yield part
    if answer.length:  # what its Content-Length still lacks
        raise WebUnavailable(msg("the answer is truncated"))


def _require_room(size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        raise WebUnavailable(msg("the answer is larger than {limit} MiB", limit=limit_bytes >> 20))


def _url(text: str, base: httpx.URL | None = None) -> httpx.URL | None:
    """Return an address that can be asked, or None."""
    try:
        url = httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        return None
    is_place = bool(url.host) and not url.userinfo and (url.port is None or 0 < url.port < 65536)
    is_good = is_place and url.scheme in {"http", "https"}
    return url.copy_with(fragment=None) if is_good else None


def _mark_of(answer: http.client.HTTPResponse) -> str:
    """Return the ETag, which beats Last-Modified; nothing of either that cannot be sent back as it is."""
    etag, modified = answer.getheader("ETag", "").strip(), answer.getheader("Last-Modified", "").strip()
    for mark in (etag, modified if _is_date(modified) else ""):
        if mark and len(mark) <= _MAX_MARK and re.fullmatch(r"[\x20-\x7e\xa0-\xff]+", mark):
            return mark
    return ""


def _is_date(mark: str) -> bool:
    try:
        parsedate_to_datetime(mark)
    except (ValueError, OverflowError):
        return False
    return True


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
