"""Whose the public keys of a keyring are: the fingerprint of each, as RFC 9580 has it."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterator

_BLOCK = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t\r]*\n(.*?)\n-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)
_KEY = 6
_BESIDE_KEYS = frozenset({2, 10, 12, 13, 14, 17, 21})
"""Signatures, markers, trust, names, subkeys, pictures and padding: none of them lets in another key."""


class NotKeys(Exception):
    """It is no list of public keys, or holds what is not known to be harmless."""


def fingerprints(keyring: bytes) -> frozenset[str]:
    """Return the fingerprint of each primary key, in upper-case hexadecimal digits.

    Raises:
        NotKeys: it is something else, or more than that.
    """
    parts = [keyring] if keyring[:1] >= b"\x80" else [_bare(match[1]) for match in _BLOCK.finditer(keyring)]
    found = frozenset(_fingerprint(body) for part in parts for kind, body in _packets(part) if kind == _KEY)
    if not found:
        raise NotKeys
    return found


def _bare(block: bytes) -> bytes:
    """Return what a block of text encodes: after its headers, without its checksum."""
    _headers, blank, rest = re.sub(rb"[ \t\r]+(?=\n|\Z)", b"", b"\n" + block).partition(b"\n\n")
    lines = [line for line in rest.split(b"\n") if not line.startswith(b"=")]
    try:
        return b64decode(b"".join(lines) if blank else b"-", validate=True)
    except ValueError as error:
        raise NotKeys from error


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, at = data[at], at + 1
        kind = tag & 0x3F if tag & 0x40 else (tag & 0x3C) >> 2
        first = data[at] if at < len(data) else 0
        if tag < 0x80 or (kind != _KEY and kind not in _BESIDE_KEYS):
            raise NotKeys
        if not tag & 0x40:
            size = (1, 2, 4, 0)[tag & 3]
            length, at = int.from_bytes(data[at : at + size]), at + size
            if not size:
                raise NotKeys
        elif first < 192:  # the bounds of RFC 9580, 4.2.1
            length, at = first, at + 1
        elif first < 224:
            length, at = ((first - 192) << 8) + int.from_bytes(data[at + 1 : at + 2]) + 192, at + 2
        elif first == 255:
            length, at = int.from_bytes(data[at + 1 : at + 5]), at + 5
        else:
            raise NotKeys
        if at + length > len(data):
            raise NotKeys
        yield kind, data[at : at + length]
        at += length


def _fingerprint(body: bytes) -> str:
    match body[:1]:
        case b"\x04":
            digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2) + body, usedforsecurity=False)
        case b"\x06":
            digest = hashlib.sha256(b"\x9b" + len(body).to_bytes(4) + body)
        case _:
            raise NotKeys
    return digest.hexdigest().upper()
