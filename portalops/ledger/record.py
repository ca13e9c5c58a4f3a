"""A record as the exact bytes that are hashed: one line of JSON, written one way only.

`docs/ledger-format.md` says it byte for byte. The line is what RFC 8785 makes of these nine fields,
because the keys are ASCII, the numbers are integers and the strings hold no control characters; so
the standard library's writer gives it. Reading is strict: bytes that portalops would not have
written are refused, and nothing is ever written again in order to be hashed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring

from portalops.model.record import YEARS, Digest, Record, RunId
from portalops.model.text import format_at
from portalops.model.values import dataclass

VERSION = 1
"""The value of `v`: which description of the line these bytes follow."""

GENESIS = Digest("0" * 64)
"""`prev` of the first record."""

CREATED = "ledger.created"
"""The kind of the first record; its body names the ledger's id."""

UPGRADED = "ledger.upgraded"
"""The kind of the record of a store's upgrade; its body names the newest line before."""

MAX_TEXT = 500
"""Longest run, subject or duty, in characters: Unicode code points."""


NO_RUN = RunId("")
"""`run` of a record that belongs to no run."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be recorded: everything but the place in the chain and the time."""

    kind: str
    body: Digest
    """The blob with the details; it is stored before the record that names it."""
    run: RunId = NO_RUN
    subject: str = ""
    duty: str = ""


class NotARecord(ValueError):
    """Bytes that are not a line as portalops writes it, or values that no line can hold."""


def encode(draft: Draft, *, seq: int, at: datetime, prev: Digest) -> Record:
    """Give a draft its place and return the record with its bytes.

    Args:
        draft: what is recorded.
        seq: 1 for the first record, then one more each.
        at: aware; cut to whole milliseconds.
        prev: `line_digest` of the line before, or `GENESIS`.

    Raises:
        NotARecord: a value that the format does not allow; the text says which.
    """
    moment = at.astimezone(UTC)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    _digest(draft.body, "body")
    _digest(prev, "prev")
    _kind(draft.kind)
    if moment.year not in YEARS:
        raise NotARecord(f"no time zone may take the moment out of the calendar: {moment.isoformat()}")
    if not 0 < seq < 10**18:
        raise NotARecord(f"seq is out of range: {seq}")
    # A writer of JSON in general takes three times as long; a test compares this line with RFC 8785.
    line = (
        f'{{"at":"{format_at(moment)}","body":"{draft.body}","duty":{_string(draft.duty, "duty")},"kind":"{draft.kind}",'
        f'"prev":"{prev}","run":{_string(draft.run, "run")},"seq":{seq},"subject":{_string(draft.subject, "subject")},'
        f'"v":{VERSION}}}'
    ).encode()
    return Record(seq, moment, draft.kind, draft.run, draft.subject, draft.duty, draft.body, prev, line)


def parse(line: bytes) -> Record:
    """Read a line.

    Raises:
        NotARecord: portalops would not have written these bytes.
    """
    fields = split(line)
    try:
        moment = parse_at(fields.at)
    except ValueError as error:
        raise NotARecord(f"no such moment: {fields.at}") from error
    return Record(
        fields.seq,
        moment,
        fields.kind,
        RunId(fields.run),
        fields.subject,
        fields.duty,
        Digest(fields.body),
        Digest(fields.prev),
        line,
    )


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a line, its moment still as text."""

    seq: int
    at: str
    kind: str
    run: str
    subject: str
    duty: str
    body: str
    prev: str


def split(line: bytes) -> Fields:
    """Read a line's fields without making moments of them; whether `at` exists in the calendar is not checked.

    Raises:
        NotARecord: portalops would not have written these bytes.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise NotARecord("not a record as portalops writes it")
    try:
        at, body, duty, kind, prev, run, seq, subject = found.group(1, 2, 3, 4, 5, 6, 7, 8)
        fields = Fields(
            int(seq),
            at.decode(),
            kind.decode(),
            _unescaped(run),
            _unescaped(subject),
            _unescaped(duty),
            body.decode(),
            prev.decode(),
        )
    except UnicodeDecodeError as error:
        raise NotARecord("not UTF-8") from error
    if not line.isascii() or len(line) > MAX_TEXT:
        for name, value in (("run", fields.run), ("subject", fields.subject), ("duty", fields.duty)):
            if (
                len(value) > MAX_TEXT
            ):  # whether it is NFC was judged when it was written: a later Unicode may say otherwise
                raise NotARecord(f"{name} is longer than {MAX_TEXT} characters")
        _kind(fields.kind)
    return fields


@lru_cache(maxsize=256)
def is_kind(kind: str) -> bool:
    """Say whether a text has the form of a kind."""
    return _KIND_ALONE.fullmatch(kind) is not None


def is_ledger_id(text: str) -> bool:
    """Say whether a text has the form of a ledger's id: 32 lower-case hexadecimal digits."""
    return _LEDGER.fullmatch(text) is not None


def line_digest(line: bytes) -> Digest:
    """Return the SHA-256 that the next record's `prev` must hold."""
    return Digest(hashlib.sha256(line).hexdigest())


def parse_at(text: str) -> datetime:
    """Read what `format_at` wrote.

    Raises:
        ValueError: there is no such moment, or not in every time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.year not in YEARS:
        raise ValueError(f"not in the calendar in every time zone: {text}")
    return moment


_PLAIN = rb'[^"\\\x00-\x1f\x7f]*+'
_STRING = rb'"(' + _PLAIN + rb'(?:\\["\\]' + _PLAIN + rb")*+)\""
_KIND = r"[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*"
_LINE = re.compile(
    rb'\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","body":"([0-9a-f]{64})","duty":'
    + _STRING
    + rb',"kind":"('
    + _KIND.encode()
    + rb')","prev":"([0-9a-f]{64})","run":'
    + _STRING
    + rb',"seq":([1-9][0-9]{0,17}),"subject":'
    + _STRING
    + rb',"v":1\}'
)
_LEDGER = re.compile(r"[0-9a-f]{32}")
_KIND_ALONE = re.compile(_KIND)
_DIGEST_ALONE = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _unescaped(raw: bytes) -> str:
    text = raw.decode()
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", r"\1", text)


def _kind(kind: str) -> str:
    if not _KIND_ALONE.fullmatch(kind) or len(kind) > MAX_TEXT:
        raise NotARecord(f"not a kind such as backup.finished: {kind[:80]!r}")
    return kind


def _digest(digest: str, name: str) -> str:
    if not _DIGEST_ALONE.fullmatch(digest):
        raise NotARecord(f"{name} is not a SHA-256 in lower-case hexadecimal: {digest[:80]!r}")
    return digest


def _string(text: str, name: str) -> str:
    return encode_basestring(_text(text, name))


def _text(text: str, name: str) -> str:
    if len(text) <= MAX_TEXT and text.isascii() and text.isprintable():
        return text
    if len(text) > MAX_TEXT:
        raise NotARecord(f"{name} is longer than {MAX_TEXT} characters")
    if _CONTROL.search(text):
        raise NotARecord(f"{name} holds a control character: {text[:80]!r}")
    from portalops.ledger.unicode_characters import UNICODE_VERSION, find_unassigned  # noqa: PLC0415  # for writing alone

    unassigned = find_unassigned(text)
    if unassigned is not None:
        raise NotARecord(f"{name} holds U+{ord(unassigned):04X}, which Unicode {UNICODE_VERSION} does not have")
    if not unicodedata.is_normalized("NFC", text):
        raise NotARecord(f"{name} is not in Unicode form NFC: {text[:80]!r}")
    return text
