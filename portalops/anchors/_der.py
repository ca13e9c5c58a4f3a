"""Puts the certificates of a time-stamp response into the order that DER asks for.

The certificates are a set (RFC 5652, section 5.1), and DER sorts the members of a set (X.690, section 11.6). OpenSSL's own
authority writes them as they come, and strict readers refuse that. No signature covers their order, so it may be mended
before reading; what is kept as evidence is the answer as it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, TAGGED = 0x30, 0xA0


@dataclass(frozen=True, slots=True)
class _Item:
    tag: int
    start: int
    """Of the tag."""
    content: int
    """Where the content begins."""
    end: int


def with_sorted_certificates(data: bytes) -> bytes:
    """Return a TimeStampResp with its certificates sorted; anything that is none, or has none, as it is.

    The path (RFC 3161, section 2.4.2; RFC 5652, sections 3 and 5.1): TimeStampResp, second member; ContentInfo, its
    content; SignedData, the member tagged 0.
    """
    try:
        response = _only(data, 0, len(data), SEQUENCE)
        token = list(_items(data, response.content, response.end))[1]
        tagged = next(item for item in _items(data, token.content, token.end) if item.tag == TAGGED)
        signed = _only(data, tagged.content, tagged.end, SEQUENCE)
        held = next(item for item in _items(data, signed.content, signed.end) if item.tag == TAGGED)
        members = [data[item.start : item.end] for item in _items(data, held.content, held.end)]
    except (IndexError, StopIteration, ValueError):
        return data
    return data[: held.content] + b"".join(sorted(members)) + data[held.end :]


def _only(data: bytes, start: int, end: int, tag: int) -> _Item:
    item = next(_items(data, start, end))
    if item.tag != tag or item.end != end:
        raise ValueError("another structure")
    return item


def _items(data: bytes, start: int, end: int) -> Iterator[_Item]:
    """Yield the members between two places; ValueError or IndexError if they do not fill the space exactly."""
    while start < end:
        size, content = data[start + 1], start + 2
        if size >= 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("a length of more than four bytes, or an open one")
            size, content = int.from_bytes(data[content : content + count], "big"), content + count
        if content + size > end:
            raise ValueError("longer than what holds it")
        yield _Item(data[start], start, content, content + size)
        start = content + size
