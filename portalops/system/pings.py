"""A short message to a server of one's own choice: one POST, one deadline for all of it, and nothing followed.

For addresses that are secrets: no error tells any part of one. Names are looked up, connected, secured, asked and heard within
the deadline; an HTTP library bounds each of these, and not their sum. Proxies of the environment are not used.

Sources: RFC 9110 (sections 9.3.3, 15), RFC 9112.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from portalops import __version__
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.system.resolving import MOST_ADDRESSES, resolve

MAX_ANSWER_BYTES = 8 << 10
"""What is read of an answer at most: its status and the beginning of its body."""

OK = range(200, 300)
REDIRECTS = range(300, 400)


class PingFailed(Exception):
    """A message was not taken."""

    def __init__(self, cause: Message) -> None:
        super().__init__(str(cause))
        self.cause = cause
        """What was observed, bounded and escaped, without the address."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was taken apart."""

    secure: bool
    host: str
    port: int
    target: str
    """Path and query, as they are sent."""


def address_of(url: str) -> Address | None:
    """Return an http or https address taken apart; None if it is not one, or holds a name and password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    secure = parts.scheme == "https"
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.fragment:
        return None
    if not url.isascii() or any(sign.isspace() or not sign.isprintable() for sign in url):
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(secure, parts.hostname, port or (443 if secure else 80), target)


def ping(url: str, body: bytes, *, ca_file: Path | None, seconds: float) -> bytes:
    """Send a message and return the beginning of the answer's body.

    Args:
        url: http or https.
        body: text in UTF-8.
        ca_file: PEM certificates of the authorities to believe; those of the system if None.
        seconds: for all of it.

    Raises:
        PingFailed: it did not come through, or the answer's status is no success; a redirect is not followed.
    """
    address = address_of(url)
    if address is None:
        raise PingFailed(msg("its address is not an http or https address"))
    deadline = time.monotonic() + seconds
    try:
        return _asked(address, body, ca_file, deadline)
    except TimeoutError as error:
        raise PingFailed(msg("no answer within {seconds} seconds", seconds=round(seconds))) from error
    except ssl.SSLCertVerificationError as error:
        is_named = address.host in error.verify_message
        cause = msg("its certificate is for another name") if is_named else show_text(error.verify_message, 120)
        raise PingFailed(msg("its certificate is not valid: {cause}", cause=cause)) from error
    except ssl.SSLError as error:  # whose number is none of the system's
        cause = show_text(error.reason or type(error).__name__, 120)
        raise PingFailed(msg("its TLS is faulty: {cause}", cause=cause)) from error
    except socket.gaierror as error:
        raise PingFailed(msg("its name has no address")) from error
    except OSError as error:
        raise PingFailed(msg("no answer: {cause}", cause=cause_of(error))) from error
    except UnicodeError as error:
        raise PingFailed(msg("its name has no address")) from error


def _asked(address: Address, body: bytes, ca_file: Path | None, deadline: float) -> bytes:
    context = _trust(ca_file) if address.secure else None
    with ExitStack() as stack:
        sock = stack.enter_context(closing(_connected(address, deadline)))
        sock.settimeout(_left(deadline))
        if context is not None:
            sock = stack.enter_context(closing(context.wrap_socket(sock, server_hostname=address.host)))
        sock.settimeout(_left(deadline))
        sock.sendall(_request(address, body))
        return _checked(_heard(sock, deadline))


def _connected(address: Address, deadline: float) -> socket.socket:
    problem = OSError("it has no address")
    for family, place in resolve(address.host, address.port, seconds=_left(deadline))[:MOST_ADDRESSES]:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(_left(deadline))
            sock.connect(place)
        except TimeoutError:
            sock.close()
            raise
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:
        raise PingFailed(msg("ca_file holds no certificates in PEM")) from error
    except OSError as error:
        raise PingFailed(msg("ca_file cannot be read: {cause}", cause=cause_of(error))) from error


def _request(address: Address, body: bytes) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
    standard = 443 if address.secure else 80
    lines = (
        f"POST {address.target} HTTP/1.1",
        f"Host: {host}" if address.port == standard else f"Host: {host}:{address.port}",
        f"User-Agent: portalops/{__version__}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii") + body


def _heard(sock: socket.socket, deadline: float) -> bytes:
    """Return what a server says until it ends, or what is enough of it; what breaks off behind its head is enough too."""
    heard = b""
    while len(heard) < MAX_ANSWER_BYTES:
        sock.settimeout(_left(deadline))
        try:
            part = sock.recv(MAX_ANSWER_BYTES - len(heard))
        except TimeoutError:
            raise
        except OSError:
            if b"\r\n\r\n" in heard:
                break
            raise
        if not part:
            break
        heard += part
        if _is_whole(heard):
            break
    return heard


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value[:20])
    return False


def _checked(heard: bytes) -> bytes:
    head, _end, body = heard.partition(b"\r\n\r\n")
    line = head.split(b"\r\n")[0].split(b" ", 2)
    if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or len(line[1]) != 3 or not line[1].isdigit():
        raise PingFailed(msg("the answer is not HTTP"))
    status = int(line[1])
    if status in REDIRECTS:
        raise PingFailed(
            msg("it redirects to another address (HTTP status {status}), which is not followed", status=str(status))
        )
    if status not in OK:
        raise PingFailed(msg("the server answers with HTTP status {status}", status=str(status)))
    return body


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
