"""Second line against secrets in evidence: whatever looks like one is blotted out before anything is kept.

The first line is that no probe prints a secret: what is secret is reduced to its kind on the host itself. This one
catches what slips through: crypt(5) hashes, passwords in addresses, private keys, `password = ...` settings. Each probe says
in which form its answer is: what parts fields, and the names of fields, are its grammar, and are never blotted out.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HASH = re.compile(rb"\$(?:1|2[abxy]?|5|6|7|y|gy|sm3|md5|sha1|argon2[a-z]{1,2})\$[^\s:\"']{8,}")
_ACCOUNT = re.compile(rb"[^\s/@:\"']+:[^\s/@\"']+(?=@)")
_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_NAMES = (b"password", b"passwd", b"passphrase", b"auth_pass", b"secret", b"api_key", b"apikey", b"token")
_VALUE = re.compile(rb"\"?[ \t]{0,8}(?:=[ \t]{0,8}|:[ \t]{1,8})([^\s]+)")
_STRING = re.compile(rb"\"((?:[^\"\\\r\n]|\\.)*)\"([ \t]*:)?")
_JSON = (b"{", b"}", b"[", b"]", b",", b'"')


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How a probe's answer is written."""

    separator: bytes = b""
    """Parts the fields of a line."""
    is_json: bool = False
    """Lines that begin as JSON does are JSON; others are text."""


LINES, PIPED, QUOTED, JSON = (
    AnswerForm(),
    AnswerForm(separator=b"|"),
    AnswerForm(separator=b'"'),
    AnswerForm(is_json=True),
)


def redacted_as(form: AnswerForm, raw: bytes) -> bytes:
    """Return an answer with every secret in it blotted out and its grammar as it was; doing it twice changes nothing."""
    if form.is_json:
        raw = _KEY.sub(lambda match: match.group() if b'"' in match.group() else _blot(match.group()), raw)
        return b"".join(map(_line_of_json, raw.splitlines(keepends=True)))
    if form.separator and redacted(raw) != raw:
        raw = _KEY.sub(lambda match: _blot(match.group()), raw)
        return form.separator.join(map(redacted, raw.split(form.separator)))
    return redacted(raw)


def _line_of_json(line: bytes) -> bytes:
    """Blot out within values of strings alone: all of one whose field is named like a secret."""
    if not line.lstrip().startswith(_JSON):
        return redacted(line)
    lowered = line.lower()
    if not any(name in lowered for name in _NAMES) and redacted(line) == line:
        return line
    is_secret = False

    def value(match: re.Match[bytes]) -> bytes:
        nonlocal is_secret
        text, colon = match.groups()
        if colon is not None:
            is_secret = any(name in text.lower() for name in _NAMES)
            return match.group()
        clean = redacted(text)
        if is_secret or (clean != text and b"\\" in text):  # half of an escape would be no JSON
            clean = _blot(text)
        return b'"%b"' % clean

    return _STRING.sub(value, line)


def redacted(raw: bytes) -> bytes:
    """Return the bytes with everything that looks like a secret blotted out, byte for byte, so that no length changes.

    Doing it twice changes nothing.
    """
    for pattern in (_KEY, _HASH):
        raw = pattern.sub(lambda match: _blot(match.group()), raw)
    raw = _blotted(raw, _ACCOUNT, _find_ends(raw, b"://"))
    lowered = raw.lower()
    return _blotted(raw, _VALUE, heapq.merge(*(_find_ends(lowered, name) for name in _NAMES)))


def _find_ends(raw: bytes, word: bytes) -> Iterator[int]:
    """Yield where each place of a word ends. An answer is long, and to look for words is many times as fast as a pattern."""
    at = raw.find(word)
    while at >= 0:
        yield at + len(word)
        at = raw.find(word, at + 1)


def _blotted(raw: bytes, pattern: re.Pattern[bytes], places: Iterable[int]) -> bytes:
    """Blot out the group of a pattern, or all of it, where it is found at one of the places, which are in order."""
    changed, end = bytearray(raw), -1
    for at in places:
        # NOTE: never within what was found before: a line of nothing but names would be read to its end for each.
        match = pattern.match(raw, at) if at > end else None
        if match is not None:
            start, end = match.span(pattern.groups)
            changed[start:end] = _blot(match[pattern.groups])
    return bytes(changed)


def _blot(secret: bytes) -> bytes:
    """Star out everything but line ends, so that no line is lost either."""
    return re.sub(rb"[^\r\n]", b"*", secret)
