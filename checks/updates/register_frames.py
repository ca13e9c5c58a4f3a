"""Lines of a register that surely are no papers: totals, headings of a month or a page, signatures, empty frames. Pure.

A line that cannot be read may be the paper that a unit's week lacks, and so leaves the week open for every unit. A total of the page or the
place for a signature is none. Only what says nothing but such words, in at most two cells, is taken for a frame; anything else may be a paper.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from checks.updates.text import without_marks

MOST_CELLS = 2
"""A total has its words and its number; what has more may be a paper."""
LEAST_HEADINGS = 3
TELLING = ("ArrivalDate", "OrganName", "CodeNumber", "CodeNotation", "IssuedDate")
"""Columns in which a title of the register would be a paper's author, day or number."""
_NUMBERS = r"[ivx]{1,5}|\d{1,5}"
_COUNTED = (
    "va|van|ban|cong|den|di|trang|trong|thang|quy|nam|tuan|ngay|mang|sang|chuyen|ky|truoc|nay|luy|ke|so|luong|tu|thuong"
    "|mat|khac|toan|bo|la|co"
)
_TOTAL = re.compile(rf"(?:tong|cong|luy ke)\b(?:\W+(?:{_COUNTED}|{_NUMBERS})\b)*\W*")
_TIME = re.compile(rf"(?:thang|quy|nam|tuan)\b(?:\W*(?:thang|quy|nam|tuan|tu|den|ngay|{_NUMBERS})\b)+\W*")
_PAGE = re.compile(r"\W*(?:trang(?: so)?\W*\d+(?:\W+\d+)?|sang trang|het(?: trang| so)?|tiep theo(?: trang truoc)?)\W*")
_SIGNS = (
    r"(?:nguoi (?:lap|ghi|vao|giu)(?: so| bieu)?|(?:can bo |nhan vien )?van thu|(?:pho )?chanh van phong"
    r"|thu truong (?:don vi|co quan)|(?:da )?ky(?: ten)?|(?:ghi )?(?:ro )?ho(?: va)? ten|dong dau)"
)
_SIGNATURE = re.compile(rf"\W*{_SIGNS}(?:\W+(?:va )?{_SIGNS})*\W*")
_SURNAMES = frozenset(
    "bui cao chau dang dao dinh do doan duong ha ho hoang huynh lam le luong luu ly mai ngo nguyen pham phan ta thai to tran"  # noqa: SIM905
    " trinh truong vo vu".split()
)
_NOTE = re.compile(r"ghi chu\b\W*(.*)", re.DOTALL)
_TELLS_OF_PAPERS = re.compile(r"\d|\b(?:gui|nhan|den|thieu|bo sung|that lac|chua|vao so|bao cao|van ban|cong van)\b")
_NOTHING = re.compile(r"[.\u2026\-\u2010-\u2015_*=·\s]*")
"""With what empty frames are filled. Quotation marks and slashes repeat the line above, and are none of these."""


def find_frames(
    rows: Sequence[Sequence[str]], above: Iterable[Sequence[str]], columns: Mapping[str, int]
) -> Sequence[bool]:
    """Return of each line below the headings whether it surely is no paper.

    Args:
        rows: the lines, each with its cells, in the order of the file.
        above: the lines of title and of headings; a new page repeats them.
        columns: at which place of a line each known column stands.
    """
    known = {_written(row) for row in above} - {()}
    telling = [columns[name] for name in TELLING if name in columns]
    found = [_is_frame(row, known, telling, columns) for row in rows]
    for (place, row), (below, under) in pairwise(enumerate(rows)):
        if found[place] and _is_signature(row) and _is_name(under):
            found[below] = True
    return found


def _is_frame(
    row: Sequence[str], known: Collection[tuple[str, ...]], telling: Sequence[int], columns: Mapping[str, int]
) -> bool:
    cells = _written(row)
    if not cells:
        return True
    if len(cells) >= LEAST_HEADINGS:
        return cells in known or [cell.strip("() ") for cell in cells] == [str(at) for at in range(1, len(cells) + 1)]
    if cells in known and not any(at < len(row) and _says(row[at]) for at in telling):
        return True
    counts = [place for place, cell in enumerate(row) if cell.strip().isdecimal() and len(cell.strip()) <= 4]
    words = [cell for place, cell in enumerate(row) if _says(cell) and place not in counts]
    if not words:  # a running number that waits for its paper
        return not any(place in columns.values() for place in counts)
    if counts:
        taken = {
            columns[name] for name in ("ArrivalNumber", "CodeNumber", "CodeNotation", "Subject") if name in columns
        }
        return taken.isdisjoint(counts) and _TOTAL.fullmatch(without_marks(words[0])) is not None
    return all(map(_is_word, words))


def _is_word(cell: str) -> bool:
    plain = without_marks(cell)
    note = _NOTE.fullmatch(plain)
    if note is not None:
        return _TELLS_OF_PAPERS.search(note[1]) is None
    return any(form.fullmatch(plain) for form in (_TOTAL, _TIME, _PAGE, _SIGNATURE))


def _is_signature(row: Sequence[str]) -> bool:
    return all(_SIGNATURE.fullmatch(without_marks(cell)) for cell in _written(row))


def _is_name(row: Sequence[str]) -> bool:
    """Say whether a line has nothing but names of persons, as below the place for a signature."""
    cells = [cell.split() for cell in row if _says(cell)]
    return 0 < len(cells) <= MOST_CELLS and all(
        1 < len(words) < 6
        and without_marks(words[0]) in _SURNAMES
        and all(word.isalpha() and word[0].isupper() for word in words)
        for words in cells
    )


def _says(cell: str) -> bool:
    return _NOTHING.fullmatch(cell) is None


def _written(row: Sequence[str]) -> tuple[str, ...]:
    """Return what stands in a line's cells; those that say nothing are left out."""
    return tuple(cell.strip() for cell in row if _says(cell))
