"""The numbers (số ký hiệu) of papers that a text names, such as 70/BC-UBND. Pure.

A mail brings a paper that comes in on paper too, and names its number in the subject, in the text or by the name of a file. Clerks write one
number in many ways: 70-BC-UBND.pdf, 070/BC-UBND, 70/2026/BC-UBND.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from checks.updates.text import without_marks

MOST_NUMBERS = 3
"""Of one mail: a long text names the papers that it rests on, behind its own."""

_BEHIND = r"[/._\u2010-\u2015-]"
_SIGNS = r"[^\W\d_]+(?:[/._&\u2010-\u2015-][^\W\d_]+)*"
_NUMBER = re.compile(rf"(?<!\d:)(?<![\w/.\u2010-\u2015-])0*(\d{{1,6}}){_BEHIND}(?:(?:19|20)\d\d{_BEHIND})?({_SIGNS})")
_SIGN = re.compile(r"[^\W\d_]+")


class PaperNumber(NamedTuple):
    """A paper's own number, whatever signs stand between its parts."""

    number: int
    signs: frozenset[str]
    """The parts of its notation in capitals, such as BC and UBND."""

    def may_be(self, other: PaperNumber) -> bool:
        """Say whether two numbers may be one: one clerk writes 70/BC-UBND, another 70/BC."""
        return self.number == other.number and (self.signs <= other.signs or other.signs <= self.signs)


def numbers_in_text(text: str) -> tuple[str, ...]:
    """Return the numbers of papers in a text, each once, in one form and in their order; their signs are capitals there.

    >>> numbers_in_text("Kính gửi Báo cáo số 070/BC-UBND ngày 3/11/2026, trực 24/24, 2 đợt/năm, theo QĐ 12/2026/QĐ-UBND.")
    ('70/BC-UBND', '12/QĐ-UBND')
    """
    found = (_written(one) for one in _NUMBER.finditer(text) if one[2].replace("Đ", "D").isupper())
    return tuple(dict.fromkeys(found))


def numbers_in_names(files: Iterable[str]) -> tuple[str, ...]:
    """Return the numbers of papers that names of files have, as `numbers_in_text` does; these are often in small letters.

    >>> numbers_in_names(["70-bc-ubnd.pdf", "van-ban.pdf", "IMG_2026.jpg"])
    ('70/BC-UBND',)
    """
    found = (_written(one) for name in files for one in _NUMBER.finditer(name.rpartition(".")[0] or name))
    return tuple(dict.fromkeys(found))


def read_numbers(text: str) -> tuple[PaperNumber, ...]:
    """Return the numbers in a text as they are compared."""
    return tuple(_read(one) for one in _NUMBER.finditer(text) if one[2].replace("Đ", "D").isupper())


def read_first(title: str) -> tuple[PaperNumber, str] | None:
    """Return the number that a register's line begins with, and the subject behind it; None where it begins with none.

    >>> read_first("070/BC Báo cáo tuần")
    (PaperNumber(number=70, signs=frozenset({'BC'})), ' Báo cáo tuần')
    """
    found = _NUMBER.match(title)
    return None if found is None else (_read(found), title[found.end() :])


def _written(found: re.Match[str]) -> str:
    return f"{found[1]}/{'-'.join(_SIGN.findall(found[2].upper()))}"


def _read(found: re.Match[str]) -> PaperNumber:
    return PaperNumber(int(found[1]), frozenset(_SIGN.findall(without_marks(found[2]).upper())))
