"""Heads by mail, against a real mail server and against servers that misbehave."""

from __future__ import annotations

import email
import email.policy
import socket
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import AnchorUnavailable, ConfigurationError, SecretUnavailable
from portalops.model.heads import AnchorReceipt
from tests.anchors.certificates import Issued, authority, server
from tests.anchors.parts import Mailbox, a_head, an_anchor, line_server, mail_server
from tests.doubles import MemoryKeeper

CODE = "412-9f3a-9f3a-9f3a-9f3a-9f3a"
WHERE = {"sender": "portalops@khanhhoa.example", "recipients": ["van-thu@so-tttt.example", "luu-tru@ubnd.example"]}


@pytest.fixture(scope="module")
def root() -> Issued:
    return authority("Root of the tests")


@pytest.fixture(scope="module")
def ca_file(root: Issued, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(root.write(tmp_path_factory.mktemp("ca"), "root")[0])


@pytest.fixture
def certificate(root: Issued) -> Issued:
    return server("mail server", root)


def publish(folder: Path, port: int, environment: dict[str, str] | None = None, **values: Any) -> AnchorReceipt:
    table = {"host": "127.0.0.1", "port": port, "timeout_seconds": 10, **WHERE, **values}
    return an_anchor("mail", table, folder, environment=environment).publish(a_head(), MemoryKeeper())


def parsed(box: Mailbox) -> EmailMessage:
    (data,) = box.mails
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_mail_bears_the_code_and_the_exact_head_and_signature(tmp_path: Path) -> None:
    with mail_server() as box:
        receipt = publish(tmp_path, box.port, security="none")

    message, head = parsed(box), a_head()
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert CODE in message["Subject"]
    assert attached == {
        "0000000412.txt": head.signed.text.encode(),
        "0000000412.sig": head.signed.signature.encode(),
    }
    assert message["Message-ID"] == receipt.details["message_id"]
    assert receipt.details["answer"] == "250 2.0.0 Ok: queued as 4C0FFEE"
    assert box.recipients == WHERE["recipients"]


def test_the_mail_says_in_both_languages_what_it_is_for(tmp_path: Path) -> None:
    with mail_server() as box:
        publish(tmp_path, box.port, security="none")

    message = parsed(box)
    body = message.get_body()
    assert body is not None
    text = body.get_content()
    assert "Cổng thông tin điện tử tỉnh Khánh Hòa" in text
    assert "Đề nghị lưu giữ thư này, không xóa, không sửa." in text
    assert "Please keep this mail" in text
    assert a_head().signed.text in text.replace("\r\n", "\n")
    assert message["Auto-Submitted"] == "auto-generated"


def test_what_was_sent_is_kept_as_evidence(tmp_path: Path) -> None:
    keeper = MemoryKeeper()
    with mail_server() as box:
        table = {"host": "127.0.0.1", "port": box.port, "security": "none", **WHERE}
        receipt = an_anchor("mail", table, tmp_path).publish(a_head(), keeper)

    assert (
        keeper.blobs[receipt.evidence[0]].split(b"\r\n\r\n", 1)[1].strip()
        == box.mails[0].split(b"\r\n\r\n", 1)[1].strip()
    )


def test_a_head_that_is_sent_again_bears_the_same_message_id(tmp_path: Path) -> None:
    with mail_server() as box:
        first = publish(tmp_path, box.port, security="none")
        second = publish(tmp_path, box.port, security="none")

    assert first.details["message_id"] == second.details["message_id"]


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS"
)  # the server's own, where TLS is there first
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_with_a_login(tmp_path: Path, security: str, certificate: Issued, ca_file: str) -> None:
    secrets = {"user": "portalops", "password": {"env": "MAIL_PASSWORD"}}
    with mail_server(
        tls=certificate, implicit=security == "tls", login=("portalops", "secret"), folder=tmp_path
    ) as box:
        receipt = publish(
            tmp_path, box.port, {"MAIL_PASSWORD": "secret"}, security=security, ca_file=ca_file, **secrets
        )

    assert box.logins == ["portalops"]
    assert receipt.problem == ""


def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path, certificate: Issued, ca_file: str) -> None:
    secrets = {"user": "portalops", "password": {"env": "MAIL_PASSWORD"}, "ca_file": ca_file}
    with (
        mail_server(tls=certificate, login=("portalops", "secret"), folder=tmp_path) as box,
        pytest.raises(AnchorUnavailable) as refused,
    ):
        publish(tmp_path, box.port, {"MAIL_PASSWORD": "hunter2"}, **secrets)

    assert "the login of portalops: it answers 535" in str(refused.value)
    assert "hunter2" not in str(refused.value) + str(refused.value.hint)
    assert box.mails == []


def test_a_password_that_is_not_there_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable):
        publish(tmp_path, 1, user="portalops", password={"env": "MAIL_PASSWORD"})


def test_an_untrusted_certificate_is_refused(tmp_path: Path, certificate: Issued) -> None:
    with (
        mail_server(tls=certificate, folder=tmp_path) as box,
        pytest.raises(AnchorUnavailable, match="its certificate is not trusted"),
    ):
        publish(tmp_path, box.port)

    assert box.mails == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path, certificate: Issued, ca_file: str) -> None:
    with (
        mail_server(tls=certificate, folder=tmp_path) as box,
        pytest.raises(AnchorUnavailable, match="not trusted"),
    ):
        publish(tmp_path, box.port, host="localhost", ca_file=ca_file)


def test_a_server_without_starttls_gets_nothing_in_the_clear(tmp_path: Path) -> None:
    with (
        mail_server() as box,
        pytest.raises(AnchorUnavailable, match="STARTTLS extension not supported") as refused,
    ):
        publish(tmp_path, box.port)

    assert box.mails == []
    assert "Nothing was sent unencrypted" in str(refused.value.hint)


def test_where_one_recipient_is_refused_nobody_gets_the_mail(tmp_path: Path) -> None:
    with mail_server() as box:
        box.refused = "luu-tru@ubnd.example"
        with pytest.raises(AnchorUnavailable, match=r"the recipient luu-tru@ubnd\.example: it answers 550"):
            publish(tmp_path, box.port, security="none")

    assert box.mails == []


def test_a_full_mailbox_is_said_in_the_servers_words(tmp_path: Path) -> None:
    with mail_server() as box:
        box.full = True
        with pytest.raises(
            AnchorUnavailable, match=r"the text of the mail: it answers 452 4\.3\.1 the mailbox is full"
        ):
            publish(tmp_path, box.port, security="none")


def silent(connection: socket.socket) -> None:
    """Take the call and say nothing."""


def dripping(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"2")
        time.sleep(0.2)


def dropping(connection: socket.socket) -> None:
    connection.sendall(b"220 ready\r\n")
    connection.recv(100)
    connection.shutdown(socket.SHUT_RDWR)


def chattering(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"220-and another thing\r\n" * 1000)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\x1b[31m\r\n\r\n")


@pytest.mark.parametrize(
    ("talk", "seconds", "said"),
    [
        (silent, 1, "no answer within 1 seconds"),
        (dripping, 1, "no answer within 1 seconds"),
        (dropping, 60, "it closed the connection"),
        (chattering, 60, "the answer does not end"),
        (garbage, 60, r"it answers -1"),
    ],
)
def test_a_server_that_misbehaves_gives_a_clear_error_in_time(
    tmp_path: Path, talk: Callable[[socket.socket], None], seconds: int, said: str
) -> None:
    began = time.monotonic()
    with line_server(talk) as port, pytest.raises(AnchorUnavailable, match=said) as refused:
        publish(tmp_path, port, security="none", timeout_seconds=seconds)

    assert time.monotonic() - began < 18
    assert "\x1b" not in str(refused.value)


def test_no_server_at_all(tmp_path: Path) -> None:
    with pytest.raises(AnchorUnavailable, match="Connection refused"):
        publish(tmp_path, 1, security="none")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"security": "none", "user": "a", "password": {"env": "A"}}, "would send the password unencrypted"),
        ({"user": "a"}, "needs both user and password"),
        ({"password": "hunter2", "user": "a"}, "contains the secret itself"),
        ({"recipients": []}, "recipients"),
        ({"recipients": ["van-thu@so.example\nBcc: x@y.example"]}, "recipients"),
        ({"sender": "Cổng <portal@khanhhoa.example>"}, "sender"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        publish(tmp_path, 25, **values)
