"""The numbers (số ký hiệu) of papers that a text names, such as 70/BC-UBND. Pure.

A mail brings a paper that comes in on paper too, and names its number in the subject, in the text or by the name of a file. Clerks write one
number in many ways: 70-BC-UBND.pdf, 070/BC-UBND, 70/2026/BC-UBND; or they leave the signs out, as in "báo cáo số 70" and BC70.pdf.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from checks.updates.text import without_marks

MOST_NUMBERS = 3
"""Of one mail: a long text names the papers that it rests on, behind its own."""

_BEHIND = r"[/._\u2010-\u2015-]"
_SIGNS = r"[^\W\d_]+(?:[/._&\u2010-\u2015-][^\W\d_]+)*"
_NUMBER = re.compile(rf"(?<!\d:)(?<![\w/.\u2010-\u2015-])0*(\d{{1,6}}){_BEHIND}(?:(?:19|20)\d\d{_BEHIND})?({_SIGNS})")
_SIGN = re.compile(r"[^\W\d_]+")
_KINDS = {
    "bao cao": "BC", "bien ban": "BB", "chi thi": "CT", "chuong trinh": "CTr", "cong dien": "CĐ", "cong van": "CV", "giay moi": "GM",
    "huong dan": "HD", "ke hoach": "KH", "ket luan": "KL", "nghi quyet": "NQ", "quyet dinh": "QĐ", "thong bao": "TB", "to trinh": "TTr",
    "van ban": "VB",
}  # fmt: skip
"""Kinds of papers without marks, and their signs (Decree 30/2020/NĐ-CP, Annex III)."""
_SAYS_NO_KIND = frozenset({"CV", "VB"})
"""The number of an official letter (công văn) bears no sign of a kind."""
_SIGN_OF = {
    written: sign for kind, sign in _KINDS.items() for written in (kind, kind.replace(" ", ""), without_marks(sign))
}
KIND_SIGNS = frozenset(map(without_marks, _KINDS.values())) - frozenset(map(without_marks, _SAYS_NO_KIND))
"""The signs of kinds of papers, folded."""
WRITTEN_KINDS = "|".join(sorted({*_KINDS.values(), *map(str.upper, _KINDS.values())}))
"""The same as they are written, for a pattern."""
_SHORT = "|".join(sorted(map(without_marks, _KINDS.values()), key=len, reverse=True))
_KIND = "|".join((*(kind.replace(" ", r"\W?") for kind in _KINDS), _SHORT))
_BEFORE = r"[\s:.\u2010-\u2015-]{0,3}"
_OTHER_COUNTS = "".join(
    f"(?<!{word} )"
    for word in "bao bieu chi con dan dat dinh do doi he lo luat luc mau mot nha phong tai tong trong tu ty".split()  # noqa: SIM905  # one line to read instead of thirty
)
"""What stands before "số" where the number is no paper's: bão số 13, chuyển đổi số 10/10, tổng số 70, mẫu số 2, Thông tư số 5."""
_DIGITS = (
    r"(0*\d{1,6})(?:[/-](?:19|20)\d\d)?(?![\d%]|[.,:/-]\d)"
    r"(?!\W{0,2}(?:(?:ngay|nam)(?!\W*\d)|thang|quy|tuan|gio|phut|trieu|ty|dong|ho|nguoi|luot|truong|vu|dot|ky|duong|pho|diem)\b)"
)
"""Not a count, a day, a time or a house: báo cáo 9 tháng, BC 13-10-2026, số 5 đường Trần Phú."""
_BARE = re.compile(
    rf"(?<![^\W_])(?:({_KIND}){_BEFORE}so{_BEFORE}|({_KIND}){_BEFORE}(?:(?:ubnd|hdnd){_BEFORE})?(?!(?:19|20)\d\d\b)|{_OTHER_COUNTS}so{_BEFORE}){_DIGITS}"
    rf"|(?<![\w/.,:-])(0*\d{{1,6}})\s?({_SHORT})(?![^\W_])"
)
_KIND_IN_FRONT = re.compile(
    rf"\W*(?:({'|'.join(kind.replace(' ', chr(92) + 's?') for kind in _KINDS)}){_BEFORE}so|({_SHORT})((?:\s?[/.&-]\s?[a-z]{{2,12}}){{0,3}})(?:{_BEFORE}so)?)"
    rf"{_BEFORE}/?(?!(?:19|20)\d\d\b){_DIGITS}"
)
"""A register's number behind its kind: BC 144, BC-UBND 144, báo cáo số 144."""
_KIND_AT_START = re.compile(
    rf"\W*(?:v/v\W*|ve (?:viec )?)?({'|'.join(kind for kind in _KINDS if kind != 'van ban')})\b"
)
_NAMED_BY_NUMBER = re.compile(r"0*(\d{1,6})\.(?:pdf|docx?|odt)", re.IGNORECASE)


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
    found = (_written(one) for one in _NUMBER.finditer(text) if is_signs(one[2]))
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
    return tuple(_read(one) for one in _NUMBER.finditer(text) if is_signs(one[2]))


def bare_numbers_in_text(text: str) -> tuple[str, ...]:
    """Return the numbers of papers that a text names without their signs, each once, with the kind of paper where it says so.

    >>> bare_numbers_in_text("Báo cáo số 070 ngày 13/10/2026, QĐ 70, công văn số 12 của xã; báo cáo 9 tháng, bão số 13, tuần 41, trực 24/24")
    ('BC số 70', 'QĐ số 70', 'số 12')
    """
    return tuple(dict.fromkeys(f"{sign} số {number}".lstrip() for number, sign in _bare(text)))


def bare_numbers_in_names(files: Iterable[str]) -> tuple[str, ...]:
    """Return the same of names of files; a document may be named by nothing but its number.

    >>> bare_numbers_in_names(["BC 70 UBND.pdf", "BC so 71 ngay 13-10-2026.pdf", "72.pdf", "1.jpg"])
    ('BC số 70', 'BC số 71', 'số 72')
    """
    found: list[str] = []
    for name in files:
        alone = _NAMED_BY_NUMBER.fullmatch(name.strip())
        found += bare_numbers_in_text(f"số {alone[1]}" if alone else name.rpartition(".")[0] or name)
    return tuple(dict.fromkeys(found))


def read_bare_numbers(text: str) -> tuple[PaperNumber, ...]:
    """Return the numbers without their signs in a text as they are compared."""
    return tuple(PaperNumber(number, frozenset({_folded(sign)} - {""})) for number, sign in _bare(text))


@lru_cache(maxsize=4096)  # a unit's lines of a year: of each its number and its subject are asked for
def plain_title(title: str) -> str:
    """Return a title folded and without marks, as `checks.updates.text.without_marks` does."""
    return without_marks(title)


def kind_in_front(title: str) -> tuple[str, str, int] | None:
    """Return the number behind the kind of paper with which a register's line begins, the signs there, and where the number ends.

    >>> kind_in_front("BC-UBND 144 Tình hình"), kind_in_front("Báo cáo số 144"), kind_in_front("Báo cáo 9 tháng")
    (('144', 'BC-UBND', 11), ('144', 'BC', 14), None)
    """
    found = _KIND_IN_FRONT.match(plain_title(title))
    if found is None:
        return None
    kind = " ".join(_SIGN.findall(found[1] or found[2]))
    signs = (_SIGN_OF[kind], *(sign.upper() for sign in _SIGN.findall(found[3] or "")))
    return found[4], "-".join(signs), found.end(4)


def kind_at_start(subject: str) -> str:
    """Return the sign, in capitals, of the kind of paper with which a subject begins; empty for none.

    >>> kind_at_start(" Kế hoạch tuyên truyền"), kind_at_start("V/v Báo cáo tuần"), kind_at_start("Phụ lục")
    ('KH', 'BC', '')
    """
    found = _KIND_AT_START.match(without_marks(subject))
    return _folded(_SIGN_OF[found[1]]) if found else ""


def is_signs(text: str) -> bool:
    """Say whether letters behind a number are signs of a paper, which are capitals but for TTr and CTr."""
    return re.sub("(?<=T)r", "R", text.replace("Đ", "D")).isupper()


def _written(found: re.Match[str]) -> str:
    return f"{found[1]}/{'-'.join(_SIGN.findall(found[2].upper()))}"


def _bare(text: str) -> Iterator[tuple[int, str]]:
    """Yield each number without its signs, with the sign of the kind of paper; empty where the text says none."""
    folded = without_marks(text).replace("_", " ")
    for one in _BARE.finditer(folded):
        if one[3] and _NUMBER.match(folded, one.start(3)):
            continue  # its signs stand behind it: Nghị định số 30/2020/NĐ-CP
        sign = _SIGN_OF.get(" ".join(_SIGN.findall(one[1] or one[2] or one[5] or "")), "")
        yield int(one[3] or one[4]), "" if sign in _SAYS_NO_KIND else sign


def _folded(sign: str) -> str:
    return without_marks(sign).upper()


def _read(found: re.Match[str]) -> PaperNumber:
    return PaperNumber(int(found[1]), frozenset(_SIGN.findall(_folded(found[2]))))
