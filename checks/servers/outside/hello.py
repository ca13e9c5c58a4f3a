"""Which versions of TLS a server takes, told from the first bytes that it answers to an offer of exactly one.

The system's own OpenSSL offers TLS 1.0 and 1.1 no longer, or not on every machine, so the offer is made by hand: one
ClientHello for each version. The handshake is never finished. SSL 3.0 is not asked for.

Sources: RFC 5246 (7.4.1, 7.2), RFC 8446 (4.1.2, 4.2.1, 4.2.8, B.4), RFC 6066 (3), RFC 8422 (5.1).
"""

from __future__ import annotations

import struct
from enum import StrEnum

VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
REPLY_BYTES = 4096
"""So much of the answer is listened to."""

_CIPHERS = (
    *(0x1301, 0x1302, 0x1303),  # TLS 1.3
    *(0xC02C, 0xC02B, 0xCCA9, 0xC030, 0xC02F, 0xCCA8, 0x009F, 0x009E),  # AEAD, with elliptic curves and without
    *(0xC024, 0xC023, 0xC00A, 0xC009, 0xC028, 0xC027, 0xC014, 0xC013, 0x006B, 0x0067, 0x0039, 0x0033),  # CBC
    *(0x009D, 0x009C, 0x003D, 0x003C, 0x0035, 0x002F, 0xC012, 0x0016, 0x000A, 0x0005, 0x0004),  # the old ones
)
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
    *(0x0203, 0x0201, 0x0202),  # by SHA-1, which is all that TLS 1.0 and 1.1 know
)
_REFUSALS = frozenset({40, 70, 71})
"""handshake_failure, protocol_version, insufficient_security."""


class Reply(StrEnum):
    """What a server made of an offer."""

    TAKEN = "taken"
    REFUSED = "refused"
    """It said so by an alert."""
    HUNG_UP = "hung-up"
    """It ended the connection without a word."""
    UNCLEAR = "unclear"
    """It said something else, or nothing in time."""


def client_hello(version: str, name: str, random: bytes) -> bytes:
    """Return the record that offers one version.

    Args:
        version: one of `VERSIONS`.
        name: the server's name, as it stands in the certificate; none is asked for where it is empty.
        random: 96 bytes that nobody could know before.
    """
    number = VERSIONS[version]
    extensions = b""
    if name:
        ascii_name = name.encode("idna")
        extensions += _extension(0, _vector(2, b"\0" + _vector(2, ascii_name)))
    extensions += _extension(10, _vector(2, _shorts(_GROUPS))) + _extension(11, _vector(1, b"\0"))
    extensions += _extension(13, _vector(2, _shorts(_SIGNATURES)))
    if version == "1.3":
        extensions += _extension(43, _vector(1, _shorts((number,))))
        extensions += _extension(51, _vector(2, struct.pack("!H", 0x001D) + _vector(2, random[64:96])))
    legacy = min(number, 0x0303)
    body = struct.pack("!H", legacy) + random[:32] + _vector(1, random[32:64] if version == "1.3" else b"")
    body += _vector(2, _shorts(_CIPHERS)) + b"\x01\x00" + _vector(2, extensions)
    handshake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + _vector(2, handshake)


def is_answered(heard: bytes) -> bool:
    """Say whether enough was heard to tell what became of an offer."""
    return _first_message(heard) is not None


def reply_to(version: str, heard: bytes, ended: str) -> Reply:
    """Say what a server made of the offer of a version.

    Args:
        version: that was offered.
        heard: the first bytes of its answer.
        ended: as `ports.Talk` has it.
    """
    message = _first_message(heard)
    if message is None:
        return Reply.HUNG_UP if not heard and ended in {"closed", "reset"} else Reply.UNCLEAR
    kind, body = message
    if kind == 21:
        return Reply.REFUSED if body[1:2] and body[1] in _REFUSALS else Reply.UNCLEAR
    return Reply.TAKEN if _chosen(body) == VERSIONS[version] else Reply.UNCLEAR


def _first_message(heard: bytes) -> tuple[int, bytes] | None:
    """Return the first record's kind, and the alert or the ServerHello in it, once it is whole."""
    if len(heard) < 5 or heard[0] not in {21, 22} or heard[1] != 3:
        return None
    size = int.from_bytes(heard[3:5], "big")
    body = heard[5 : 5 + size]
    if heard[0] == 21:
        return (21, body) if len(body) >= 2 else None
    if len(body) < 4 or body[0] != 2:
        return None
    size = int.from_bytes(body[1:4], "big")
    return (22, body[4 : 4 + size]) if len(body) >= 4 + size else None


def _chosen(hello: bytes) -> int:
    """Return the version that a ServerHello chose, or 0 where it is out of form."""
    try:
        (chosen,) = struct.unpack_from("!H", hello)
        at = 34 + 1 + hello[34] + 3
        if at + 2 > len(hello):
            return int(chosen)
        end = at + 2 + struct.unpack_from("!H", hello, at)[0]
        at += 2
        while at + 4 <= min(end, len(hello)):
            kind, size = struct.unpack_from("!HH", hello, at)
            if kind == 43 and size == 2:
                return int(struct.unpack_from("!H", hello, at + 4)[0])
            at += 4 + size
    except (struct.error, IndexError):
        return 0
    return int(chosen)


def _vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!H", number) + _vector(2, content)


def _shorts(numbers: tuple[int, ...]) -> bytes:
    return struct.pack(f"!{len(numbers)}H", *numbers)
