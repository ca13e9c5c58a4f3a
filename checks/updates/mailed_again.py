"""By what a mail with files may bring again what an earlier mail of its unit brought: its files' names, or parts that it numbers. Pure.

Of a file its name and its bytes are known. A file that was saved anew has other bytes, and a mail that is too large is sent in parts. Neither
is a copy for certain: offices give the reports of each week one name, so that a number that is new in the subject makes it news.
A mail may also say by itself that it sends again, or completes, what came before.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from checks.updates.summaries import is_telling
from checks.updates.text import fold, read_text, without_marks

_DOCUMENT = re.compile(r"\.(?:docx?|pdf|odt|rtf|xlsx?|pptx?|zip|rar|7z)$", re.IGNORECASE)
_PART = re.compile(r"[(\[]?\b(?:phần|part)\s*\d+(?:\s*/\s*\d+)?[)\]]?|[(\[]\s*[1-9]\s*/\s*[2-9]\s*[)\]]", re.IGNORECASE)
"""Such as (1/2), [2/3] and phần 2; days of months have two digits on either side more often than not."""


_REVISED = re.compile(
    r"\W*\(\d{1,2}\)|\b(?:bản |ban )?(?:đã |da )?(?:chỉnh sửa|chinh sua|sửa(?: lại)?|sua(?: lai)?|final|copy|bản sao|bản cuối|ban cuoi)(?: (?:lần|lan) \d+)?\b"
    r"|\bv(?:er)?\.? ?[1-9]\b",
    re.IGNORECASE,
)
"""What mail programs, browsers and clerks write behind the name of a file that they save once more."""
SENT_AGAIN = "sent-again"
"""The problem of a mail's text that says so."""
SAME_FILE = "same-file"
OTHER_PART = "other-part"
SAME_BEGINNING = "same-beginning"
"""Why a mail may bring an earlier one's again, as its row notes it: a file of its name, another part, or its subject and first words."""
_AGAIN = (
    r"gửi (?:lại|bù|nốt|bổ sung|thay thế)|bản (?:đã )?(?:chỉnh )?sửa(?! đổi)|bản thay thế|lỗi (?:font|phông|file|tệp)"
    r"|(?:bài|tin|thư|file|tệp) hôm qua|bổ sung (?:ảnh|hình|file|tệp|phụ lục|cho (?:bài|tin|thư))|thay (?:thế )?(?:cho )?(?:file|tệp|bài|thư)|\((?:bổ sung|thay thế|sửa)\)"
)
_SAYS_AGAIN = re.compile(_AGAIN)
_SAYS_AGAIN_BARE = re.compile(without_marks(_AGAIN))
FIRST_LINES = 3
"""Lines of a text in which a mail says what it is."""
_MAX_LINE = 200


def says_again(subject: str, text: str) -> bool:
    """Say whether a mail says that it sends again, or completes, what came before.

    >>> says_again("Tin bài", "Em gửi lại bài vì file bị lỗi font."), says_again("Ket qua", "Em gui lai bai"), says_again("Gửi tiền lãi", "")
    (True, True, False)
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(">")]
    said = [fold(line[:_MAX_LINE]) for line in (subject, *lines[:FIRST_LINES])]
    return any(_SAYS_AGAIN.search(one) or (one.isascii() and _SAYS_AGAIN_BARE.search(one)) for one in said)


class MailKeys(NamedTuple):
    """Keys of 63 bits each, in the place of one unit's mail."""

    files: tuple[int, ...] = ()
    """Of the names of its documents."""
    parts: tuple[int, ...] = ()
    """Of its subject without the number of its part."""
    short: tuple[int, ...] = ()
    """Of the names of its documents that tell little."""
    revised: tuple[int, ...] = ()
    """Of those of them that were saved once more, by their names: such a one alone is sought."""

    @property
    def sought_files(self) -> tuple[int, ...]:
        """The keys under which a mail with a document of the same name is sought."""
        return (*self.files, *self.revised)


def again_keys(place: str, subject: str, body: str) -> MailKeys:
    """Return the keys under which a mail is kept and sought.

    Args:
        place: of the unit's mail.
        subject: of the mail.
        body: its text, and the names of its files in lines behind it.
    """
    names = (_DOCUMENT.sub("", line) for line in map(str.strip, body.splitlines()) if _DOCUMENT.search(line))
    read: dict[tuple[str, ...], bool] = {}
    for name in names:
        bare = _REVISED.sub(" ", spaced := name.replace("_", " ").replace("-", " "))
        words = read_text(bare).words
        read[words] = read.get(words, False) or bare != spaced
    named = [words for words in read if is_telling(words)]
    short = {words: is_revised for words, is_revised in read.items() if words and not is_telling(words)}
    whole = read_text(_PART.sub(" ", subject)).words
    parts = (whole,) if _PART.search(subject) and is_telling(whole) else ()
    return MailKeys(
        tuple(_key(f"{place} file", words) for words in named),
        tuple(_key(f"{place} part", words) for words in parts),
        tuple(_key(f"{place} short file", words) for words in short),
        tuple(_key(f"{place} short file", words) for words, is_revised in short.items() if is_revised),
    )


def _key(kind: str, words: tuple[str, ...]) -> int:
    digest = hashlib.blake2b(f"{kind} {' '.join(words)}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
