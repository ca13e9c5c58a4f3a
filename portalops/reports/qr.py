"""The modules of a QR code (ISO/IEC 18004), which hold a text byte for byte."""

from __future__ import annotations

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
    import segno  # noqa: PLC0415 - only pages with a code need it

    code = segno.make_qr(text.encode(), error=ERROR_CORRECTION, mode="byte", boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)
