"""The modules of a QR code (ISO/IEC 18004), which hold a text byte for byte."""

from __future__ import annotations

import io

import segno
from segno import QRCode

QUIET_ZONE = 4
"""Modules of white around a code, as the standard asks for."""

ERROR_CORRECTION = "m"
"""Up to 15 % of a code may be stained, folded, or lost in a copy of a copy."""


def qr_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the code of exactly the UTF-8 bytes of a text: rows of modules without the quiet zone, true for dark.

    The same text gives the same modules.

    Raises:
        ValueError: the text is longer than a code holds, 2331 bytes.
    """
    return tuple(tuple(bool(module) for module in row) for row in _code(text).matrix)


def qr_png(text: str, *, scale: int = 8) -> bytes:
    """Return the code of a text as PNG in black on white, quiet zone included; the same text gives the same bytes.

    Args:
        text: what the code holds.
        scale: dots along a module's side.

    Raises:
        ValueError: as `qr_modules` does.
    """
    stream = io.BytesIO()
    _code(text).save(stream, kind="png", scale=scale, border=QUIET_ZONE)
    return stream.getvalue()


def _code(text: str) -> QRCode:
    return segno.make_qr(text.encode(), error=ERROR_CORRECTION, mode="byte", boost_error=False)
