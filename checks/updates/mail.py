"""One message of a mailbox, read for what it says of a submission. Pure; everything in it is untrusted and bounded.

A message is only as deep as `MAX_BOUNDARIES` lets it be, since a parser's work grows with the number of boundaries that are open
at once. What goes beyond that, or breaks the parser, is read by its headers alone: it came in all the same.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Mail
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from checks.updates.text import without_markup
from portalops.model.record import Digest

MAX_HEADER = 4000
"""Characters of one header that are read."""
MAX_TEXT = 4000
"""Characters of the text that are kept: the beginning, by which it is known again."""
MAX_MARKUP = 1 << 20
"""Bytes of a part with text that are read: mark-up may be far longer than what it says."""
MAX_PARTS = 500
MAX_FILES = 50
MAX_BOUNDARIES = 50
MAX_NAME = 200

_BOUNDARY = re.compile(rb"boundary\s*\*?[0-9*]*\s*=", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]{1,255}")
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


def read_mail(data: bytes) -> ReadMail:
    """Return what a message says.

    >>> mail = read_mail(b"From: =?utf-8?q?S=E1=BB=9F_Y_t=E1=BA=BF?= <Van.Thu@soyte.khanhhoa.example>\\r\\nSubject: Tin\\r\\n\\r\\nA")
    >>> mail.sender, mail.subject, mail.text
    ('van.thu@soyte.khanhhoa.example', 'Tin', 'A')
    """
    if sum(1 for _match in _BOUNDARY.finditer(data)) > MAX_BOUNDARIES:
        return _by_headers(data, f"more than {MAX_BOUNDARIES} boundaries")
    try:
        mail = message_from_bytes(data)
        text, files = _content(mail)
        return _read(mail, text, files)
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # the parser's own faults on what is made to break it: each of these was seen in the reports of its users
        return _by_headers(data, type(error).__name__)


def _by_headers(data: bytes, why: str) -> ReadMail:
    return _read(BytesHeaderParser().parsebytes(data[: 64 << 10]), "", (), broken=why)


def _read(mail: Mail, text: str, files: tuple[AttachedFile, ...], *, broken: str = "") -> ReadMail:
    senders = {address.lower() for _name, address in getaddresses([_header(mail, "From")]) if address}
    sender = senders.pop() if len(senders) == 1 else ""
    return ReadMail(
        message_id=_header(mail, "Message-ID").strip(),
        sender=sender if _ADDRESS.fullmatch(sender) else "",
        date=_header(mail, "Date")[:100],
        subject=_header(mail, "Subject"),
        text=text,
        files=files,
        broken=broken,
    )


def _header(mail: Mail, name: str) -> str:
    """Return the first header of a name, decoded; what is no encoded word is taken for UTF-8, or else for Latin-1."""
    raw = next((str(value) for key, value in mail.raw_items() if key.lower() == name.lower()), "")[:MAX_HEADER]
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
    for part in _leaves(mail):
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
                files.append(AttachedFile(name, len(data), Digest(hashlib.sha256(data).hexdigest())))
    return plain.strip() or marked.strip(), tuple(files)


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
