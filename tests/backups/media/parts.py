"""Tables of the media that are elsewhere: an object store, a host over SFTP.

Nothing is tried again unless a test asks for it, so that what fails is told at once.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from contextlib import closing
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tests.servers import ObjectStore, SshHost, user_name


def secret(folder: Path, name: str, value: str) -> dict[str, str]:
    """Write a secret's file and return the reference to it."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(f"{value}\n", encoding="utf-8")
    return {"file": str(path)}


def s3_table(
    store: ObjectStore, bucket: str, folder: Path, *, user: str = "writer", **more: object
) -> dict[str, object]:
    """Return the settings of a bucket, as one of the store's users."""
    return {
        "endpoint": store.endpoint,
        "bucket": bucket,
        "access_key": secret(folder, f"{user}.id", f"{user}-id"),
        "secret_key": secret(folder, f"{user}.secret", f"{user}-secret"),
        "tries": 1,
        **more,
    }


def sftp_table(host: SshHost, folder: Path, **more: object) -> dict[str, object]:
    """Return the settings of a folder on a host."""
    return {
        "host": "127.0.0.1",
        "port": host.port,
        "user": user_name(),
        "identity_file": str(host.folder / "client"),
        "host_key": host.host_key,
        "folder": str(folder),
        "tries": 1,
        **more,
    }


Rule = Callable[[str, str], "bytes | float | str | None"]
"""What happens to a request of this method and path: an answer in its place, seconds of waiting, the name of a header
that is taken out of its answer, or nothing."""


class S3Proxy:
    """Stands before an object store and does to its answers what is asked for; what is signed goes through unchanged."""

    def __init__(self, store: ObjectStore) -> None:
        self.rule: Rule = lambda _method, _path: None
        self.cut_bodies = 0
        """How many bodies of answers to GET are still to be cut in half."""
        self.flip_bodies = False
        """Answers to GET have their last byte changed."""
        self.wanted_of_locked = ""
        """A header without which no body is taken that is to be locked; parts of an object count too."""
        self.wanted_count = 0
        self.seen: list[str] = []
        proxy, upstream = self, urlsplit(store.endpoint)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.seen.append(f"{self.command} {self.path}")
                asked = proxy.rule(self.command, self.path) or proxy._missed(self.command, self.path, self.headers)
                if isinstance(asked, bytes):
                    self.close_connection = True
                    self.wfile.write(asked)
                    return
                if isinstance(asked, float):
                    time.sleep(asked)
                with closing(http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=60)) as link:
                    link.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() != "expect":
                            link.putheader(name, value)
                    link.endheaders(body)
                    self._pass_on(link.getresponse(), asked if isinstance(asked, str) else "")

            def _pass_on(self, answer: http.client.HTTPResponse, without: str) -> None:
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "content-length", "connection", without}:
                        self.send_header(name, value)
                size = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
                self.send_header("Content-Length", size or "0")
                self.end_headers()
                if self.command == "GET" and body and "list" not in self.path and "versions" not in self.path:
                    if proxy.flip_bodies:
                        body = body[:-1] + bytes([body[-1] ^ 1])
                    if proxy.cut_bodies:
                        proxy.cut_bodies -= 1
                        self.close_connection = True
                        body = body[: len(body) // 2]
                self.wfile.write(body)

            do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815  # the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's word
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # whoever asked has hung up

        self._server = Server(("127.0.0.1", 0), Handler)
        self.store = ObjectStore(f"http://127.0.0.1:{self._server.server_port}")
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _missed(self, method: str, path: str, headers: Message) -> bytes | None:
        """Return the refusal of a request without a header that it needs."""
        is_part = "uploadId=" in path or "retention" in path
        if not self.wanted_of_locked or method != "PUT" or not (is_part or headers["x-amz-object-lock-mode"]):
            return None
        self.wanted_count += 1
        return None if headers[self.wanted_of_locked] else answer(400, "InvalidRequest")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(status: int, code: str) -> bytes:
    """Return an error as S3 sends it."""
    body = f"<Error><Code>{code}</Code><Message>said by the test</Message></Error>"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()
