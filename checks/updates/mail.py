"""One message of a mailbox, read for what it says of a submission. Pure; everything in it is untrusted and bounded.

A parser's work grows with the boundaries that are open at once, its memory with lines, parts and headers, and what it does with one
header grows with the square of its length. So each of these is bounded before or while it is at work. What goes beyond, or breaks
the parser, is read by its headers alone: it came in all the same.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message as Mail
from email.parser import BytesHeaderParser
from email.policy import Compat32

from checks.updates.automatic_mail import REPLIED, automatic_word, word_of_subject
from checks.updates.text import without_markup
from checks.updates.word_files import SUFFIXES, read_word_text
from portalops.model.record import Digest

MAX_HEADER = 4000
"""Characters of one header that are read."""
MAX_TEXT = 4000
"""Characters of the text that are kept: the beginning, by which it is known again."""
MAX_WORD_FILES = 3
"""Word files of which the text is read."""
MAX_MARKUP = 1 << 20
"""Bytes of a part with text that are read: mark-up may be far longer than what it says."""
MAX_PARTS = 500
MAX_FILES = 50
BEGINNING_BYTES = 64 << 10
"""Of a message that is read by its headers alone."""
MAX_BOUNDARIES = 20
"""Parts that hold parts. A forwarded mail with pictures and files has four."""
MAX_DELIMITERS = 5000
"""Lines that may begin or end a part."""
MAX_LINES = 700_000
"""The largest mail that is read whole has 430,000."""
MAX_HEADERS = 5000
"""Of a message and all of its parts."""
MAX_NAME = 200
MAX_REPLY_TO = 3
MAX_COPIES = 10
"""Addresses of the receivers that are kept."""
MAX_CHECK = 1000
MAX_CHECKS = 5
_RECEIPTS = frozenset({"message/delivery-status", "message/disposition-notification", "message/global-delivery-status"})
"""Of RFC 3464, 8098 and 6533."""
_ANSWERS = frozenset({"REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH"})
_METHOD = re.compile(rb"^METHOD:([A-Za-z]+)", re.MULTILINE)
LEAST_WORDS = 20
"""Of a mail that a program sent: a receipt has fewer."""

_BOUNDARY = re.compile(rb"boundary\s*\*?[0-9*]*\s*=", re.IGNORECASE)
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[a-z0-9.-]{1,255}")
_ADDRESS_ENDS = re.compile(r"[\s<>(),;:\"]+")
_IN_BRACKETS = re.compile(r"<[^<>]*>")
_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SURROGATES = re.compile("[\ud800-\udfff]")
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""What Python takes for the name of a charset and is none, or whose decoding takes long."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One file that a message brought."""

    name: str
    size: int
    """Bytes."""
    digest: Digest
    text: str = ""
    """The beginning of its text, of the first `MAX_WORD_FILES` Word files; empty for others."""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What a message says, bounded; no character of it is half of one."""

    message_id: str
    sender: str
    """The address alone, in lower case; empty unless there is exactly one."""
    date: str
    """The header as it stands: only a claim."""
    subject: str
    text: str
    """The beginning of its text, without mark-up."""
    files: tuple[AttachedFile, ...] = ()
    """At most `MAX_FILES`; pictures that belong to the text are left out."""
    broken: str = ""
    """Why it was read by its headers alone; empty if it was read whole."""
    checks: tuple[str, ...] = ()
    """What mail servers say of who sent it: the headers `Authentication-Results`, the newest first, at most `MAX_CHECKS`."""
    is_automatic: bool = False
    """A program sent it: an answer of somebody absent, a receipt, a failure to deliver, or what an office system sends for a person."""
    sender_name: str = ""
    """The name before or behind the sender's address, which anybody can write; empty for none, or without a sender."""
    reply_to: tuple[str, ...] = ()
    """The addresses to which answers go, in lower case, at most `MAX_REPLY_TO`."""
    copied_to: tuple[str, ...] = ()
    """The addresses of its other receivers, in lower case, at most `MAX_COPIES`; that to which it was delivered is none of them."""
    automatic: str = ""
    """What its headers say of that, by a word of `Auto-Submitted`: `auto-generated`, `auto-replied`; empty for nothing, and for a report of delivery."""


def read_mail(data: bytes) -> ReadMail:
    """Return what a message says.

    >>> mail = read_mail(b"From: =?utf-8?q?S=E1=BB=9F_Y_t=E1=BA=BF?= <Van.Thu@soyte.khanhhoa.example>\\r\\nSubject: Tin\\r\\n\\r\\nA")
    >>> mail.sender, mail.subject, mail.text
    ('van.thu@soyte.khanhhoa.example', 'Tin', 'A')
    """
    if sum(1 for _match in _BOUNDARY.finditer(data)) > MAX_BOUNDARIES:
        return _read_headers(data, f"more than {MAX_BOUNDARIES} boundaries")
    if data.count(b"\n--") + data.count(b"\r--") > MAX_DELIMITERS:
        return _read_headers(data, f"more than {MAX_DELIMITERS} delimiters")
    if data.count(b"\n") + data.count(b"\r") > 2 * MAX_LINES:
        return _read_headers(data, f"more than {MAX_LINES} lines")
    try:
        mail = message_from_bytes(data, policy=_bounds(MAX_HEADERS))
        text, files = _content(mail)
        return _read(mail, text, files)
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # the parser's own faults on what is made to break it: each of these was seen in the reports of its users
        return _read_headers(data, type(error).__name__)


def _bounds(headers: int) -> Compat32:
    """Return how one message is parsed: the beginning of each header is kept, and only so many of them."""
    left = [headers]

    class Bounds(Compat32):
        def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
            left[0] -= 1
            if left[0] < 0:
                raise HeaderParseError(f"more than {headers} headers")
            kept, room = [], MAX_HEADER
            for line in sourcelines:
                if room <= 0:
                    break
                kept.append(line[:room])
                room -= len(line)
            return super().header_source_parse(kept)

    return Bounds()


def vouches(checks: Sequence[str], server: str) -> bool:
    """Say whether a mail server says that a message comes from whom it names (RFC 8601; DMARC, RFC 7489).

    Only the newest header of that server counts: it takes others out that name it (RFC 8601, section 5), or puts its own above.

    >>> vouches(["mx.khanhhoa.example 1; spf=fail (x; dmarc=pass); dmarc=pass header.from=a.example"], "MX.khanhhoa.example")
    True
    >>> vouches(['mx.khanhhoa.example; dmarc=fail reason="; dmarc=pass"', "mx.khanhhoa.example; dmarc=pass"], "mx.khanhhoa.example")
    False
    """
    for header in checks:
        plain, comments = _QUOTED.sub(" ", header).lower(), 1
        while comments:
            plain, comments = _COMMENT.subn(" ", plain)
        name, *results = (part.split() for part in plain.split(";"))
        if name and name[0] == server.lower():
            is_whole = not set(plain) & set('"()')
            return is_whole and any(words and words[0] == "dmarc=pass" for words in results)
    return False


def _read_headers(data: bytes, why: str) -> ReadMail:
    beginning = data[:BEGINNING_BYTES]
    return _read(BytesHeaderParser(policy=_bounds(BEGINNING_BYTES)).parsebytes(beginning), "", (), broken=why)


def _read(mail: Mail, text: str, files: tuple[AttachedFile, ...], *, broken: str = "") -> ReadMail:
    said = automatic_word(mail)
    if not said and (files or len(text.split()) >= LEAST_WORDS):  # else it is open as it says nothing
        said = word_of_subject(_header(mail, "Subject"))
    is_report = mail.get_content_type() == "multipart/report"  # of RFC 6522
    return ReadMail(
        message_id=_header(mail, "Message-ID").strip(),
        sender=_sender(_raw(mail, "From")),
        date=_header(mail, "Date")[:100],
        subject=_header(mail, "Subject"),
        text=text,
        files=files,
        broken=broken,
        checks=tuple(
            " ".join(str(value)[:MAX_CHECK].encode("ascii", "replace").decode().split())
            for key, value in mail.raw_items()
            if key.lower() == "authentication-results"
        )[:MAX_CHECKS],
        sender_name=_sender_name(mail),
        reply_to=_addresses(_raw(mail, "Reply-To"))[:MAX_REPLY_TO],
        copied_to=_copied_to(mail),
        is_automatic=bool(said) or is_report,
        automatic="" if is_report else said,
    )


def brings_something(mail: ReadMail) -> bool:
    """Say whether a mail that a program sent may bring what a person wrote: it has a file, or some text, and is no answer by itself.

    Office systems and content systems write *auto-generated* into what they send for a clerk.
    """
    if mail.automatic in {"", REPLIED}:
        return False
    return bool(mail.files) or len(mail.text.split()) >= LEAST_WORDS


def _sender(raw: str) -> str:
    """Return the only address of a header, as it stands outside of quotes; empty if there are several, or it is none.

    Python's own reading of addresses calls itself for each bracket, and takes some names for addresses (CVE-2023-27043).

    >>> _sender('"Sở Y tế, vanthu@soyte.example" <A@Soyte.example>'), _sender("a@b.example, c@d.example"), _sender("a@b@c")
    ('a@soyte.example', '', '')
    """
    words = _ADDRESS_ENDS.split(_QUOTED.sub(" ", raw).lower())
    found = {word for word in words if "@" in word}
    only = found.pop() if len(found) == 1 else ""
    return only if _ADDRESS.fullmatch(only) else ""


def _addresses(raw: str) -> tuple[str, ...]:
    """Return the addresses of a header outside of quotes, each once, in their order."""
    words = _ADDRESS_ENDS.split(_QUOTED.sub(" ", raw).lower())
    return tuple(dict.fromkeys(word for word in words if _ADDRESS.fullmatch(word)))


def _copied_to(mail: Mail) -> tuple[str, ...]:
    """Return the addresses of a mail's receivers but that of the mailbox itself, as far as its server names it."""
    own = {one for name in _DELIVERED for one in _addresses(_raw(mail, name))}
    found = (one for name in ("Cc", "To") for one in _addresses(_raw(mail, name)))
    return tuple(dict.fromkeys(one for one in found if one not in own))[:MAX_COPIES]


_DELIVERED = ("Delivered-To", "X-Original-To", "Envelope-To")


def _sender_name(mail: Mail) -> str:
    """Return what stands beside the only address of a mail's sender, decoded and without its quotes; empty for nothing."""
    raw = _raw(mail, "From")
    if not (address := _sender(raw)):
        return ""
    beside = _IN_BRACKETS.sub(" ", raw) if "<" in raw else re.sub(re.escape(address), " ", raw, flags=re.IGNORECASE)
    return _decoded_header(beside).strip(" \"'()")[:MAX_NAME]


def _raw(mail: Mail, name: str) -> str:
    """Return the first header of a name as it stands, its beginning; bytes beyond ASCII are halves of characters."""
    return next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")[:MAX_HEADER]


def _header(mail: Mail, name: str) -> str:
    """Return the first header of a name, decoded; what is no encoded word is taken for UTF-8, or else for Latin-1."""
    return _decoded_header(_raw(mail, name))


def _decoded_header(raw: str) -> str:
    try:
        parts = decode_header(raw)
    except (MessageError, ValueError):  # base64 that is none
        parts = [(raw, None)]
    decoded = (
        _decoded(part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part, charset)
        for part, charset in parts
    )
    return " ".join("".join(decoded).split())


def _content(mail: Mail) -> tuple[str, tuple[AttachedFile, ...]]:
    """Return the beginning of the text, and the files."""
    plain = marked = ""
    files: list[AttachedFile] = []
    is_reply = False
    for part in _leaves(mail):
        if _is_receipt(part):
            is_reply = is_reply or part.get_content_type() == "text/calendar"
            continue
        kind, name = part.get_content_type(), _file_name(part)
        disposition = str(part.get("Content-Disposition", "")).strip().lower()
        if kind in {"text/plain", "text/html"} and not name and not disposition.startswith("attachment"):
            if not (plain if kind == "text/plain" else marked):
                said = _decoded(_payload(part)[:MAX_MARKUP], part.get_content_charset())
                if kind == "text/plain":
                    plain = said[:MAX_TEXT]
                else:
                    marked = without_markup(said)[:MAX_TEXT]
        elif not (kind.startswith("image/") and (disposition.startswith("inline") or part.get("Content-ID"))):
            data = _payload(part)
            if data and len(files) < MAX_FILES:
                read = sum(one.name.lower().endswith(SUFFIXES) for one in files)  # those without a text took time too
                is_read = name.lower().endswith(SUFFIXES) and read < MAX_WORD_FILES
                said = read_word_text(data, limit=MAX_TEXT) if is_read else ""
                files.append(AttachedFile(name, len(data), Digest(hashlib.sha256(data).hexdigest()), said))
    # What stands beside the answer to an invitation is written by the calendar too, as "Accepted".
    return "" if is_reply and not files else _fuller(plain.strip(), marked.strip()), tuple(files)


def _fuller(plain: str, marked: str) -> str:
    """Return the plain text of a mail; the marked-up one where that has more than twice its words, as beside "use a reader of HTML".

    >>> _fuller("Thư này có định dạng HTML.", "Sáng 17/11, xã ra quân dọn vệ sinh bãi biển với hơn một trăm người.")[:4]
    'Sáng'
    """
    return marked if len(marked.split()) > 2 * len(plain.split()) else plain


def _is_receipt(part: Mail) -> bool:
    """Say whether a part is the answer to an invitation (iTIP, RFC 5546), or a receipt: a program wrote it, and it brings nothing."""
    kind = part.get_content_type()
    if kind != "text/calendar":
        return kind in _RECEIPTS
    named = part.get_param("method")
    method = named if isinstance(named, str) else ""
    if not method and (found := _METHOD.search(_payload(part)[:MAX_HEADER])):
        method = found[1].decode()
    return method.upper() in _ANSWERS


def _leaves(mail: Mail) -> Iterator[Mail]:
    for number, part in enumerate(mail.walk()):
        if number >= MAX_PARTS:
            return
        if not part.is_multipart():
            yield part


def _payload(part: Mail) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _file_name(part: Mail) -> str:
    name = part.get_filename() or ""
    try:
        pieces = decode_header(name[:MAX_HEADER])
    except (MessageError, ValueError):
        pieces = [(name, None)]
    return "".join(
        _decoded(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece, charset)
        for piece, charset in pieces
    )[:MAX_NAME]


def _decoded(data: bytes, charset: str | None) -> str:
    """Return bytes as text: by their charset, or as UTF-8; else as Latin-1, in which older Vietnamese encodings show."""
    for name in (charset, "utf-8"):
        try:
            if not name or codecs.lookup(name).name.replace("_", "-") in _NO_CHARSETS:
                continue
            text = data.decode(name, "strict" if name == "utf-8" and charset != "utf-8" else "replace")
        except (LookupError, ValueError):
            continue
        return _SURROGATES.sub("\ufffd", text)
    return data.decode("latin-1")
