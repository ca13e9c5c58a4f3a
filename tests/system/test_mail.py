"""Mail for whoever the server takes it for, against a real mail server and against servers that break off."""

from __future__ import annotations

import base64
import email
import email.header
import email.policy
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import MailInDoubt, MailNotSent
from portalops.system.mail import MailSettings, new_message, send, send_to_any
from tests.anchors.certificates import authority, server
from tests.anchors.parts import AT, line_server, mail_server

AN, BINH = "an@so-tttt.example", "binh@ubnd.example"


def settings(port: int, **values: Any) -> MailSettings:
    given = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "portalops@khanhhoa.example"}
    return MailSettings.model_validate({**given, "recipients": [AN, BINH], "timeout_seconds": 10, **values})


def a_mail(chosen: MailSettings, text: str = "Tất cả đều đạt.\n", subject: str = "Báo cáo tuần") -> EmailMessage:
    return new_message(chosen, subject=subject, text=text, at=AT, message_id="portalops.report.1")


def test_who_is_refused_keeps_nobody_else_from_getting_it() -> None:
    with mail_server() as box:
        box.refused = BINH
        chosen = settings(box.port)
        delivery = send_to_any(chosen, a_mail(chosen), environment={})

    assert delivery.recipients == (AN,)
    assert delivery.refused == ((BINH, "550 5.1.1 no such mailbox"),)
    assert delivery.answer == "250 2.0.0 Ok: queued as 4C0FFEE"
    assert (box.recipients, len(box.mails)) == ([AN], 1)


def test_where_everybody_is_refused_no_mail_is_handed_over() -> None:
    with mail_server() as box:
        box.refused = AN
        chosen = settings(box.port, recipients=[AN])
        delivery = send_to_any(chosen, a_mail(chosen), environment={})

    assert (delivery.recipients, delivery.answer) == ((), "")
    assert box.mails == []


def test_a_mail_that_the_server_has_no_room_for_is_not_handed_over() -> None:
    with mail_server(most_bytes=2048) as box:
        chosen = settings(box.port)
        with pytest.raises(
            MailNotSent, match=r"the mail has 1\d\.\d KiB, but the server accepts at most 2\.0 KiB"
        ) as refused:
            send_to_any(chosen, a_mail(chosen, "x" * 70 + "\n" + "y" * 12_000), environment={})

    assert "Attach less" in str(refused.value.hint)
    assert not isinstance(refused.value, MailInDoubt)
    assert box.mails == []


def test_the_mail_is_of_seven_bits_whatever_its_words() -> None:
    with mail_server() as box:
        chosen = settings(box.port)
        send_to_any(chosen, a_mail(chosen, subject="Báo cáo\r\nBcc: x@y.example \u202e"), environment={})

    (data,) = box.mails
    assert data.isascii()
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message["Subject"] == r"Báo cáo\r\nBcc: x@y.example \u202e"
    assert message["Bcc"] is None
    body = message.get_body()
    assert body is not None
    assert body.get_content() == "Tất cả đều đạt.\r\n"


LONG = (
    "[Cổng Khánh Hòa] Báo cáo tình hình thực hiện các nhiệm vụ về quản lý và vận hành Cổng thông tin điện tử, từ ngày"
    " 16/11/2026 đến ngày 22/11/2026, Sở Y tế"
)


def test_a_subject_loses_no_letter_and_no_space_however_long_it_is() -> None:
    chosen = settings(25)
    for subject in (*(LONG[:end] for end in range(1, len(LONG) + 1)), "a" * 190, "x y " * 40 + "z", "é" * 190):
        data = a_mail(chosen, subject=subject).as_bytes()

        lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        parts = email.header.decode_header(email.message_from_bytes(data)["Subject"])
        read = "".join(part.decode(charset or "ascii") if isinstance(part, bytes) else part for part, charset in parts)
        assert read.strip() == subject.strip()
        assert all(len(line) <= 78 for line in lines)
        assert data.isascii()


Talk = Callable[[socket.socket], None]


def until_the_mail_is_there(connection: socket.socket, answer: bytes) -> None:
    """Take a mail as a server does, and say something of one's own behind it; nothing: hang up."""
    lines = connection.makefile("rb")
    connection.sendall(b"220 mx.example\r\n")
    for line in lines:
        if line.upper().startswith(b"DATA"):
            break
        connection.sendall(b"250 mx.example\r\n")
    connection.sendall(b"354 go on\r\n")
    for line in lines:
        if line == b".\r\n":
            break
    if answer:
        connection.sendall(answer)
    else:
        connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "seconds", "said"),
    [
        (b"", 10, "sent no confirmation, so delivery is uncertain: it closed the connection"),
        (b"250-queued", 1, "sent no confirmation, so delivery is uncertain: no answer within 1 seconds"),
        (b"HTTP/1.1 200 OK\r\n", 10, "sent no confirmation, so delivery is uncertain: it answers -1"),
    ],
)
@pytest.mark.parametrize("sending", [send, send_to_any])
def test_a_server_that_has_the_mail_and_does_not_answer_leaves_it_in_doubt(
    sending: Callable[..., object], answer: bytes, seconds: int, said: str
) -> None:
    with line_server(lambda connection: until_the_mail_is_there(connection, answer)) as port:
        chosen = settings(port, timeout_seconds=seconds)
        with pytest.raises(MailInDoubt, match=said) as doubt:
            sending(chosen, a_mail(chosen), environment={})

    assert "Before you send the mail again" in str(doubt.value.hint)


@pytest.mark.parametrize("answer", [b"552 5.3.4 message too big\r\n", b"451 4.3.0 try later\r\n"])
def test_a_no_to_the_whole_mail_is_no_doubt(answer: bytes) -> None:
    with line_server(lambda connection: until_the_mail_is_there(connection, answer)) as port:
        chosen = settings(port)
        with pytest.raises(MailNotSent, match=f"it answers {answer[:3].decode()}") as refused:
            send_to_any(chosen, a_mail(chosen), environment={})

    assert not isinstance(refused.value, MailInDoubt)
    assert ("Attach less" in str(refused.value.hint)) == answer.startswith(b"552")


def test_a_password_that_the_server_repeats_is_in_no_error(tmp_path: Path) -> None:
    root = authority("Mail root")
    certificate, key = server("127.0.0.1", root).write(tmp_path, "smtp")
    (tmp_path / "root.pem").write_bytes(root.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    said: list[str] = []

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure, secure.makefile("rwb") as lines:
            lines.write(b"220 mx\r\n")
            lines.flush()
            for line in lines:
                word = line.strip().decode()
                said.append(word)
                again = base64.b64encode(b"an-bi-mat-7").decode()
                refusal = f"535 no: {word}, which is an-bi-mat-7, or {again}\r\n".encode()
                lines.write(b"250-mx\r\n250 AUTH PLAIN\r\n" if word.lower().startswith("ehlo") else refusal)
                lines.flush()

    (tmp_path / "secret").write_text("an-bi-mat-7\n")
    (tmp_path / "secret").chmod(0o600)
    with line_server(talk) as port:
        chosen = MailSettings.model_validate(
            {
                "host": "127.0.0.1", "port": port, "security": "tls", "sender": "portalops@khanhhoa.example",
                "recipients": [AN], "timeout_seconds": 10, "user": "portalops", "password": {"file": "secret"},
                "ca_file": "root.pem",
            },
            context={"folder": tmp_path},
        )  # fmt: skip
        with pytest.raises(MailNotSent) as refused:
            send(chosen, a_mail(chosen), environment={})

    sent = next(word for word in said if word.startswith("AUTH")).rpartition(" ")[2]
    told = f"{refused.value} {refused.value.hint}"
    assert base64.b64decode(sent) == b"\0portalops\0an-bi-mat-7"
    assert "535" in told
    assert [secret for secret in (sent, "an-bi-mat-7", "YW4tYmktbWF0LTc") if secret in told] == []
