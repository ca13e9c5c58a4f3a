"""What a mail says in passing that may be a unit's name: its subject, to whom it went too, and the first and last lines of its text. Pure.

A clerk writes from a private address and signs with the unit's name; an editor passes a unit's mail on, with its head. No unit is known here:
kept are the words behind one with which names of agencies begin, in any order that a reader can hold against the names of the units. What stands
in the middle of a text is the news, and whom it is about sent nothing. Lines with a sign of quotation are another mail's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checks.updates.text import fold, without_marks

EDGE_LINES = 5
"""Lines at either end of a text that are read."""
MOST_MENTIONS = 20
MOST_WORDS = 12
"""Of one mention; the longest name of a department has eleven."""
_MAX_LINE = 300
_ENDS = re.compile(r"[;:!?()<>\[\]{}|\"“”«»‹›\n\t]+|(?<=\w{4})[.](?=\s|$)")
"""A full stop behind a short word stands for an abbreviation, such as TP."""
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){1,8}")
_KINDS = frozenset(
    [
        "ban", "báo", "bệnh", "bql", "cdc", "chi", "công", "cục", "đặc", "đài", "đoàn", "hạt", "hđnd", "hội", "huyện", "kho", "liên", "mặt", "p",
        "phường", "quận", "quỹ", "sở", "thanh", "thị", "tỉnh", "toà", "tòa", "tp", "trạm", "trung", "trường", "tx", "ttyt", "ub", "ubnd", "uỷ", "ủy",
        "văn", "viện", "vp", "x", "xã",
    ]
)  # fmt: skip
"""First syllables of names of agencies and places."""
_BARE_KINDS = frozenset(map(without_marks, _KINDS))
"""The same as who types no diacritics writes them."""


def mentions(subject: str, text: str, copied_to: Iterable[str]) -> tuple[str, ...]:
    """Return what a mail says that may be an agency's name or address, each once, at most `MOST_MENTIONS`.

    Args:
        subject: of the mail.
        text: as far as it is kept.
        copied_to: the addresses to which it went besides.

    >>> mentions("Tin bài của UBND xã Diên Khánh: tiêm chủng", "> Sở Y tế", ["vanthu@suoidau.example"])
    ('vanthu@suoidau.example', 'UBND xã Diên Khánh')
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(">")]
    edges = lines if len(lines) <= 2 * EDGE_LINES else (*lines[:EDGE_LINES], *lines[-EDGE_LINES:])
    found = dict.fromkeys(one.lower() for one in copied_to)
    for line in (subject, *edges):
        # HTML has no lines but one: a signature stands at its end
        for piece in (line,) if len(line) <= _MAX_LINE else (line[:_MAX_LINE], line[-_MAX_LINE:]):
            found |= dict.fromkeys(one.lower() for one in _ADDRESS.findall(piece))
            for clause in _ENDS.split(piece):
                found |= dict.fromkeys(_likely_names(clause.split()))
    return tuple(found)[:MOST_MENTIONS]


def _likely_names(words: list[str]) -> Iterator[str]:
    """Yield runs of words that begin with the first one of an agency's name; each such name stands whole in one of them."""
    covered = -1
    for at, word in enumerate(words):
        first = fold(word).strip(".,-–").partition(".")[0]
        is_kind = first in _KINDS or (first in _BARE_KINDS and first.isascii())
        if is_kind and (at > covered or words[at - 1].endswith(",")):
            yield " ".join(words[at : at + MOST_WORDS]).strip(" .,-–")
            covered = at + MOST_WORDS // 3
