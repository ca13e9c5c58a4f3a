"""By what a mail with files may bring again what an earlier mail of its unit brought: its files' names, or parts that it numbers. Pure.

Of a file its name and its bytes are known. A file that was saved anew has other bytes, and a mail that is too large is sent in parts. Neither
is a copy for certain: offices give the reports of each week one name, so that a number that is new in the subject makes it news.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from checks.updates.summaries import is_telling
from checks.updates.text import read_text

_DOCUMENT = re.compile(r"\.(?:docx?|pdf|odt|rtf|xlsx?|pptx?|zip|rar|7z)$", re.IGNORECASE)
_PART = re.compile(r"[(\[]?\b(?:phần|part)\s*\d+(?:\s*/\s*\d+)?[)\]]?|[(\[]\s*[1-9]\s*/\s*[2-9]\s*[)\]]", re.IGNORECASE)
"""Such as (1/2), [2/3] and phần 2; days of months have two digits on either side more often than not."""


class MailKeys(NamedTuple):
    """Keys of 63 bits each, in the place of one unit's mail."""

    files: tuple[int, ...] = ()
    """Of the names of its documents."""
    parts: tuple[int, ...] = ()
    """Of its subject without the number of its part."""


def again_keys(place: str, subject: str, body: str) -> MailKeys:
    """Return the keys under which a mail is kept and sought.

    Args:
        place: of the unit's mail.
        subject: of the mail.
        body: its text, and the names of its files in lines behind it.
    """
    names = (_DOCUMENT.sub("", line) for line in map(str.strip, body.splitlines()) if _DOCUMENT.search(line))
    named = dict.fromkeys(words for name in names if is_telling(words := read_text(name.replace("_", " ")).words))
    whole = read_text(_PART.sub(" ", subject)).words
    parts = (whole,) if _PART.search(subject) and is_telling(whole) else ()
    return MailKeys(
        tuple(_key(f"{place} file", words) for words in named), tuple(_key(f"{place} part", words) for words in parts)
    )


def _key(kind: str, words: tuple[str, ...]) -> int:
    digest = hashlib.blake2b(f"{kind} {' '.join(words)}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
