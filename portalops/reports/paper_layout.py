"""How blocks lie on paper, reckoned before anything is drawn: widths of columns, where long words may break, what is left off. Pure.

Widths are estimates by the widths of Arial's letters (Liberation Sans has the same), so that no font has to be read for them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

MM_OF_POINT = 25.4 / 72
PADDING_MM = 2.6
"""What a column takes beside its text: its padding on both sides and its line."""
CODE_EM = 0.602
"""Breadth of every letter in a typewriter face, in parts of the type size."""

_NARROW = frozenset("ijlI|!.,:;'`()[]{}/\\ftr -ìíịĩỉ")
_BROAD = frozenset("mwMW%@—…")
_BREAKS = re.compile(r"[^-/._:,;@+=&?]*[-/._:,;@+=&?]+|[^-/._:,;@+=&?]+")
_WANTED_LETTERS = 60
"""A column that holds sentences wants no more room than for a line of these."""
_PIECE_LETTERS = 6
"""Of what is broken anywhere: fewer where a line holds no more."""
_HEAD_LETTERS, _HEAD_SHARE = 14, 0.6
"""A head alone wants no more than this, and may take two lines."""
_CODE_LETTERS, _SENTENCE_LETTERS = 20, 14
"""A code that is broken has no fewer letters in a line, and a sentence not either."""
_LEAST_LETTERS = 22
"""A word longer than this is broken rather than given a column of its own breadth."""


def breadth_mm(text: str, points: float, *, is_code: bool = False) -> float:
    """Return about how broad a text is in one line.

    Args:
        text: shown as it is.
        points: type size.
        is_code: it is set in a typewriter face.
    """
    return points * MM_OF_POINT * (CODE_EM * len(text) if is_code else sum(map(_em, text)))


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.31
    if letter in _BROAD:
        return 0.86
    if letter.isupper():
        return 0.70
    return 0.56 if ord(letter) < 0x2E80 else 1.0


def column_needs(
    cells: Sequence[str], points: float, *, is_code: bool = False, is_whole: bool = False, head: str = ""
) -> tuple[float, float]:
    """Return how broad a column must be for its longest word, and would like to be, in millimetres.

    Args:
        cells: the column's texts.
        points: type size.
        is_code: they are set in a typewriter face.
        is_whole: codes are not to be broken, and other short texts not at their spaces.
        head: what stands above them, in bold.
    """
    least = max((breadth_mm(word, points) * 1.1 for word in head.split()), default=0.0)
    wanted = max(least, min(breadth_mm(head, points) * _HEAD_SHARE, breadth_mm("n" * _HEAD_LETTERS, points)))
    longest = breadth_mm("n" * _WANTED_LETTERS, points)
    for text in cells:
        own = longest if len(text) > 2 * _WANTED_LETTERS else breadth_mm(text, points, is_code=is_code) * 1.04
        wanted = max(wanted, min(own, longest))
        if not is_code:  # what is short fits into two lines, and what is long has some words in each
            least = max(least, min(own * 0.54, breadth_mm("n" * _SENTENCE_LETTERS, points)))
        for word in (text,) if is_whole and (is_code or len(text) <= _LEAST_LETTERS) else text.split():
            if is_code or len(word) <= _LEAST_LETTERS:
                kept = word[:_CODE_LETTERS] if is_code and not is_whole else word
                least = max(least, breadth_mm(kept, points, is_code=is_code) * 1.04)
    return least + PADDING_MM, max(least, wanted) + PADDING_MM


def longest_word_mm(cells: Sequence[str], points: float) -> float:
    """Return how broad a column must be so that no word of its texts is broken, but for those that are very long."""
    words = (word for text in cells for word in text.split() if len(word) <= _LEAST_LETTERS)
    return max((breadth_mm(word, points) for word in words), default=0.0) + PADDING_MM


def share_width(
    needs: Sequence[tuple[float, float]], total: float, lengths: Sequence[Sequence[float]] = ()
) -> tuple[float, ...]:
    """Share a width among columns: each gets what it needs, and what is left goes to where it makes rows lower.

    Args:
        needs: of each column, the least and the wanted width.
        total: in the same measure.
        lengths: of each column, how long each cell's text would be in one line; without them, those that want little
            more have their wish first.

    >>> share_width([(10, 12), (10, 40), (10, 90)], 60)
    (12.0, 24.0, 24.0)
    >>> share_width([(10, 10), (30, 30)], 20)
    (5.0, 15.0)
    >>> share_width([(10, 10), (10, 30)], 80)
    (20.0, 60.0)
    >>> share_width([(10, 20), (10, 40)], 60, [[5, 5], [80, 20]])
    (11.25, 48.75)
    """
    least = sum(one for one, _ in needs)
    if least >= total:
        return tuple(total * one / least for one, _ in needs)
    wishes = [max(needed) for needed in needs]
    if lengths:
        return _lowest_rows([one for one, _ in needs], total, lengths)
    if sum(wishes) <= total:
        return tuple(total * wish / sum(wishes) for wish in wishes)
    shared = [float(one) for one, _ in needs]
    spare = total - least
    by_wish = sorted(range(len(needs)), key=lambda at: wishes[at] - shared[at])
    for place, at in enumerate(by_wish):
        more = min(wishes[at] - shared[at], spare / (len(needs) - place))
        shared[at] += more
        spare -= more
    return tuple(shared)


def _lowest_rows(least: Sequence[float], total: float, lengths: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Give the width that is left away in steps: to the column that for each step loses most of its height, as long as one does."""
    shared = [float(one) for one in least]
    step, left = (total - sum(shared)) / _STEPS, _STEPS
    best = [_best(each, width, step, left) for each, width in zip(lengths, shared, strict=True)]
    while left:
        at = max(range(len(best)), key=lambda place: best[place][0])
        gain, count = best[at]
        if gain <= 0:
            break
        shared[at] += step * count
        left -= count
        best = [
            _best(each, width, step, left) if place == at or best[place][1] > left else best[place]
            for place, (each, width) in enumerate(zip(lengths, shared, strict=True))
        ]
    return tuple(round(width * total / sum(shared), 3) for width in shared)


def _best(lengths: Sequence[float], width: float, step: float, most: int) -> tuple[float, int]:
    """Return how much height a column loses for each of some steps at most, and for how many steps that is most."""
    height = _height(lengths, width)
    gains = [(height - _height(lengths, width + step * count)) / count for count in range(1, min(most, _AHEAD) + 1)]
    best = max(gains, default=0.0)
    return best, gains.index(best) + 1 if gains else 0


_STEPS, _AHEAD = 30, 12


def _height(lengths: Sequence[float], width: float) -> float:
    """Return a measure of how high a column's cells are, in which a high one weighs more than two of half its height."""
    room = max(width - PADDING_MM, 1.0)
    return sum(max(1, math.ceil(length / room)) ** 2 for length in lengths)


def pieces(text: str, room_mm: float, points: float, *, is_code: bool = False) -> str | list[str]:
    """Return a text, or what it falls into where its words are too long for a line: a line may break between two pieces.

    Joined again the pieces are the text. Where there is a choice, words break behind signs such as `-`, `/` and `.`.

    >>> pieces("short words", 30, 10)
    'short words'
    >>> pieces("b8/1f-aaaaaaaaaaaaaaaaaa", 20, 10)
    ['b8/', '1f-', 'aaaaaa', 'aaaaaa', 'aaaaaa']
    """
    if len(text) * points * MM_OF_POINT < room_mm:
        return text
    found: list[str] = []
    start = at = 0
    while at < len(text):
        end = at
        while end < len(text) and not text[end].isspace():
            end += 1
        if breadth_mm(text[at:end], points, is_code=is_code) * 1.04 > room_mm:
            found += [text[start:at]] if at > start else []
            found += _broken(text[at:end], room_mm, points, is_code=is_code)
            start = end
        at = end + 1
    if not found:
        return text
    return [*found, text[start:]] if start < len(text) else found


def _broken(word: str, room_mm: float, points: float, *, is_code: bool) -> Iterator[str]:
    """Yield a word's pieces: up to each sign that it may break behind, and some letters where those are too long as well."""
    most = max(1, min(_PIECE_LETTERS, int(room_mm / breadth_mm("m", points, is_code=is_code))))
    for part in _BREAKS.findall(word):
        if breadth_mm(part, points, is_code=is_code) * 1.04 <= room_mm:
            yield part
            continue
        start = 0
        for at in range(1, len(part)):
            if at - start >= most and not unicodedata.combining(part[at]):
                yield part[start:at]
                start = at
        yield part[start:]


def rows_that_fit(costs: Sequence[Sequence[float]], budget: float) -> tuple[int, ...]:
    """Return how many of its first rows each of several lists may have, so that all together stay within a budget.

    Cheap lists stay whole, and dear ones get equal parts of what is left.

    Args:
        costs: of each list, what each of its rows costs.
        budget: in the same measure.

    >>> rows_that_fit([[1, 1], [1] * 50, [2] * 50], 20)
    (2, 9, 4)
    >>> rows_that_fit([[1, 1], [1] * 5], 20)
    (2, 5)
    """
    sums = [list(accumulate(each)) for each in costs]
    found = [0] * len(sums)
    left = budget
    by_total = sorted(range(len(sums)), key=lambda at: sums[at][-1] if sums[at] else 0.0)
    for place, at in enumerate(by_total):
        found[at] = bisect_right(sums[at], left / (len(sums) - place))
        left -= sums[at][found[at] - 1] if found[at] else 0.0
    return tuple(found)
