"""Bech32, in which age writes its keys (BIP 173, with age's longer texts: C2SP age, "X25519 recipients")."""

from __future__ import annotations

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def decode(text: str) -> tuple[str, bytes]:
    """Return the lower-case prefix and the bytes of a Bech32 text.

    Raises:
        ValueError: mixed case, an unknown character, a wrong checksum or odd padding.
    """
    if text not in {text.lower(), text.upper()}:
        raise ValueError("mixed case")
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or not prefix or len(data) < 6 or any(char not in _CHARSET for char in data):
        raise ValueError("not Bech32")
    values = [_CHARSET.index(char) for char in data]
    if _checksum([*_expanded(prefix), *values]) != 1:
        raise ValueError("wrong checksum")
    return prefix, _regrouped(values[:-6])


def encode(prefix: str, data: bytes) -> str:
    """Return the Bech32 text of bytes, in lower case."""
    values = _split(data)
    checksum = _checksum([*_expanded(prefix), *values, *([0] * 6)]) ^ 1
    values += [checksum >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1{''.join(_CHARSET[value] for value in values)}"


def _split(data: bytes) -> list[int]:
    """Split bytes into groups of 5 bits; zero bits fill the last one."""
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << count * 5 - len(data) * 8
    return [number >> 5 * (count - 1 - at) & 31 for at in range(count)]


def _expanded(prefix: str) -> list[int]:
    return [*(ord(char) >> 5 for char in prefix), 0, *(ord(char) & 31 for char in prefix)]


def _checksum(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            if top >> bit & 1:
                state ^= generator
    return state


def _regrouped(values: list[int]) -> bytes:
    """Join groups of 5 bits into bytes; what is left over must be fewer than 5 zero bits."""
    held = bits = 0
    out = bytearray()
    for value in values:
        held = held << 5 | value
        bits += 5
        if bits >= 8:
            bits -= 8
            out.append(held >> bits & 0xFF)
    if bits >= 5 or held & (1 << bits) - 1:
        raise ValueError("wrong padding")
    return bytes(out)
