"""Ways that letters go, against real servers: good ones, and ones that refuse, hang, break off, or repeat what they were told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from portalops.config.tables import KindTable
from portalops.errors import (
    ConfigurationError,
    MailInDoubt,
    MailNotSent,
    NotificationNotSent,
    PortalOpsError,
    SecretUnavailable,
    UnknownKind,
)
from portalops.model.notifications import Level
from portalops.notify.channels import CHANNELS, ChannelContext, LetterChannel, build_channel
from portalops.notify.state import WaitingLetter
from tests.anchors.certificates import authority, server
from tests.anchors.parts import line_server, mail_server
from tests.servers import free_port

AN, BINH = "an@so-tttt.example", "binh@ubnd.example"
CANARY = "hunter2-canary"
LETTER = WaitingLetter(
    "portalops-notify-1", "on-duty", Level.FAILURE, "portalops demo: LỖI: sao-lưu", "Tất cả đều hỏng.\n- một\n",
    (), datetime(2026, 11, 25, 1, 32, tzinfo=UTC),
)  # fmt: skip


def mail(port: int, folder: Path, **values: Any) -> LetterChannel:
    given = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "portalops@khanhhoa.example",
        "recipients": [AN, BINH], "timeout_seconds": 5,
    }  # fmt: skip
    return build_channel(KindTable.alone("on-duty", "mail", given | values, folder), ChannelContext({}))


def chat(url: str, folder: Path, **values: Any) -> LetterChannel:
    given = {"url": {"env": "CHAT"}, "timeout_seconds": 20}
    return build_channel(KindTable.alone("chat", "apprise", given | values, folder), ChannelContext({"CHAT": url}))


def test_the_kinds_are_found_by_their_files() -> None:
    assert {"apprise", "mail"} <= set(CHANNELS.names())
    assert CHANNELS.load("mail").missing() is None
    assert CHANNELS.load("apprise").missing() is None
    with pytest.raises(UnknownKind, match="pigeon"):
        build_channel(KindTable.alone("x", "pigeon", {}, Path("/")), ChannelContext({}))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("mail", {"levels": ["everything"]}),
        ("mail", {"levels": []}),
        ("mail", {"levels": ["test"]}),
        ("mail", {"language": "fr"}),
        ("apprise", {}),
        ("apprise", {"url": "json://user:hunter2-canary@example.org/"}),
    ],
)
def test_a_wrong_table_is_refused_and_no_secret_is_shown(kind: str, values: dict[str, Any], tmp_path: Path) -> None:
    base = {"host": "127.0.0.1", "sender": AN, "recipients": [AN]} if kind == "mail" else {}

    with pytest.raises(ConfigurationError) as refused:
        build_channel(KindTable.alone("x", kind, base | values, tmp_path), ChannelContext({}))

    assert CANARY not in f"{refused.value} {refused.value.hint}"


def test_a_letter_by_mail_reaches_whom_the_server_takes_it_for(tmp_path: Path) -> None:
    with mail_server() as box:
        box.refused = BINH
        taken = mail(box.port, tmp_path).send(LETTER)

    assert (taken.recipients, taken.refused, taken.answer) == ((AN,), (BINH,), "250 2.0.0 Ok: queued as 4C0FFEE")
    assert b"Message-ID: <portalops-notify-1@khanhhoa.example>" in box.mails[0]
    assert b"Auto-Submitted: auto-generated" in box.mails[0]


def test_where_everybody_is_refused_nobody_was_told(tmp_path: Path) -> None:
    with mail_server() as box:
        box.refused = AN
        with pytest.raises(MailNotSent, match="refuses every recipient"):
            mail(box.port, tmp_path, recipients=[AN]).send(LETTER)


def test_a_certificate_that_is_not_trusted_ends_it_before_any_word_of_the_letter(tmp_path: Path) -> None:
    other = authority("Another root")
    (tmp_path / "root.pem").write_bytes(other.pem)
    with (
        mail_server(tls=server("127.0.0.1", authority("Mail root")), folder=tmp_path) as box,
        pytest.raises(MailNotSent, match="certificate is not trusted"),
    ):
        mail(box.port, tmp_path, security="starttls", ca_file="root.pem").send(LETTER)

    assert box.mails == []


def _hang(connection: socket.socket) -> None:
    connection.sendall(b"220 mx\r\n")


def _drip(connection: socket.socket) -> None:
    for _number in range(200):
        connection.sendall(b"220-still here\r\n")
        time.sleep(0.05)


def _break_off(connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as lines:
        lines.write(b"220 mx\r\n")
        lines.flush()
        for line in lines:
            if line == b".\r\n":
                return
            if line.split()[:1] and line.split()[0] in {b"ehlo", b"mail", b"rcpt", b"MAIL", b"RCPT", b"EHLO"}:
                lines.write(b"250 OK\r\n")
            elif line.strip().lower() == b"data":
                lines.write(b"354 go on\r\n")
            lines.flush()


@pytest.mark.parametrize(
    ("talk", "error"),
    [(_hang, MailNotSent), (_drip, MailNotSent), (_break_off, MailInDoubt)],
    ids=lambda each: each.__name__,
)
def test_a_server_that_hangs_or_breaks_off_costs_a_bounded_time(
    talk: Callable[[socket.socket], None], error: type[PortalOpsError], tmp_path: Path
) -> None:
    begun = time.monotonic()

    with line_server(talk) as port, pytest.raises(error) as told:
        mail(port, tmp_path, timeout_seconds=1).send(LETTER)

    assert type(told.value) is error
    assert time.monotonic() - begun < 6


@dataclass
class Hook:
    """A web hook that keeps what it is given."""

    port: int = 0
    given: list[Any] = field(default_factory=list)
    status: int = 200
    seconds: float = 0.0


@contextmanager
def web_hook(status: int = 200, seconds: float = 0.0) -> Iterator[Hook]:
    hook = Hook(status=status, seconds=seconds)
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.given.append(json.loads(body))
            if hook.seconds:  # drips a header at a time: no time limit of a single read ends that
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not stopped.wait(0.1):
                    self.wfile.write(b"X-Still: here\r\n")
                return
            self.send_response(hook.status)
            self.end_headers()
            self.wfile.write(f"you are {self.headers['Authorization']}".encode())

        def log_message(self, *_words: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = running.server_port
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        stopped.set()
        running.shutdown()
        running.server_close()


def test_a_letter_by_apprise_reaches_each_service_of_the_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with web_hook() as one, web_hook(status=500) as two:
        url = f"json://user:{CANARY}@127.0.0.1:{one.port}/ json://user:{CANARY}@127.0.0.1:{two.port}/"
        taken = chat(url, tmp_path).send(LETTER)

    assert (taken.recipients, taken.refused, taken.answer) == (("json",), ("json",), "")
    assert one.given[0]["title"] == LETTER.subject
    assert one.given[0]["message"] == LETTER.text.strip()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [401, 500])
def test_a_service_that_refuses_and_repeats_the_secret_shows_nothing_of_it(
    status: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with web_hook(status=status) as hook, pytest.raises(NotificationNotSent) as refused:
        chat(f"json://user:{CANARY}@127.0.0.1:{hook.port}/{CANARY}", tmp_path).send(LETTER)

    told = f"{refused.value} {refused.value.hint} {refused.value.__cause__} {refused.value.__context__}"
    assert "chat" in told
    assert "json" in told
    assert CANARY not in told
    assert not refused.value.in_doubt
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "url", ["hunter2-canary", "json://", "nonsense://hunter2-canary@host/", "file:///etc/passwd", "\n"]
)
def test_an_address_that_is_none_is_told_without_being_shown(url: str, tmp_path: Path) -> None:
    with pytest.raises(PortalOpsError) as refused:
        chat(url, tmp_path).send(LETTER)

    assert isinstance(refused.value, (NotificationNotSent, SecretUnavailable))
    assert CANARY not in f"{refused.value} {refused.value.hint}"


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotificationNotSent, match="refused by the service, or not reachable: json"):
        chat(f"json://user:{CANARY}@127.0.0.1:{free_port()}/", tmp_path).send(LETTER)


@pytest.mark.heavy
def test_a_service_that_drips_for_ever_is_ended_and_leaves_it_in_doubt(tmp_path: Path) -> None:
    begun = time.monotonic()

    with web_hook(seconds=60) as hook, pytest.raises(NotificationNotSent, match="no answer within 2 seconds") as late:
        chat(f"json://127.0.0.1:{hook.port}/", tmp_path, timeout_seconds=2).send(LETTER)

    assert late.value.in_doubt
    assert time.monotonic() - begun < 8
    assert CANARY not in str(late.value)


def test_a_secret_that_cannot_be_had_is_told_by_where_it_is(tmp_path: Path) -> None:
    table = KindTable.alone("chat", "apprise", {"url": {"file": "chat.secret"}}, tmp_path)
    (tmp_path / "chat.secret").write_text(f"json://user:{CANARY}@127.0.0.1/")
    (tmp_path / "chat.secret").chmod(0o644)
    channel = build_channel(table, ChannelContext({}))

    with pytest.raises(SecretUnavailable, match=r"can be read or changed by others") as refused:
        channel.send(LETTER)

    assert CANARY not in f"{refused.value} {refused.value.hint} {channel.to}"
