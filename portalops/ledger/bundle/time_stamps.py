"""Time-stamp responses (RFC 3161): the part that states what was stamped, and when.

The authority's own signature is not checked here; `openssl ts -verify` does that. What is read is DER
(X.690) and comes from outside, so every length is compared with the bytes that remain, and nothing is followed deeper than the
four levels that lead to the stamp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portalops.model.message import Message, msg

MAX_BYTES = 1 << 20
"""A response with the certificates of a long chain has about 10 KiB."""

CLOCKS_APART = timedelta(minutes=5)
"""How far the clock of a time-stamping authority may be from the ledger's."""

_FIRST = datetime.min.replace(tzinfo=UTC) + CLOCKS_APART
_LAST = datetime.max.replace(tzinfo=UTC) - CLOCKS_APART
"""A stamp nearer to an end of the calendar cannot be compared and is refused."""


class NotAStamp(ValueError):
    """Not a response that grants a stamp over SHA-256; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What an authority states."""

    imprint: bytes
    """The SHA-256 of what was stamped."""
    at: datetime
    """When, UTC."""


def parse_time_stamp(data: bytes) -> TimeStamp:
    """Read a TimeStampResp.

    Raises:
        NotAStamp: it is not a response, it does not grant, or it is for another digest than SHA-256.
    """
    if len(data) > MAX_BYTES:
        raise NotAStamp(msg("too large for a time-stamp response"))
    response = _Reader(_only(data, _SEQUENCE))
    status = _Reader(response.take(_SEQUENCE)).take(_INTEGER)
    if status not in {b"\0", b"\1"}:
        raise NotAStamp(msg("the time-stamp authority did not grant it"))
    content = _Reader(response.take(_SEQUENCE))
    if content.take(_OBJECT) != _SIGNED_DATA:
        raise NotAStamp(msg("no signed data"))
    signed = _Reader(_only(content.take(_TAGGED), _SEQUENCE))
    signed.take(_INTEGER)
    signed.take(_SET)
    held = _Reader(signed.take(_SEQUENCE))
    if held.take(_OBJECT) != _STAMP:
        raise NotAStamp(msg("it holds no time stamp"))
    return _stamp(_only(held.take(_TAGGED), _OCTETS))


def _stamp(data: bytes) -> TimeStamp:
    stamp = _Reader(_only(data, _SEQUENCE))
    if stamp.take(_INTEGER) != b"\1":
        raise NotAStamp(msg("a time stamp of an unknown version"))
    stamp.take(_OBJECT)
    imprint = _Reader(stamp.take(_SEQUENCE))
    if _Reader(imprint.take(_SEQUENCE)).take(_OBJECT) != _SHA256:
        raise NotAStamp(msg("not made with SHA-256"))
    digest = imprint.take(_OCTETS)
    if len(digest) != 32:
        raise NotAStamp(msg("not made with SHA-256"))
    stamp.take(_INTEGER)
    return TimeStamp(digest, _moment(stamp.take(_TIME)))


def _moment(data: bytes) -> datetime:
    """Read a GeneralizedTime as RFC 3161 writes it: in UTC, to the second or finer, without trailing noughts."""
    found = re.fullmatch(rb"([0-9]{14})(?:\.([0-9]{1,18}))?Z", data)
    try:
        if found is not None:
            second = datetime.strptime(found.group(1).decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            moment = second.replace(microsecond=int((found.group(2) or b"0").decode()[:6].ljust(6, "0")))
            if _FIRST <= moment <= _LAST:
                return moment
    except ValueError:
        pass  # no such moment
    raise NotAStamp(msg("its time is not in the expected format"))


class _Reader:
    """Takes one element of DER after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, tag: int) -> bytes:
        """Return the content of the next element, which must be of a kind."""
        if self._byte() != tag:
            raise NotAStamp(msg("not a time-stamp response"))
        length = self._byte()
        if length >= 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise NotAStamp(msg("a length is not in the expected format"))
            length = int.from_bytes(bytes(self._byte() for _place in range(count)), "big")
        content = self._data[self._at : self._at + length]
        if len(content) != length:
            raise NotAStamp(msg("truncated"))
        self._at += length
        return content

    def end(self) -> None:
        if self._at != len(self._data):
            raise NotAStamp(msg("extra bytes at the end"))

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise NotAStamp(msg("truncated"))
        self._at += 1
        return self._data[self._at - 1]


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the only element."""
    reader = _Reader(data)
    content = reader.take(tag)
    reader.end()
    return content


_INTEGER, _OCTETS, _OBJECT, _TIME, _SEQUENCE, _SET, _TAGGED = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31, 0xA0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
"""1.2.840.113549.1.7.2, RFC 5652."""
_STAMP = bytes.fromhex("2a864886f70d0109100104")
"""1.2.840.113549.1.9.16.1.4, RFC 3161."""
_SHA256 = bytes.fromhex("608648016503040201")
"""2.16.840.1.101.3.4.2.1, RFC 5754."""
