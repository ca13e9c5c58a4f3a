"""An extension as the bytes that are handed to a witness: one JSON object, read strictly and within limits.

`docs/witness.md` says it byte for byte. What comes from the watched host is not believed here, only
brought into form; `rules.py` judges it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from portalops.errors import NotAHead
from portalops.json_text import read_json
from portalops.ledger.heads import parse_head
from portalops.model.heads import SignedHead
from portalops.model.text import show_text
from portalops.ports import Extension
from portalops.signatures.sshsig import MAX_SIGNATURE_CHARS

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | dict[str, JsonValue]"

FORMAT = 1
"""The value of `format`: which description these bytes follow."""

MAX_LINES = 20_000
"""Records in one answer."""

MAX_LINES_BYTES = 8 << 20
"""Bytes of the lines in one answer; one line more may begin before this is reached."""

MAX_LINE_BYTES = 8192
"""No record is longer (docs/ledger-format.md)."""

MAX_ANSWER_BYTES = 64 << 20
"""A whole answer as it is read: lines, details, and what JSON adds to both."""

MAX_MARKS = 4 << 20
"""Bytes of an answer that stand outside of texts. Brackets and commas: a list of nothing costs 3 of them, and 64 of memory."""

ENVELOPE = "portalops/1"
"""`schema` of what `--json` prints; the extension is then its `data`."""


class NotAnExtension(ValueError):
    """Bytes that are no extension; the text says why, fit to be shown."""


class SaysItsLedgerDoesNotHold(NotAnExtension):
    """The watched side answered with an error about its own ledger's integrity."""


def plain_extension(extension: Extension) -> dict[str, JsonValue]:
    """Return an extension as JSON values.

    Raises:
        UnicodeDecodeError: a line or a blob is not text, so portalops did not write it.
    """
    return {
        "after": extension.after,
        "details": [blob.decode() for blob in extension.details],
        "format": FORMAT,
        "head": {"signature": extension.signed.signature, "text": extension.signed.text},
        "lines": [line.decode() for line in extension.lines],
        "more": extension.more,
    }


def write_extension(extension: Extension) -> bytes:
    """Return an extension as a file: keys sorted, without white space, ending in a line feed; raises as above."""
    plain = plain_extension(extension)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def read_extension(data: bytes, *, max_lines: int = MAX_LINES) -> Extension:
    """Read an extension, bare or as the `data` of what `--json` prints.

    Args:
        data: at most `MAX_ANSWER_BYTES` of them.
        max_lines: how many records it may hold.

    Raises:
        NotAnExtension: it is something else.
        SaysItsLedgerDoesNotHold: it is an error message with the code of a ledger that was changed.
    """
    if len(data) > MAX_ANSWER_BYTES:
        raise NotAnExtension(f"more than {MAX_ANSWER_BYTES} bytes")
    if _marks(data) > MAX_MARKS:
        raise NotAnExtension(f"more than {MAX_MARKS} bytes outside of texts; it begins {beginning(data)}")
    try:
        found = read_json(data)
    except ValueError as error:
        raise NotAnExtension(f"not JSON: {show_text(str(error), 80)}; it begins {beginning(data)}") from error
    if isinstance(found, dict) and found.get("schema") == ENVELOPE:
        found = _unwrapped(found)
    if not isinstance(found, dict) or found.keys() != _KEYS or found["format"] != FORMAT:
        raise NotAnExtension(f"not an extension of format {FORMAT}; it begins {beginning(data)}")
    after, more = found["after"], found["more"]
    if type(after) is not int or type(more) is not bool or not 0 <= after < 10**18:
        raise NotAnExtension("'after' is not a number of a record, or 'more' is neither true nor false")
    lines = _bytes(found["lines"], "lines", most=max_lines, longest=MAX_LINE_BYTES)
    details = _bytes(found["details"], "details", most=max_lines, longest=MAX_ANSWER_BYTES)
    return Extension(_head(found["head"]), after, lines, details, more)


def read_head(text: bytes, signature: bytes) -> SignedHead:
    """Return a head from its two files; raises NotAnExtension."""
    try:
        return _head({"text": text.decode(), "signature": signature.decode()})
    except UnicodeDecodeError as error:
        raise NotAnExtension("the head is not text") from error


def beginning(data: bytes) -> str:
    """Return how bytes begin, fit to be shown."""
    return repr(show_text(data[:80].decode("utf-8", "backslashreplace"), 80)) if data else "with nothing"


def read_error(data: bytes) -> str | None:
    """Return what an answer of `--json` says went wrong, fit to be shown; None if it is no such answer."""
    try:
        found = read_json(data)
    except ValueError:
        return None
    return _error_of(found)[1] if isinstance(found, dict) and isinstance(found.get("error"), dict) else None


def _marks(data: bytes) -> int:
    """Count the bytes that stand outside of texts; a text that does not end counts as if it were none."""
    return len(data) - sum(found.end() - found.start() for found in _TEXTS.finditer(data))


_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_KEYS = {"after", "details", "format", "head", "lines", "more"}


def _unwrapped(envelope: dict[str, Any]) -> object:
    if envelope.get("ok") is True:
        return envelope.get("data")
    code, said = _error_of(envelope)
    raise SaysItsLedgerDoesNotHold(said) if code == "PO1104" else NotAnExtension(said)


def _error_of(envelope: dict[str, Any]) -> tuple[str, str]:
    """Return the code of the error that an envelope tells of, and what it says, fit to be shown."""
    error = envelope.get("error")
    error = error if isinstance(error, dict) else {}
    code, message = (show_text(str(error.get(key, "?")), 300) for key in ("code", "message"))
    return code, f"it says {code}: {message}"


def _head(value: object) -> SignedHead:
    if not isinstance(value, dict) or value.keys() != {"signature", "text"}:
        raise NotAnExtension("'head' has not a text and a signature")
    text, signature = value["text"], value["signature"]
    if not isinstance(text, str) or not isinstance(signature, str) or len(signature) > MAX_SIGNATURE_CHARS:
        raise NotAnExtension("'head' has not a text and a signature")
    try:
        parse_head(text.encode())
        signature.encode()
    except (NotAHead, UnicodeEncodeError) as error:
        raise NotAnExtension(f"the head has not the six lines of one; it begins {show_text(text, 80)!r}") from error
    return SignedHead(text, signature)


def _bytes(value: object, name: str, *, most: int, longest: int) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise NotAnExtension(f"'{name}' is not a list of at most {most}")
    if not all(isinstance(each, str) for each in value):
        raise NotAnExtension(f"'{name}' holds something that is not text")
    try:
        found = tuple(each.encode() for each in value)
    except UnicodeEncodeError as error:
        raise NotAnExtension(f"'{name}' holds text that no UTF-8 can hold") from error
    if any(len(each) > longest for each in found):
        raise NotAnExtension(f"'{name}' holds a text longer than {longest} bytes")
    return found
