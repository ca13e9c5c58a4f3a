"""A web server over real sockets that answers as it is told: with a page, with something broken, or never to an end."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

Reply = bytes | Callable[[Any], None]
"""The bytes of a whole answer; or what talks with a client by its socket."""


def answer(
    body: bytes = b"", *, status: str = "200 OK", headers: Mapping[str, str] | None = None, length: int | None = None
) -> bytes:
    """Return an answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


NOT_FOUND = answer(status="404 Not Found")


def redirect(to: str, status: str = "302 Found") -> bytes:
    return answer(status=status, headers={"Location": to})


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@dataclass
class WebServer:
    """What it answers at each path, and what it was asked."""

    pages: dict[str, Reply] = field(default_factory=dict)
    marks: dict[str, dict[str, str]] = field(default_factory=dict)
    """Headers of a page by which its client may ask whether it has changed: ETag or Last-Modified."""
    asked: list[str] = field(default_factory=list)
    """Each request whole, without its end and its body."""
    bodies: list[bytes] = field(default_factory=list)
    """What came with each."""
    otherwise: Reply = NOT_FOUND
    """At every other path."""
    url: str = ""
    delay: float = 0.0
    """Seconds before each answer."""
    sent_bytes: int = 0
    at_once: int = 0
    most_at_once: int = 0
    """Requests that had no answer yet at the same time."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def paths(self) -> list[str]:
        return [request.split(" ")[1] for request in self.asked]

    def reply(self, request: str) -> Reply:
        path = request.split(" ")[1]
        marks = self.marks.get(path, {})
        fields = dict(line.split(": ", 1) for line in request.split("\r\n")[1:])
        asked = {"ETag": fields.get("If-None-Match"), "Last-Modified": fields.get("If-Modified-Since")}
        if any(asked[name] == value for name, value in marks.items()):
            return answer(status="304 Not Modified", headers=marks)
        found = self.pages.get(path, self.otherwise)
        return answer(found.partition(b"\r\n\r\n")[2], headers=marks) if marks and isinstance(found, bytes) else found

    def endless(self, head: bytes, part: bytes) -> Callable[[Any], None]:
        """Return what sends without end, until nobody listens."""

        def send(sock: Any) -> None:
            sock.sendall(head)
            while True:
                sock.sendall(part)
                self.sent_bytes += len(part)

        return send


@contextmanager
def held_port() -> Iterator[int]:
    """Hold a port on which nobody listens, for a server that goes and comes back; nobody else can take it meanwhile."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def web_server(certificate: Path | None = None, key: Path | None = None, *, port: int = 0) -> Iterator[WebServer]:
    """Start a server on this machine, under TLS if a certificate is given, on a port that is held or on any free one."""
    told = WebServer()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError, ssl.SSLError):
                self._answer()

        def _answer(self) -> None:
            sock = context.wrap_socket(self.request, server_side=True) if context else self.request
            heard = b""
            while b"\r\n\r\n" not in heard:
                part = sock.recv(65536)
                if not part:
                    return
                heard += part
            head, _end, body = heard.partition(b"\r\n\r\n")
            request = head.decode("latin-1")
            length = next(
                (int(line[15:]) for line in request.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            while len(body) < length and (part := sock.recv(65536)):
                body += part
            with told.lock:
                told.asked.append(request)
                told.bodies.append(body)
                told.at_once += 1
                told.most_at_once = max(told.most_at_once, told.at_once)
            time.sleep(told.delay)
            with told.lock:
                told.at_once -= 1
            reply = told.reply(request)
            if isinstance(reply, bytes):
                sock.sendall(reply)
            else:
                reply(sock)
            if context:
                sock.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        allow_reuse_port = port != 0
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", port), Handler) as server:
        told.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
