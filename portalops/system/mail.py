"""Sends a mail through one SMTP server (RFC 5321), over verified TLS unless the configuration says otherwise.

    host = "mail.khanhhoa.gov.vn"
    security = "starttls"              # starttls | tls | none
    user = "portalops"
    password = { file = "/etc/portalops/mail.secret" }
    sender = "portalops@khanhhoa.gov.vn"
    recipients = ["van-thu@so-tttt.khanhhoa.gov.vn"]

By `send`, a mail is sent whole or not at all: where one recipient is refused, nobody gets it, so that
trying again sends nothing twice. By `send_to_any`, those that the server takes get it. A mail is never queued here;
what the server takes, the server delivers. A server that was given the whole mail and does not answer leaves open whether it took it.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated, Protocol, cast

from pydantic import Field, model_validator

from portalops.config.secrets import SecretReference
from portalops.config.values import LocalPath, RefusedValue, Shape, Text
from portalops.errors import MailInDoubt, MailNotSent
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, Message, msg, verbatim
from portalops.model.text import show_text

MAX_REPLY_BYTES = 64 << 10
"""A server's answer to one command; RFC 5321 asks for lines of at most 512 bytes, and there are few of them."""

ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$"
Address = Annotated[str, Field(pattern=ADDRESS)]
"""A mailbox in ASCII, without a display name (RFC 5321, section 4.1.2)."""


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    """It begins in the clear and is refused where the server has no STARTTLS (RFC 3207)."""
    TLS = "tls"
    """TLS from the first byte (RFC 8314)."""
    NONE = "none"
    """In the clear: for a server on this machine or in the same locked cabinet."""


PORTS: Mapping[Security, int] = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


class MailSettings(Shape):
    """How mail is sent, and to whom."""

    host: Text = Field(description="The mail server.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none, unless given."
    )
    security: Security = Field(default=Security.STARTTLS, description="starttls, tls or none.")
    ca_file: LocalPath | None = Field(
        default=None, description="PEM certificates that the server's is checked against, instead of the system's."
    )
    user: Text | None = Field(default=None, description="Who logs in; nobody does without it.")
    password: SecretReference | None = Field(default=None, description="The password of that user.")
    sender: Address = Field(description="The mailbox that the mail comes from.")
    recipients: tuple[Address, ...] = Field(min_length=1, max_length=20, description="Where it goes.")
    timeout_seconds: int = Field(default=60, ge=1, le=600, description="How long sending one mail may take in all.")

    @model_validator(mode="after")
    def _login_is_whole_and_protected(self) -> MailSettings:
        if (self.user is None) != (self.password is None):
            raise RefusedValue(msg("needs both user and password, or neither"), shows_value=False)
        if self.user is not None and self.security is Security.NONE:
            raise RefusedValue(
                msg("would send the password unencrypted"),
                msg('Set security = "starttls" or "tls", or use a server that asks for no password.'),
                shows_value=False,
            )
        return self

    @property
    def server(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port or PORTS[self.security]}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the server said when it took a mail over."""

    message_id: str
    answer: str
    """The server's own words, with their code; most servers name the mail in their queue. Empty if it took no recipient."""
    recipients: tuple[str, ...]
    """Those that it took."""
    refused: tuple[tuple[str, str], ...] = ()
    """Recipients that it refused, each with its words; empty after `send`."""


_SHORT = 60
"""Letters that stand beside the header's name in one line."""


class _Subject(UniqueUnstructuredHeader):
    """A subject whose letters outside of ASCII are encoded as a whole.

    The library's own way encodes word by word, and loses spaces where a long subject is broken into lines.
    """

    def fold(self, *, policy: Policy) -> str:
        text = str(self)
        charset = "us-ascii" if text.isascii() and len(text) < _SHORT else "utf-8"
        line = Header(text, charset, header_name="Subject", maxlinelen=policy.max_line_length or 78)
        return f"Subject: {line.encode(linesep=policy.linesep)}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    registry = HeaderRegistry()
    registry.map_to_type("subject", cast("type[BaseHeader]", _Subject))
    return SMTP.clone(header_factory=registry)


_POLICY = _policy()


def new_message(settings: MailSettings, *, subject: str, text: str, at: datetime, message_id: str) -> EmailMessage:
    """Return a mail without attachments, addressed as the settings say.

    Args:
        settings: from whom and to whom.
        subject: one line.
        text: the body.
        at: its date.
        message_id: unique in the world, without angle brackets; what is right of `@` is added. The same id lets
            mailboxes recognise a mail that is sent a second time.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Subject"] = show_text(subject, 200)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}@{settings.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice comes back
    # Not every server takes letters of eight bits (RFC 6152), and Vietnamese has them.
    message.set_content(text, cte=None if text.isascii() else "quoted-printable")
    return message


def send(settings: MailSettings, message: EmailMessage, *, environment: Mapping[str, str]) -> Delivery:
    """Hand a mail to the server, to all recipients or to none.

    Args:
        settings: server, login, sender and recipients.
        message: from `new_message`.
        environment: where the password may be.

    Raises:
        MailNotSent: the server cannot be reached, is not trusted, refuses, or does not end in time.
        SecretUnavailable: the password cannot be had.
    """
    return _handed_over(settings, message, environment, needs_all=True)


def send_to_any(settings: MailSettings, message: EmailMessage, *, environment: Mapping[str, str]) -> Delivery:
    """Hand a mail to the server for every recipient that it takes; it may take none.

    Args and what is raised as in `send`, but that a refused recipient is in the result.
    """
    return _handed_over(settings, message, environment, needs_all=False)


def _handed_over(
    settings: MailSettings, message: EmailMessage, environment: Mapping[str, str], *, needs_all: bool
) -> Delivery:
    password = settings.password.reveal(environment) if settings.password else ""
    data = message.as_bytes()
    taken: list[str] = []
    refused: list[tuple[str, str]] = []
    answer = ""
    with _session(settings, password) as (server, told):
        told.step = msg("the greeting")
        server.ehlo_or_helo_if_needed()
        if settings.user is not None:
            told.step = msg("the login of {user}", user=settings.user)
            server.login(settings.user, password)
        told.step = msg("the sender {sender}", sender=settings.sender)
        _demand(server.mail(settings.sender, server.size_option(len(data))), 250)
        for recipient in settings.recipients:
            told.step = msg("the recipient {recipient}", recipient=recipient)
            code, words = server.rcpt(recipient)
            if code in {250, 251}:
                taken.append(recipient)
            elif needs_all or not _is_refusal(code):
                raise smtplib.SMTPResponseException(code, words)
            else:
                refused.append((recipient, f"{code} {told.shown(words)}"))
        if taken:
            told.step = msg("the text of the mail")
            told.gave_the_mail = True
            code, words = server.data(data)
            _demand((code, words), 250)
            answer = f"{code} {told.shown(words)}"
    return Delivery(str(message["Message-ID"]), answer, tuple(taken), tuple(refused))


def _is_refusal(code: int) -> bool:
    """Say whether a code is a server's no, for now or for good (RFC 5321, section 4.2.1); any other is no answer."""
    return 400 <= code < 600


class _TooLarge(ValueError):
    """The server said that it takes no mail of this size (RFC 1870)."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size} > {most}")
        self.size = size
        self.most = most


@dataclass(slots=True)
class _Exchange:
    """The step of the exchange, for the error when it breaks off there."""

    step: Message
    secrets: tuple[str, ...] = ()
    """The login secrets as sent, in each encoding: the server's words may repeat them."""
    out_of_time: bool = False
    gave_the_mail: bool = False
    """The server may have all of the mail: unless it says no, whether it took it is not known."""

    def shown(self, words: bytes | str) -> str:
        """Return a server's words on one line, bounded, without the password."""
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        for secret in self.secrets:
            text = text.replace(secret, _BLOTTED)
        return show_text(text.replace("\n", " "), 300)


_BLOTTED = "***"


def _forms_of(user: str | None, password: str) -> tuple[str, ...]:
    """Return a password as it goes over the wire (RFC 4616, and AUTH LOGIN), the longest form first."""
    if not password:
        return ()
    plain = f"\0{user or ''}\0{password}".encode()
    coded = {base64.b64encode(each).decode() for each in (plain, password.encode())}
    return tuple(sorted({*coded, *(each.rstrip("=") for each in coded), password}, key=len, reverse=True))


@contextmanager
def _session(settings: MailSettings, password: str) -> Iterator[tuple[_Smtp, _Exchange]]:
    """Connect, and turn whatever goes wrong inside the block into one error that says what and where."""
    told = _Exchange(msg("the connection"), _forms_of(settings.user, password))
    server: _Smtp | None = None
    watchdog: threading.Timer | None = None
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        server = _Smtp(settings, context)

        def stop() -> None:
            told.out_of_time = True
            if server is not None:
                server.cut()

        watchdog = threading.Timer(settings.timeout_seconds, stop)
        watchdog.daemon = True
        watchdog.start()
        server.begin()
        yield server, told
        _leave(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise _not_sent(settings, told, error) from error
    finally:
        if watchdog is not None:
            watchdog.cancel()
        if server is not None:
            server.close()


def _leave(server: _Smtp) -> None:
    with suppress(OSError, smtplib.SMTPException):  # the mail was taken; no goodbye changes nothing
        server.quit()


class _Smtp(smtplib.SMTP):
    """An SMTP connection whose answers are bounded, and that another thread can cut."""

    def __init__(self, settings: MailSettings, context: ssl.SSLContext) -> None:
        domain = settings.sender.rpartition("@")[2]  # looking up this machine's own name may hang
        super().__init__(local_hostname=domain, timeout=settings.timeout_seconds + 1)  # the watchdog is first
        self._settings = settings
        self._context = context

    def begin(self) -> None:
        """Connect, and start TLS as configured."""
        host, port = self._settings.host, self._settings.port or PORTS[self._settings.security]
        self._host = host  # what the certificate must name
        _demand(self.connect(host, port), 220)
        if self._settings.security is Security.STARTTLS:
            self.ehlo()
            _demand(self.starttls(context=self._context), 220)

    def size_option(self, size: int) -> list[str]:
        """Return what tells the server a mail's size in bytes, where it wants to know (RFC 1870).

        Raises:
            _TooLarge: it has said that it takes less.
        """
        if not self.has_extn("size"):
            return []
        said = self.esmtp_features["size"].split(maxsplit=1)[:1]
        most = int(said[0]) if said and re.fullmatch(r"[0-9]{1,20}", said[0]) else 0  # 0 is no limit
        if 0 < most < size:
            raise _TooLarge(size, most)
        return [f"SIZE={size}"]

    def cut(self) -> None:
        """Close the connection under a waiting reader."""
        if self.sock is not None:
            with suppress(OSError):  # it is gone already
                self.sock.shutdown(socket.SHUT_RDWR)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = self.sock.makefile("rb")
        if self.file is not None:
            reader = self.file.reader if isinstance(self.file, _BoundedLines) else self.file
            self.file = _BoundedLines(reader)
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        if self._settings.security is Security.TLS:
            try:
                return self._context.wrap_socket(connection, server_hostname=host)
            except BaseException:  # an interrupt too
                connection.close()
                raise
        return connection


class _BoundedLines:
    """What one answer is read from: so many bytes and no more."""

    def __init__(self, reader: object) -> None:
        self.reader = cast("_Lines", reader)
        self._left = MAX_REPLY_BYTES

    def readline(self, size: int = -1) -> bytes:
        line = self.reader.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the answer does not end")
        return line

    def close(self) -> None:
        self.reader.close()


class _Lines(Protocol):
    def readline(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


def _demand(answer: tuple[int, bytes], *wanted: int) -> None:
    if answer[0] not in wanted:
        raise smtplib.SMTPResponseException(*answer)


def _not_sent(settings: MailSettings, told: _Exchange, error: Exception) -> MailNotSent:
    if isinstance(error, TimeoutError):
        told.out_of_time = True
    cause = msg("no answer within {n} seconds", n=settings.timeout_seconds) if told.out_of_time else _cause(error, told)
    server = show_text(settings.server, 100)
    is_answered = isinstance(error, smtplib.SMTPResponseException) and _is_refusal(error.smtp_code)
    if told.gave_the_mail and not is_answered:
        return MailInDoubt(
            msg("the mail server {server} sent no confirmation, so delivery is uncertain: {cause}", server=server, cause=cause),
            msg("Before you send the mail again, ask a recipient whether it arrived."),
        )  # fmt: skip
    return MailNotSent(
        msg("the mail server {server} refused the mail at this step: {step}: {cause}", server=server, step=told.step, cause=cause),
        _hint(settings, error),
    )  # fmt: skip


def _cause(error: Exception, told: _Exchange) -> Message:
    match error:
        case smtplib.SMTPResponseException():
            return msg("it answers {code} {words}", code=str(error.smtp_code), words=told.shown(error.smtp_error))
        case ssl.SSLCertVerificationError():
            return msg("its certificate is not trusted: {cause}", cause=show_text(error.verify_message or str(error)))
        case smtplib.SMTPServerDisconnected():
            return msg("it closed the connection: {cause}", cause=told.shown(str(error)))
        case _TooLarge():
            return msg(
                "the mail has {size}, but the server accepts at most {most}",
                size=ByteCount(error.size),
                most=ByteCount(error.most),
            )
        case smtplib.SMTPNotSupportedError():
            return msg("the server does not support this: {cause}", cause=told.shown(str(error)))
        case OSError():
            return cause_of(error)
        case _:
            return verbatim(told.shown(str(error) or type(error).__name__))


_TOO_MUCH = 552
"""The mail is larger than the server, or the mailbox, has room for (RFC 5321, section 4.2.3)."""
_SEND_LESS = msg("Attach less, or ask the operator of the mail server to accept larger mails.")


def _hint(settings: MailSettings, error: Exception) -> Message:
    match error:
        case ssl.SSLCertVerificationError():
            return msg("Name the certificate of the issuing authority in ca_file, or correct the host name.")
        case smtplib.SMTPNotSupportedError() if settings.security is Security.STARTTLS:
            return msg(
                'Set security = "tls" if the server supports it, or use another server. Nothing was sent unencrypted.'
            )
        case _TooLarge():
            return _SEND_LESS
        case smtplib.SMTPResponseException() if error.smtp_code == _TOO_MUCH:
            return _SEND_LESS
        case smtplib.SMTPAuthenticationError():
            return msg("Correct the user or the password that the configuration refers to.")
        case smtplib.SMTPResponseException():
            return msg("Ask the operator of the mail server about this answer.")
        case _:
            return msg("Check host, port and security, and that this machine reaches the server.")
