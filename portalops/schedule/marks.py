"""The mark on a file that portalops installed: whose it is, and whether somebody has edited it since.

The first line names what made the file and the SHA-256 of all bytes behind that line. A file whose bytes don't fit was edited
by hand; one without such a line is somebody else's. Neither is overwritten or removed unasked.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

_MADE_BY = "# Made by 'portalops schedule install'; SHA-256 of what follows: "
_MARK = re.compile(rb"# Made by 'portalops schedule install'; SHA-256 of what follows: ([0-9a-f]{64})\r?\n")


class FileOwner(StrEnum):
    """Whose a file is."""

    OWN = "own"
    """As portalops wrote it."""
    EDITED = "edited"
    """Written by portalops, and changed since."""
    FOREIGN = "foreign"
    """Not written by portalops, or no longer distinguishable from such a file."""


def marked(text: str) -> bytes:
    r"""Return a file with its mark.

    >>> marked("[Timer]\n").decode().splitlines()[1]
    '[Timer]'
    """
    body = text.encode()
    return f"{_MADE_BY}{hashlib.sha256(body).hexdigest()}\n".encode() + body


def origin_of(data: bytes) -> FileOwner:
    r"""Say whose a file is.

    >>> [origin_of(each).value for each in (marked("a\n"), marked("a\n") + b"b\n", b"a\n")]
    ['own', 'edited', 'foreign']
    """
    found = _MARK.match(data)
    if found is None:
        return FileOwner.FOREIGN
    fits = hashlib.sha256(data[found.end() :]).hexdigest() == found[1].decode()
    return FileOwner.OWN if fits else FileOwner.EDITED
