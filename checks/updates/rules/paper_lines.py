"""Two lines of a register that may be of one paper: by the paper's own number, or by what of the number and the subject they share. Pure.

An office gives one number of a kind of paper once a year (Decree 30/2020/NĐ-CP, article 15 and Annex I). So the number with its signs is
one paper, whatever subject two clerks write. A number without its signs is one where no kind is written that speaks against it.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NamedTuple

from checks.updates.paper_numbers import KIND_SIGNS, is_signs, kind_at_start
from checks.updates.text import without_marks

SAME_SUBJECT = 2 / 3
"""Subjects of one number that share more of their words than this are one subject: one ends in a full stop, or begins with V/v."""
_CODE = re.compile(r"(?:số\s*:?\s*)?(\d+)(\w*)((?:\s*[-\u2010-\u2015/&.]\s*\w+)*)(.*)", re.IGNORECASE | re.DOTALL)
"""How a paper's line begins: its own number (số ký hiệu), such as 12/BC-SYT, and behind it the subject."""
_YEAR = re.compile(r"(?:19|20)\d\d")
"""Clerks write it between number and signs, as in 12/2026/BC-SYT, or leave it out."""
_WORD = re.compile(r"\w+")
_WITH_YEAR = frozenset({"qd", "nq"})
"""Of these the legal normative papers have a series of their own, which bears the year: 12/2026/QĐ-UBND and 12/QĐ-UBND are two
(Decree 78/2025/NĐ-CP on the Law on Promulgation of Legal Normative Documents)."""
_ABOUT = re.compile(r"(?:v/v|về|ngày)\b", re.IGNORECASE)


class PaperLine(NamedTuple):
    """What a register's line says of its paper."""

    number: int
    letter: str
    """Behind the number, as in 30a/BC-UBND; empty for none."""
    year: str
    """Between number and signs; empty for none."""
    own: frozenset[str]
    """The signs of the paper's own number, folded, such as bc and syt; empty for a number without signs."""
    is_bare: bool
    """It has a number without signs, and behind it a subject or nothing."""
    signs: frozenset[str]
    """All that stands behind the number and a sign of separation, without the year; a part of the subject may be among it."""
    has_slash: bool
    """A number without one may be a part of the subject."""
    kind: str
    """The sign of the kind of paper with which the subject begins; empty for none."""
    subject: frozenset[str]

    @classmethod
    def read(cls, title: str) -> PaperLine | None:
        """Return what a line says; None where it begins with no number.

        >>> line = PaperLine.read("144a/2026/BC-UBND ngày 12/10/2026 Báo cáo tuần")
        >>> line.number, line.letter, line.year, sorted(line.own)
        (144, 'a', '2026', ['bc', 'ubnd'])
        """
        found = _CODE.match(title)
        if found is None:
            return None
        letters, notation, subject = found[2], found[3], found[4]
        words = _WORD.findall(notation)
        year = words[0] if words and _YEAR.fullmatch(words[0]) else ""
        own = frozenset(map(without_marks, _own_signs(words[bool(year) :])))
        return cls(
            int(found[1][:9]),
            without_marks(letters),
            year,
            own,
            not letters and not words and _is_subject(subject),
            frozenset(word for word in map(without_marks, words) if not _YEAR.fullmatch(word)),
            "/" in notation,
            kind_at_start(subject),
            frozenset(_WORD.findall(without_marks(subject))),
        )

    def is_of_one_number(self, other: PaperLine) -> bool:
        """Say whether two lines of one year have one number with its signs, whatever their subjects are.

        The signs of one may be some of the other's if a kind of paper is among them: 144/BC is 144/BC-UBND, and the letter 144/UBND is not.
        """
        if (self.number, self.letter) != (other.number, other.letter) or not (self.has_slash or other.has_slash):
            return False
        if self.year != other.year and ((self.year and other.year) or not _WITH_YEAR.isdisjoint(self.own)):
            return False
        common = self.own & other.own
        if not common or common not in (self.own, other.own):
            return False
        return self.own == other.own or not KIND_SIGNS.isdisjoint(common)

    def is_of_one_bare_number(self, other: PaperLine) -> bool:
        """Say whether two lines of one register and year have one number without signs, and no two kinds of paper."""
        are_bare = self.is_bare and other.is_bare and self.number == other.number
        return are_bare and (not (self.kind and other.kind) or self.kind == other.kind)

    def has_subject_of(self, other: PaperLine) -> bool:
        """Say whether two lines of one number may be of one paper: neither has signs that speak against it, and the subject is one."""
        is_one_notation = self.signs <= other.signs or other.signs <= self.signs
        is_numbered = self.number == other.number and (self.has_slash or other.has_slash)
        return is_one_notation and is_numbered and _is_one_subject(self.subject, other.subject)


def _is_subject(text: str) -> bool:
    """Say whether what stands behind a number is a subject, or nothing; small letters go on from a count, as in 10 năm or 15 hộ."""
    first = _WORD.search(text)
    return first is None or first[0][0].isupper() or _ABOUT.match(text, first.start()) is not None


def _own_signs(words: list[str]) -> tuple[str, ...]:
    """Return the signs that words behind a number begin with: capitals, or what begins with a kind of paper in small letters."""
    signs = tuple(takewhile(is_signs, words))
    if not signs and words and without_marks(words[0]) in KIND_SIGNS:
        signs = tuple(takewhile(str.isalpha, words))
    return signs


def _is_one_subject(words: frozenset[str], others: frozenset[str]) -> bool:
    return words == others or len(words & others) > SAME_SUBJECT * min(len(words), len(others))
