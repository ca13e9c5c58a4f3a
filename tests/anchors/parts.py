"""Real parts that anchors are tried against: a mail server, a time-stamping authority, an object store; and heads for them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from portalops.anchors import AnchorContext, build_anchor
from portalops.config.tables import KindTable
from portalops.ledger.heads import NAMESPACE, text_of
from portalops.ledger.record import GENESIS
from portalops.model.heads import Head, RecordedHead, SignedHead
from portalops.model.organisation import Name, Portal
from portalops.model.record import Digest
from portalops.ports import Anchor, Clock
from portalops.signatures.sshsig import SigningKey, sign
from portalops.system.clock import SystemClock
from tests.anchors.certificates import Issued
from tests.doubles import FixedClock
from tests.servers import ObjectStore, free_port

PORTAL = Portal(
    "khanhhoa", Name("Cổng thông tin điện tử tỉnh Khánh Hòa", "Khanh Hoa province portal"), "Asia/Ho_Chi_Minh"
)
LEDGER = "5f0c" * 8
AT = datetime(2026, 11, 25, 1, 32, tzinfo=UTC)


def signing_key() -> SigningKey:
    """Make a key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKey.of(Ed25519PrivateKey.generate())


KEY = signing_key()


def a_head(size: int = 412, *, digest: str = "9f3a" * 16, ledger: str = LEDGER, at: datetime = AT) -> RecordedHead:
    """Return a signed head."""
    head = Head(ledger, size, Digest(digest), at, GENESIS)
    text = text_of(head)
    return RecordedHead(size + 1, head, SignedHead(text, sign(text.encode(), KEY, NAMESPACE)))


def an_anchor(
    kind: str,
    values: dict[str, Any],
    folder: Path,
    *,
    clock: Clock | None = None,
    environment: dict[str, str] | None = None,
) -> Anchor:
    """Return the anchor that a table of these values describes."""
    context = AnchorContext(PORTAL, clock or FixedClock(AT), environment or {})
    return build_anchor(KindTable.alone("far-away", kind, values, folder), context)


# --- Mail ---------------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """What a mail server took, and how it behaves."""

    host: str = "127.0.0.1"
    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refused: str = ""
    """A recipient that it refuses."""
    full: bool = False
    """It refuses every mail after its data."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address == self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.full:
            return "452 4.3.1 the mailbox is full"
        self.mails.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        return "250 2.0.0 Ok: queued as 4C0FFEE"


@contextlib.contextmanager
def mail_server(
    *,
    tls: Issued | None = None,
    implicit: bool = False,
    login: tuple[str, str] | None = None,
    folder: Path | None = None,
    most_bytes: int | None = None,
) -> Iterator[Mailbox]:
    """Run a mail server.

    Args:
        tls: its certificate; without one it offers no STARTTLS.
        implicit: TLS from the first byte.
        login: the only user and password.
        folder: where the certificate is written.
        most_bytes: the largest mail that it says it takes; 32 MiB unless given.
    """
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    box = Mailbox(port=free_port())
    context = None
    if tls is not None:
        assert folder is not None
        certificate, key = tls.write(folder, "smtp")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        given = (data.login.decode(), data.password.decode())
        box.logins.append(given[0])
        return AuthResult(success=given == login, handled=False)

    options: dict[str, Any] = {"ident": "test"}
    if most_bytes is not None:
        options |= {"data_size_limit": most_bytes}
    if login is not None:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": not implicit}
    if context is not None and not implicit:
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(
        box, hostname=box.host, port=box.port, ssl_context=context if implicit else None, ready_timeout=60, **options
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@contextlib.contextmanager
def line_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that talks to each caller as it is told, and return its port: for servers that misbehave."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            open_ones.append(connection)
            with contextlib.suppress(OSError):
                talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for connection in open_ones:
            connection.close()
        thread.join(5)


# --- Time stamps --------------------------------------------------------------------------------

Answering = Callable[[bytes], tuple[int, str, bytes]]
"""From a request to status, content type and body."""


class Authority:
    """A time-stamping authority: stock OpenSSL behind a small web server."""

    POLICY = "1.3.6.1.4.1.4146.2.3"
    REPLY = "application/timestamp-reply"

    def __init__(self, folder: Path, signer: Issued, chain: tuple[Issued, ...]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.url = ""
        self.requests: list[bytes] = []
        certificate, key = signer.write(folder, "tsa")
        (folder / "chain.pem").write_bytes(b"".join(each.pem for each in chain))
        (folder / "tsa.cnf").write_text(
            f"[tsa]\ndefault_tsa = one\n[one]\nserial = {folder}/serial\ncrypto_device = builtin\n"
            f"signer_cert = {certificate}\nsigner_key = {key}\ncerts = {folder}/chain.pem\nsigner_digest = sha256\n"
            f"default_policy = {self.POLICY}\ndigests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = yes\n"
            "ess_cert_id_chain = no\ness_cert_id_alg = sha256\n"
        )
        (folder / "serial").write_text("01\n")

    def reply(self, request: bytes) -> bytes:
        """Return OpenSSL's answer to a request."""
        (self.folder / "query.tsq").write_bytes(request)
        done = subprocess.run(
            ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "query.tsq"],
            check=False,
            capture_output=True,
        )
        assert done.stdout, done.stderr.decode()
        return done.stdout

    def request_over(self, data: bytes) -> bytes:
        """Return somebody else's request."""
        (self.folder / "other").write_bytes(data)
        return subprocess.run(
            ["openssl", "ts", "-query", "-data", self.folder / "other", "-sha256", "-cert"],
            check=True,
            capture_output=True,
        ).stdout

    def answer(self, request: bytes) -> tuple[int, str, bytes]:
        """Answer as an authority does."""
        self.requests.append(request)
        return 200, self.REPLY, self.reply(request)


@contextlib.contextmanager
def web_server(answering: Answering, *, endless: bool = False, slow: bool = False) -> Iterator[str]:
    """Run a web server that answers each POST, and return its address.

    Args:
        answering: gives status, type and body.
        endless: the body is sent again and again until the caller hangs up.
        slow: the body is sent byte by byte, one each 0.2 s.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = answering(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(1 << 30) if endless else str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                if slow:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        time.sleep(0.2)
                self.wfile.write(body)
                while endless:
                    self.wfile.write(body)
                    self.server.sent += len(body)  # type: ignore[attr-defined]

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.sent = 0  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr"
    finally:
        server.shutdown()
        server.server_close()


# --- Object store -------------------------------------------------------------------------------


def s3_values(store: ObjectStore, bucket: str, *, user: str = "writer") -> dict[str, Any]:
    """Return the table of an anchor on a store; the secrets are in `S3_ENVIRONMENT`."""
    return {
        "endpoint": store.endpoint,
        "bucket": bucket,
        "retain_days": 30,
        "access_key": {"env": f"{user.upper()}_ID"},
        "secret_key": {"env": f"{user.upper()}_SECRET"},
    }


S3_ENVIRONMENT = {
    f"{user.upper()}_{what.upper()}": f"{user}-{what}"
    for user in ("admin", "writer", "reader")
    for what in ("id", "secret")
} | {"WRONG_ID": "writer-id", "WRONG_SECRET": "another"}


def just_now() -> RecordedHead:
    """Return a head made now by the machine's clock, which the real parts have no other than."""
    now = SystemClock().now()
    return a_head(at=now.replace(microsecond=0))


__all__ = [
    "AT",
    "KEY",
    "LEDGER",
    "PORTAL",
    "S3_ENVIRONMENT",
    "Authority",
    "Mailbox",
    "a_head",
    "an_anchor",
    "just_now",
    "line_server",
    "mail_server",
    "s3_values",
    "web_server",
]
