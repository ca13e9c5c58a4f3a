"""A mailbox that units send their submissions to (Article 9.1, grade D).

An item counts by INTERNALDATE, the moment at which the mail server took it; the header `Date:` is written by the sender and stays
a claim. A message counts once, however often its Message-ID comes; one that brings the same documents as another repeats it.

`units` says whose a sender is, and so do the units' `aliases`: an address (`vanthu@soyte.khanhhoa.example`), or a domain for all of
its addresses. A message of any other sender, and what a program sent by itself, belongs to no unit and counts for nobody; `updates list --flagged` shows it for review.
Where the name before the address, the address for answers or the domain is a unit's, it is open for that unit; beside an address of another unit, for both.
Of an address that no unit has, it is open also for at most three units whose names or addresses stand in its subject, the first and last lines of its text or among its
receivers. `outsiders` names addresses and domains whose mail is no unit's.

Who the sender is stands in the header `From:`, which nobody but the mail server can vouch for: let it refuse what fails SPF, DKIM
and DMARC, or name it in `checked_by`, and only what it says has passed belongs to a unit. Messages that were moved away before a look saw them do not count.

The first look, and any after the mailbox was made anew, goes back `days`; later ones ask for what came since. SEARCH knows whole
days without a zone, so a day more is asked for and the rest is left out here. Kept as evidence is what was read: headers,
INTERNALDATE, size and digest of each message, the beginning of its text and of its Word files, and names and digests of all files.
"""

from __future__ import annotations

import hashlib
import imaplib
import ipaddress
import json
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from imap_tools.errors import ImapToolsError, MailboxFetchError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox
from imap_tools.query import AND, U
from imap_tools.utils import check_command_status
from pydantic import Field, field_validator, model_validator

from checks.updates.dates import read_moment
from checks.updates.mail import BEGINNING_BYTES, AttachedFile, ReadMail, brings_something, read_mail, vouches
from checks.updates.mail_mentions import mentions
from checks.updates.mail_senders import named_sender
from checks.updates.mailed_again import says_again
from checks.updates.near_copies import LEAST_WORDS
from checks.updates.paper_numbers import (
    MOST_NUMBERS,
    bare_numbers_in_names,
    bare_numbers_in_text,
    numbers_in_names,
    numbers_in_text,
    read_bare_numbers,
    read_numbers,
)
from checks.updates.rules.grading import STUB_LETTERS
from checks.updates.source_settings import CommonSettings, bounded, source_error
from checks.updates.sources import UpdateSourceKind
from checks.updates.text import clean_line, count_letters
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.config.values import RefusedValue, Text
from portalops.json_text import read_json
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Digest
from portalops.model.updates import (
    PLACE,
    ItemChannel,
    ListedItem,
    Listing,
    RefusedItem,
    UpdateAnswer,
    UpdateSourceTraits,
)
from portalops.ports import Clock, Web
from portalops.system.clock import SystemClock

WITHIN = timedelta(minutes=3)
"""For one look; what is not read by then leaves the look failed."""
SILENCE_SECONDS = 30
"""A server that says nothing for so long has failed."""
MESSAGE_BYTES = 32 << 20
"""Of one message; mail servers take 20 to 30 MB. Of a larger one the beginning is read."""
POLL_BYTES = 256 << 20
"""Of all messages of one poll; behind that, and in the second half of its time, the beginning of each is read."""
READ_BYTES = POLL_BYTES + 2 * MESSAGE_BYTES
"""Of all that one connection says."""
MAX_MESSAGES = 2000
"""Of one poll, the newest ones; the poll covers no time before them."""
MAX_ID = 400
"""Characters of a Message-ID."""
PORTS = {"tls": 993, "starttls": 143, "none": 143}

LETTERHEAD = 300
"""Characters of a file in which its own number stands, in front of the papers that it rests on (Decree 30/2020/NĐ-CP)."""
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".heic", ".webp", ".tif", ".tiff")
"""How names of pictures end."""
NO_DOCUMENTS = (*PICTURES, ".ics", ".p7s", ".asc", ".vcf")
"""The same of files that are no papers: pictures, appointments, signatures and cards of addresses."""
_SIDE_FILE = re.compile(r"att\d{3,}\.(?:txt|html?|bin|dat)|winmail\.dat")
"""What mail programs put beside a text."""

_FETCHED = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_RECEIVED = re.compile(rb'INTERNALDATE "([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_MARK = re.compile(rf"{PLACE}(\d{{1,10}})\.(\d{{1,10}})\.(\d{{1,12}})")


_Names = TypeVar("_Names", Mapping[str, str], tuple[str, ...])


class Settings(CommonSettings):
    """`kind = "imap"`."""

    channel: ItemChannel = ItemChannel.SUBMISSION
    """What is sent in is a submission, unless it is said otherwise."""
    host: Text
    """The mail server."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """993, or 143 where the connection does not begin with TLS."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """`none` is for a server on this machine alone: the password would go over the network in clear."""
    user: Text
    """The account's name."""
    password: SecretReference
    """Where its password is kept."""
    checked_by: Text | None = None
    """The mail server whose word on the sender must be there: the name that its headers `Authentication-Results` begin with."""
    folder: Text = "INBOX"
    """The folder, as mail programs show it."""
    days: int = Field(default=35, ge=1, le=400)
    """How far back the first look goes."""
    outsiders: tuple[Text, ...] = ()
    """Addresses and domains whose mail is no unit's, whatever names stand in it."""
    ignore_gone: bool = False
    """What leaves the folder before a look is no unit's mail, as where a filter deletes spam; else it may be anybody's."""

    @field_validator("units", "outsiders")
    @classmethod
    def _senders(cls, names: _Names) -> _Names:
        for name in names:
            user, at, domain = name.rpartition("@")
            if not re.fullmatch(r"[^\s@]+\.[^\s@.]+", domain) or (at and not user) or re.search(r"[\s@]", user):
                raise RefusedValue(
                    msg("is neither a sender's address nor a domain: {name}", name=bounded(name)),
                    msg("Write vanthu@soyte.khanhhoa.example, or soyte.khanhhoa.example for all of its addresses."),
                )
        return names

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Settings:
        if self.security == "none" and not _is_this_machine(self.host):
            raise RefusedValue(
                msg("would send the password in clear to {host}", host=bounded(self.host)),
                msg('Use security = "tls" or "starttls"; "none" is for a server on this machine.'),
                shows_value=False,
            )
        return self


def build(source_id: str, table: KindTable, *, zone: ZoneInfo, web: Web) -> ImapSource:
    """Return the source that a configuration table describes."""
    del web  # it asks no web server
    return ImapSource(source_id, table.parse(Settings), zone=zone)


@dataclass(frozen=True, slots=True)
class _Received:
    """A message as the server lists it."""

    uid: int
    at: datetime
    size: int


class ImapSource:
    """One folder of a mailbox, opened for reading alone."""

    def __init__(self, source_id: str, settings: Settings, *, zone: ZoneInfo, clock: Clock | None = None) -> None:
        self._settings = settings
        self._rules = settings.date_rules(zone)
        self._clock = clock or SystemClock()
        self._units = frozenset(name.casefold() for name in settings.units)
        # A mail without a sender that its server vouches for is anybody's, who may send as many as he likes.
        self._traits = settings.traits(
            source_id,
            complete=False,
            attested=True,
            names_authors=False,
            outsiders=settings.outsiders,
            host=settings.host.lower(),
        )

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        now, until = self._clock.now(), self._clock.monotonic() + WITHIN.total_seconds()
        with self._mailbox(until) as box:
            validity, following = _number(box, "UIDVALIDITY"), _number(box, "UIDNEXT")
            since, first = self._asked_from(etag, validity, now)
            listed = self._listed(box, since, first)
            gone = _count_gone(listed, first, following) if first and not self._settings.ignore_gone else 0
            chosen = listed[-MAX_MESSAGES:]
            if len(listed) > len(chosen):
                since = listed[-MAX_MESSAGES - 1].at
            left = POLL_BYTES
            messages: list[dict[str, object]] = []
            unread: list[int] = []
            for one in chosen:
                is_early = self._clock.monotonic() < until - WITHIN.total_seconds() / 2
                wanted = MESSAGE_BYTES if is_early and left >= min(one.size, MESSAGE_BYTES) else BEGINNING_BYTES
                data = self._message(box, one.uid, wanted)
                if data is None:
                    unread.append(one.uid)
                    continue
                left -= len(data)
                messages.append(_as_data(one, data, read_mail(data), is_cut=len(data) >= wanted))
        answer = {
            "folder": self._settings.folder,
            "since": since.isoformat(),
            "messages": messages,
            "unread": unread,
            "gone": gone,
        }
        again = min((following, *unread))  # what was not given is asked for once more, with all behind it
        mark = f"{PLACE}{validity}.{again}.{int(now.timestamp())}" if validity and following else ""
        return UpdateAnswer(json.dumps(answer, ensure_ascii=False, indent=None).encode(), mark)

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        try:
            answer = read_json(data)
            since = datetime.fromisoformat(answer["since"])
            items = tuple(self._item(message) for message in answer["messages"])
            unread = tuple(
                RefusedItem(msg("message {number}: the server did not send it", number=int(uid)), f"uid {int(uid)}")
                for uid in answer["unread"]
            )
            gone = int(answer.get("gone", 0))  # answers of before have none
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise source_error(self._traits.id, msg("its kept answer cannot be read")) from error
        return Listing(items, unread, covers_from=since, doubt=_say_gone(gone) if gone else None)

    def _item(self, message: Mapping[str, object]) -> ListedItem:
        received = datetime.fromisoformat(str(message["received_at"]))
        mail = _as_mail(message)
        server = self._settings.checked_by
        is_vouched_for = server is None or vouches(mail.checks, server)
        is_open = mail.is_automatic and brings_something(mail)
        sender = mail.sender if is_vouched_for and (is_open or not mail.is_automatic) else ""
        subject = mail.subject.strip() or (mail.files[0].name if mail.files else "") or "-"
        papers = _papers_of(mail, subject)
        title = f"{subject}{papers}" if self._is_mapped(sender) else f"{subject}{papers} ({mail.sender or '?'})"
        names = "" if _shows_pictures_of_its_text(mail) else "\n".join(file.name for file in mail.files)
        return ListedItem(
            external_id=_identity(mail.message_id) or f"sha256:{message['digest']}",
            url="",
            title=title,
            published_at=read_moment(mail.date, self._rules) if mail.date else None,
            raw_date=mail.date,
            unit_name=named_sender(sender, (mail.sender_name, *mail.reply_to), self._mentions(mail, sender)),
            created_at=received,
            body="\n".join(filter(None, (mail.text, *(file.text for file in mail.files), names))),
            body_is_summary=bool(mail.broken) or any(_is_document(file) and not file.text for file in mail.files),
            is_automatic=is_open,
            is_sent_again=says_again(mail.subject, mail.text),
            files="" if mail.broken else " ".join(sorted(_telling_files(mail))),
        )

    def _mentions(self, mail: ReadMail, sender: str) -> tuple[str, ...]:
        """Return what a mail mentions of agencies; a sender that the settings know needs none, and the mailbox itself is none."""
        if self._is_mapped(sender):
            return ()
        own = self._settings.user.casefold().partition("@")[0]
        others = (one for one in mail.copied_to if one.partition("@")[0] != own)
        return mentions(mail.subject, mail.text, others)

    def _is_mapped(self, sender: str) -> bool:
        """Say whether the settings of this source know a sender, or its domain."""
        own = sender.casefold()
        return not self._units.isdisjoint({own, own.rpartition("@")[2]})

    def _asked_from(self, etag: str, validity: int, now: datetime) -> tuple[datetime, int]:
        """Return from when on the answer speaks, and the first number to ask for; 0 to ask by days."""
        mark = _MARK.fullmatch(etag)
        if mark and validity and int(mark[1]) == validity:
            return datetime.fromtimestamp(int(mark[3]), UTC), int(mark[2])
        return now - timedelta(days=self._settings.days), 0

    def _listed(self, box: BaseMailBox, since: datetime, first: int) -> list[_Received]:
        """Return the messages that are to be read, in the order in which they came in."""
        # SEARCH SINCE knows days alone, in a time zone that the server does not tell.
        day_before = since.date() - timedelta(days=1)
        criteria = AND(uid=U(str(first), "*")) if first else AND(date_gte=day_before)
        uids = [int(uid) for uid in box.uids(criteria, charset=None) if uid.isdigit() and int(uid) >= first]
        found: dict[int, _Received] = {}
        for start in range(0, len(uids), 500):
            some = ",".join(map(str, uids[start : start + 500]))
            answer = box.client.uid("FETCH", some, "(UID INTERNALDATE RFC822.SIZE)")
            check_command_status(answer, MailboxFetchError)  # else what is not told would pass for not there
            for line in answer[1]:
                one = _received(line)
                if one is not None and (first or one.at >= since):
                    found[one.uid] = one
        return sorted(found.values(), key=lambda one: (one.at, one.uid))

    def _message(self, box: BaseMailBox, uid: int, limit: int) -> bytes | None:
        """Return a message's first bytes without marking it as read; None if it is gone."""
        _status, parts = box.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{limit}>)")
        return next((part[1] for part in parts if isinstance(part, tuple)), None)

    def _log_in(self, box: BaseMailBox, password: str) -> None:
        user = self._settings.user
        log_in = box.login if (user + password).isascii() else box.login_utf8
        try:
            log_in(user, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise  # the connection broke, which says nothing of the password
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            raise source_error(
                self._traits.id,
                msg("{host} refused the login of {user}", host=bounded(self._settings.host), user=bounded(user)),
                msg("Check that user and password are right, and that the account may use IMAP."),
            ) from error

    @contextmanager
    def _mailbox(self, until: float) -> Iterator[BaseMailBox]:
        """Open the folder for reading.

        Raises:
            UpdateSourceError: it cannot be opened, or what the block asks fails.
            SecretUnavailable: the password cannot be had.
        """
        settings = self._settings
        password = settings.password.reveal(os.environ)
        host = bounded(settings.host)
        try:
            box = _open(settings, until=until, clock=self._clock)
            try:
                self._log_in(box, password)
                box.folder.set(settings.folder, readonly=True)
                yield box
            finally:
                with suppress(Exception):  # what was read was read, and a broken connection has its own error
                    box.logout()
                with suppress(Exception):  # a logout that fails leaves the connection open
                    box.client.shutdown()
        except MailboxFolderSelectError as error:
            raise source_error(
                self._traits.id,
                msg("{host} could not open the folder {folder}", host=host, folder=bounded(settings.folder)),
                msg("Name the folder as the mail program shows it, with the server's separator: INBOX/Tin bài."),
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise source_error(
                self._traits.id,
                msg("the certificate of {host} is not valid: {cause}", host=host, cause=bounded(error.verify_message)),
                msg("Renew it; if an authority of your own signed it, name that authority's file in SSL_CERT_FILE."),
            ) from error
        except (ImapToolsError, imaplib.IMAP4.error, OSError, EOFError) as error:
            hint = _log_hint(settings) if _is_hung_up(error) else _door_hint(settings)
            raise source_error(self._traits.id, _cause(host, error), hint) from error


class _Bounded(imaplib.IMAP4):
    """A connection that reads no more than its bounds: a server may name any length, and go on for ever."""

    def __init__(self, *arguments: Any, until: float, clock: Clock, **more: Any) -> None:
        self._left = READ_BYTES
        self._until = until
        self._clock = clock
        super().__init__(*arguments, **more)

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise self.abort("it sends more than is read")
        return self._counted(super().read(size))

    def readline(self) -> bytes:
        return self._counted(super().readline())

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise self.abort("it sends more than is read")
        if self._clock.monotonic() > self._until:
            raise TimeoutError
        return data


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same over TLS."""


def _open(settings: Settings, *, until: float, clock: Clock) -> BaseMailBox:
    """Return a connection to the server that nobody has logged in to."""
    where = (settings.host, settings.port or PORTS[settings.security])

    class Box(BaseMailBox):
        def _get_mailbox_client(self) -> imaplib.IMAP4:
            if settings.security == "tls":
                context = ssl.create_default_context()
                return _BoundedTls(*where, ssl_context=context, timeout=SILENCE_SECONDS, until=until, clock=clock)
            client = _Bounded(*where, timeout=SILENCE_SECONDS, until=until, clock=clock)
            if settings.security == "starttls":
                try:
                    client.starttls(ssl.create_default_context())
                except BaseException:
                    with suppress(OSError):  # TLS may have closed it
                        client.shutdown()
                    raise
            return client

    return Box()


def _number(box: BaseMailBox, name: str) -> int:
    """Return a number that the server gave when the folder was opened; 0 if it gave none."""
    _status, values = box.client.response(name)
    value = values[-1] if values else None
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def _count_gone(listed: Sequence[_Received], first: int, following: int) -> int:
    """Return how many messages came since the look before and are there no more: a server numbers them one after the other (RFC 3501, 2.3.1.1)."""
    return max(0, following - first - sum(first <= one.uid < following for one in listed))


def _say_gone(count: int) -> Message:
    return nmsg(
        "{n} message came and went before this poll. Poll before mail is moved, or name the folder where it goes as a source of its own."
        " If nothing of it is a unit's, set ignore_gone = true",
        "{n} messages came and went before this poll. Poll before mail is moved, or name the folder where it goes as a source of its own."
        " If nothing of it is a unit's, set ignore_gone = true",
        count,
    )


def _received(line: object) -> _Received | None:
    if not isinstance(line, bytes):
        return None
    uid, size, at = _FETCHED.search(line), _SIZE.search(line), _RECEIVED.search(line)
    if not (uid and size and at):
        return None
    day, month, year, hour, minute, second = (
        int(at[1]), _MONTHS.index(at[2].lower()) + 1, int(at[3]), int(at[4]), int(at[5]), int(at[6]),
    )  # fmt: skip
    ahead = timedelta(hours=int(at[8]), minutes=int(at[9]))
    zone = timezone(ahead if at[7] == b"+" else -ahead)
    return _Received(int(uid[1]), datetime(year, month, day, hour, minute, second, tzinfo=zone), int(size[1]))


def _as_data(one: _Received, data: bytes, mail: ReadMail, *, is_cut: bool) -> dict[str, object]:
    """Return what is kept of a message."""
    return {
        "uid": one.uid,
        "received_at": one.at.isoformat(),
        "size": one.size,
        "read": len(data),
        "digest": hashlib.sha256(data).hexdigest(),
        "message_id": mail.message_id,
        "sender": mail.sender,
        "date": mail.date,
        "subject": mail.subject,
        "text": mail.text,
        "files": [
            {"name": file.name, "size": file.size, "digest": file.digest, **({"text": file.text} if file.text else {})}
            for file in mail.files
        ],
        "broken": mail.broken or ("cut" if is_cut else ""),
        "checks": list(mail.checks),
        "sender_name": mail.sender_name,
        "reply_to": list(mail.reply_to),
        "copied_to": list(mail.copied_to),
        "is_automatic": mail.is_automatic,
        "automatic": mail.automatic,
    }


def _as_mail(message: Mapping[str, Any]) -> ReadMail:
    files = [
        AttachedFile(str(one["name"]), int(one["size"]), Digest(str(one["digest"])), str(one.get("text", "")))
        for one in message["files"]
    ]
    return ReadMail(
        message_id=str(message["message_id"]),
        sender=str(message["sender"]),
        date=str(message["date"]),
        subject=str(message["subject"]),
        text=str(message["text"]),
        files=tuple(files),
        broken=str(message["broken"]),
        checks=tuple(str(check) for check in message["checks"]),
        sender_name=str(message.get("sender_name", "")),  # answers of before have none of these four
        reply_to=tuple(str(one) for one in message.get("reply_to", ())),
        copied_to=tuple(str(one) for one in message.get("copied_to", ())),
        is_automatic=bool(message["is_automatic"]),
        automatic=str(message.get("automatic", "")),
    )


def _shows_pictures_of_its_text(mail: ReadMail) -> bool:
    """Say whether a mail's text is the news and its files are pictures of it, whose names say nothing; a short one goes with them."""
    are_pictures = all(file.name.lower().endswith(PICTURES) for file in mail.files)
    return are_pictures and len(mail.text.split()) >= LEAST_WORDS


def _is_document(file: AttachedFile) -> bool:
    name = file.name.lower()
    return not name.endswith(NO_DOCUMENTS) and _SIDE_FILE.fullmatch(name) is None


def _telling_files(mail: ReadMail) -> Iterator[Digest]:
    """Yield the digests of the files by which a mail is known again: its documents; without one, all files where it says little else.

    The same logo stands below each mail of a unit.
    """
    says_little = count_letters(mail.text) < STUB_LETTERS and not any(map(_is_document, mail.files))
    yield from (file.digest for file in mail.files if says_little or _is_document(file))


def _papers_of(mail: ReadMail, subject: str) -> str:
    """Return the numbers of papers that a mail's text and files name and its subject does not, to stand behind it; empty for none."""
    known = frozenset(read_numbers(subject))
    names = [file.name for file in mail.files]
    headed = " ".join(file.text[:LETTERHEAD].partition("Căn cứ")[0] for file in mail.files)
    found = dict.fromkeys((*numbers_in_names(names), *numbers_in_text(mail.text), *numbers_in_text(headed)))
    own = [one for one in found if known.isdisjoint(read_numbers(one))][:MOST_NUMBERS]
    said = (*read_numbers(f"{subject} {' '.join(own)}"), *read_bare_numbers(subject))
    found = dict.fromkeys((*bare_numbers_in_names(names), *bare_numbers_in_text(mail.text)))
    bare = [one for one in found if not any(paper.may_be(each) for paper in read_bare_numbers(one) for each in said)][
        :MOST_NUMBERS
    ]
    return "".join(f" [{', '.join(some)}]" for some in (own, bare) if some)


def _identity(message_id: str) -> str:
    """Return a Message-ID as it is compared: as it stands, or by its digest if it is longer than any real one."""
    own = clean_line(message_id, limit=MAX_ID + 1)
    return own if len(own) <= MAX_ID else hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _cause(host: str, error: Exception) -> Message:
    if _is_hung_up(error):
        return msg("{host} closed the connection without an answer", host=host)
    match error:
        case TimeoutError():
            return msg("{host} did not send all its mail in time", host=host)
        case socket.gaierror():
            return msg("the name {host} has no address", host=host)
        case ssl.SSLError():
            return msg(
                "{host} does not follow the TLS protocol: {cause}", host=host, cause=bounded(error.reason or error)
            )
        case OSError():
            return msg("{host} cannot be reached: {cause}", host=host, cause=cause_of(error))
        case _:
            return msg("{host} does not follow the IMAP protocol: {cause}", host=host, cause=bounded(error))


def _is_hung_up(error: Exception) -> bool:
    """Say whether the server ended the connection; for that the library has no error of its own but these words."""
    is_ended = isinstance(error, imaplib.IMAP4.abort) and "EOF" in str(error)
    return is_ended or isinstance(error, EOFError | ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionResetError)


def _log_hint(settings: Settings) -> Message:
    return msg(
        "Check that the mail server runs: its log says why it closes connections, as when it starts, has too many of them or bars this machine's address."
        " Check that port {port} and security = {security} are its own too.",
        port=settings.port or PORTS[settings.security],
        security=f'"{settings.security}"',
    )


def _door_hint(settings: Settings) -> Message:
    return msg(
        "Check that host, port {port} and security = {security} are those of the mail server, and that it runs.",
        port=settings.port or PORTS[settings.security],
        security=f'"{settings.security}"',
    )


SOURCE = UpdateSourceKind(settings=Settings, build=build)
