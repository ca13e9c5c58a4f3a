"""Two lines of a register that may be of one paper: by the paper's own number, or by what of the number and the subject they share. Pure.

An office gives one number of a kind of paper once a year (Decree 30/2020/NĐ-CP, article 15 and Annex I). So the number with its signs is
one paper, whatever subject two clerks write. A number without its signs is one where no kind is written that speaks against it.

Clerks write one number in many forms: 144/BC-UBND, 144/BCUBND, 144BC/UBND, 144 BC-UBND, BC 144. So signs are compared as parts, and run together.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import NamedTuple

from checks.updates.paper_numbers import (
    KIND_SIGNS,
    WRITTEN_KINDS,
    PaperNumber,
    is_signs,
    kind_at_start,
    kind_in_front,
    plain_title,
)
from checks.updates.summaries import TELLING_WORDS
from checks.updates.text import without_marks

SAME_SUBJECT = 2 / 3
"""Subjects of one number that share more of their words than this are one subject: one ends in a full stop, or begins with V/v."""
_CODE = re.compile(
    r"\W*(?:s[ốo]\W{0,3})?(\d+)([^\W\d]*)((?:\s*[-\u2010-\u2015/&.]+\s*\w+)*)(.*)", re.IGNORECASE | re.DOTALL
)
"""How a paper's line begins: its own number (số ký hiệu), such as 12/BC-SYT, and behind it the subject."""
_UNPARTED = re.compile(
    rf"(\W*(?:[Ss][ốo]\W{{0,3}})?\d+)\s*\(?"
    rf"(?=(?:{WRITTEN_KINDS})(?!\w)|(?i:{WRITTEN_KINDS})\s?[-/.]\s?[^\W\d_]|[A-ZĐ]{{2,}}\s?[-/]\s?[A-ZĐ])"
)
"""A number whose signs stand right behind it, or behind a blank: 144BC/UBND, 144 BC, 144 (BC-UBND)."""
_LETTERS_FOR_ZERO = re.compile(r"(?<!\w)(?=[Oo]*\d)[\dOo]+(?!\w)|(?<!\w)\d+[Oo]+\d+")
_LETTER_BESIDE_DIGIT = re.compile(r"[Oo]\d|\d[Oo]")
_COPY = re.compile(r"\W*(?:sao y(?! t[eế]\b)(?: b[aả]n (?:ch[ií]nh|sao))?|sao l[uụ]c|tr[ií]ch sao)\b", re.IGNORECASE)
"""How the subject of a copy begins (Decree 30/2020/NĐ-CP, article 25)."""
_COPY_SIGN = "sy"
_YEAR = re.compile(r"(?:19|20)\d\d")
"""Clerks write it between number and signs, as in 12/2026/BC-SYT, or leave it out."""
_WORD = re.compile(r"\w+")
_WITH_YEAR = frozenset({"qd", "nq"})
"""Of these the legal normative papers have a series of their own, which bears the year: 12/2026/QĐ-UBND and 12/QĐ-UBND are two
(Decree 78/2025/NĐ-CP on the Law on Promulgation of Legal Normative Documents)."""
_MOST_PARTS = 6
"""Words behind a number that may be its signs, written apart."""
_LEAST_BEHIND_KIND = 3
"""Letters behind a kind that is run together with its office, as in BCUBND; BCĐ is a steering committee, and no report (BC)."""
_DATED = re.compile(r"\W*ngày\W*\d{1,2}\W\d{1,2}(?:\W\d{2,4})?|\W*(?:v/v|về(?: việc)?)\b", re.IGNORECASE)
"""What stands in front of a subject and is none of it."""
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
    glued: str
    """The own signs run together, folded, such as bcubnd."""
    beginnings: frozenset[str]
    """What the first words behind the number come to, run together, up to each of them."""
    is_numbered: bool
    """It has a slash or a kind of paper; a number without both may be a part of the subject."""
    kind: str
    """The sign of the kind of paper with which the subject begins; empty for none."""
    subject: frozenset[str]
    words: tuple[str, ...]
    """The subject's words in order, folded, without a day in front."""
    text: str
    """The subject as it is written."""

    @classmethod
    def read(cls, title: str, *, is_registered: bool = True) -> PaperLine | None:
        """Return what a line says; None where it begins with no number.

        A mail's subject may begin with another paper, as in *NQ 57: tin tuần*; only a register's line begins with its own behind a kind.

        >>> line = PaperLine.read("144a/2026/BC-UBND ngày 12/10/2026 Báo cáo tuần")
        >>> line.number, line.letter, line.year, sorted(line.own)
        (144, 'a', '2026', ['bc', 'ubnd'])
        """
        return _read(title, is_registered)

    @property
    def paper(self) -> PaperNumber | None:
        """Return the paper's own number as a mail may name it; None for one without signs."""
        return PaperNumber(self.number, frozenset(map(str.upper, self.own))) if self.own else None

    def is_of_one_number(self, other: PaperLine) -> bool:
        """Say whether two lines of one year have one number with its signs, whatever their subjects are.

        The signs of one may be some of the other's if a kind of paper is among them: 144/BC is 144/BC-UBND, and the letter 144/UBND is not.
        """
        if (self.number, self.letter) != (other.number, other.letter) or not (self.is_numbered or other.is_numbered):
            return False
        if self.year != other.year and ((self.year and other.year) or not _WITH_YEAR.isdisjoint(self.own)):
            return False
        common = self.own & other.own
        if common and common in (self.own, other.own):
            return self.own == other.own or not KIND_SIGNS.isdisjoint(common)
        short, long = sorted((self.glued, other.glued), key=len)
        return bool(long) and long.startswith(short) and long in self.beginnings & other.beginnings

    def is_of_one_bare_number(self, other: PaperLine) -> bool:
        """Say whether two lines of one register and year have one number without signs, and no two kinds of paper."""
        are_bare = self.is_bare and other.is_bare and self.number == other.number
        return are_bare and (not (self.kind and other.kind) or self.kind == other.kind)

    def has_subject_of(self, other: PaperLine) -> bool:
        """Say whether two lines of one number may be of one paper by their subject.

        A subject of five words or more that is the same is one paper, whatever the signs say. Else neither has signs that speak against it.
        """
        if self.number != other.number or not (self.is_numbered or other.is_numbered):
            return False
        if self.words == other.words and len(self.words) >= TELLING_WORDS:
            return True
        is_one_notation = self.signs <= other.signs or other.signs <= self.signs
        return is_one_notation and _is_one_subject(self.subject, other.subject)


@lru_cache(maxsize=4096)  # a unit's lines of a year: three rules ask for each
def _read(title: str, is_registered: bool) -> PaperLine | None:  # a key of the cache
    plain = unicodedata.normalize("NFKC", title).replace("_", "-").replace("\\", "/")
    if _LETTER_BESIDE_DIGIT.search(plain) is not None:
        plain = _LETTERS_FOR_ZERO.sub(lambda found: re.sub("[Oo]", "0", found[0]), plain, count=1)
    if is_registered:
        plain = _number_first(plain)
    if (unparted := _UNPARTED.match(plain)) is not None:
        plain = f"{unparted[1]}/{plain[unparted.end() :]}"
    found = _CODE.match(plain)
    if found is None:
        return None
    letters, notation, subject = found[2], found[3], found[4]
    words = _WORD.findall(notation)
    year = words[0] if words and _YEAR.fullmatch(words[0]) else ""
    own = _parted(*map(without_marks, _own_signs(words[bool(year) :])))
    behind = [*map(without_marks, words[bool(year) :]), *_WORD.findall(without_marks(subject))][:_MOST_PARTS]
    return PaperLine(
        int(found[1][:9]),
        without_marks(letters),
        year,
        frozenset(own),
        not letters and not words and _is_subject(subject),
        frozenset(word for word in map(without_marks, words) if not _YEAR.fullmatch(word)),
        "".join(own),
        frozenset(accumulate(behind)),
        "/" in notation or not (KIND_SIGNS.isdisjoint(own) or notation.startswith(". ")),
        kind_at_start(subject),
        frozenset(_WORD.findall(without_marks(subject))),
        subject_words(subject),
        subject,
    )


def _number_first(title: str) -> str:
    """Return a line that begins with a kind of paper, as in BC 144, with the number in front; any other as it is."""
    first = _WORD.search(title)
    found = None if first is None or first[0][0].isdigit() else kind_in_front(title)
    if found is None:
        return title
    number, signs, end = found
    rest = title[end:]
    return f"{number}/{signs}{'' if rest[:1] in {'/', '-'} else ' '}{rest}"


def _parted(first: str = "", *further: str) -> tuple[str, ...]:
    """Return signs in their parts: those of BCUBND are BC and UBND."""
    glued = [kind for kind in KIND_SIGNS if first[:-_LEAST_BEHIND_KIND].startswith(kind)]
    kind = max(glued, key=len, default="")
    return tuple(filter(None, (kind, first.removeprefix(kind), *further)))


def subject_words(subject: str) -> tuple[str, ...]:
    """Return a subject's words in order, folded, without a day or *V/v* in front.

    >>> subject_words("ngày 3/11/2026 V/v Tiêm vắc-xin")
    ('tiem', 'vac', 'xin')
    """
    while found := _DATED.match(subject):
        subject = subject[found.end() :]
    return tuple(_WORD.findall(plain_title(subject)))


def copied_subject(title: str, line: PaperLine | None) -> str | None:
    """Return what a line says of the paper of which it is a certified copy; None for a line that is none.

    Args:
        title: of the line.
        line: what it says of its paper; None where it begins with no number.

    >>> copied_subject("Sao y: Kế hoạch tuyên truyền", None), copied_subject("Sao y tế", None)
    (': Kế hoạch tuyên truyền', None)
    """
    subject = unicodedata.normalize("NFC", title) if line is None else line.text
    found = _COPY.match(subject)
    if found is None:
        return subject if line is not None and _COPY_SIGN in line.own else None
    return subject[found.end() :]


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
