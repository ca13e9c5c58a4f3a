"""What an SSH server offers before anyone logs in: its KEXINIT, the first packet after the line with its version.

Sources: RFC 4253, sections 4.2, 6 and 7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

GREETING = b"SSH-2.0-portalops\r\n"
OFFER_BYTES = 36_000
"""A packet may have 35,000 bytes; the lines before it add to that."""
_KEXINIT = 20
_LINES = 40
"""So many lines may stand before the version."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The algorithms, in the server's order; those from client to server and back are one set."""

    software: str
    """The version line."""
    key_exchange: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


def is_whole(heard: bytes) -> bool:
    """Say whether the offer was heard to its end."""
    split = _version_and_packet(heard)
    if split is None:
        return False
    packet = split[1]
    return len(packet) >= 4 and len(packet) >= 4 + int.from_bytes(packet[:4], "big")


def offer_from(heard: bytes) -> Offer | None:
    """Return what the server offers, or None where this is no SSH server or its offer broke off."""
    split = _version_and_packet(heard)
    if split is None or not is_whole(heard):
        return None
    version, packet = split
    size = int.from_bytes(packet[:4], "big")
    if size < 1:
        return None
    padding = packet[4]
    payload = packet[5 : 4 + size - padding]
    if len(payload) < 17 or payload[0] != _KEXINIT:
        return None
    lists: list[tuple[str, ...]] = []
    at = 17
    for _number in range(6):
        size = int.from_bytes(payload[at : at + 4], "big")
        names = payload[at + 4 : at + 4 + size]
        if len(payload) < at + 4 or len(names) != size or not names.isascii():
            return None
        lists.append(tuple(name for name in names.decode("ascii").split(",") if name))
        at += 4 + size
    exchange, keys, ciphers, ciphers_back, macs, macs_back = lists
    if not exchange or not ciphers:
        return None
    return Offer(version, exchange, keys, _joined(ciphers, ciphers_back), _joined(macs, macs_back))


def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _version_and_packet(heard: bytes) -> tuple[str, bytes] | None:
    rest = heard
    for _number in range(_LINES):
        line, found, rest = rest.partition(b"\n")
        if not found:
            return None
        if line.startswith(b"SSH-"):
            return line.rstrip(b"\r").decode("ascii", "replace"), rest
    return None
