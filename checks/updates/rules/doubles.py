"""Items of one unit that may be one item twice, though their texts do not say so: they count for nobody, and against nobody. Pure.

A page lists titles alone and a feed gives texts, so that nothing but the title joins an item at two addresses. A paper that comes by
mail and by post has two lines in a register, and one number of its own. What takes the place of an item of the same title within the
week may be that item, moved or corrected.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from checks.updates.rules.comparing import came_by
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import span
from checks.updates.summaries import TELLING_WORDS
from checks.updates.text import without_marks
from portalops.model.updates import Grade

REPLACED_WITHIN = span(timedelta(days=5))
"""What comes each week under one title comes later than this, also where one week's came late and the next one's early."""
SAME_SUBJECT = 2 / 3
"""Subjects of one number that share more of their words than this are one subject: one ends in a full stop, or begins with V/v."""
_CODE = re.compile(
    r"(?:số\s*:?\s*)?(\d+)\w*\s*/\s*(\w+(?:\s*[-\u2010-\u2015/&.]\s*\w+)*)(.*)", re.IGNORECASE | re.DOTALL
)
"""How a paper's line begins: its own number (số ký hiệu), such as 12/BC-SYT, and behind it the subject."""
_WORD = re.compile(r"\w+")


def find_doubles(items: Iterable[GradedItem], *, window: int, gone: Mapping[str, Gone]) -> frozenset[str]:
    """Return the ids of those of one unit's items that may be another one of them once more.

    Args:
        items: of one unit, each graded by itself.
        window: for how many milliseconds the same text is the same news.
        gone: how items went away, by id; of any unit.
    """
    graded = [item for item in items if item.came is not None]
    doubles = (*_titles_shared(graded, window), *_registered_twice(graded, window), *_replaced(graded, gone))
    return frozenset(doubles)


def _titles_shared(items: Sequence[GradedItem], window: int) -> Iterator[str]:
    """Yield what another source of the channel showed before under the same title, where one of the two gives no text.

    One item of a source is at most one of another source: a title that comes each week in both sources counts each week.
    """
    shown = [item for item in items if item.grade is not Grade.D]
    if len({(item.seen.channel, item.seen.source) for item in shown}) == len({item.seen.channel for item in shown}):
        return
    titled: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
    for item in shown:
        titled[item.seen.channel, item.seen.title.casefold()].append(item)  # the store keeps titles as clean lines
    for (_channel, title), some in titled.items():
        if len(some) == 1 or title.count(" ") < TELLING_WORDS - 1:
            continue
        if len({item.seen.url for item in some}) == 1 or len({item.seen.source for item in some}) == 1:
            continue
        by_source: dict[str, list[GradedItem]] = defaultdict(list)
        for item in sorted(some, key=came_by):
            by_source[item.seen.source].append(item)
        for one, other in combinations(by_source.values(), 2):
            yield from _later_of_pairs(one, other, window)


def _later_of_pairs(one: Sequence[GradedItem], other: Sequence[GradedItem], window: int) -> Iterator[str]:
    """Yield the later item of each pair that two sources may have in common; both are in order."""
    joined = {item.seen.url for item in one} & {item.seen.url for item in other}  # known to be one
    left = [item for item in one if item.seen.url not in joined]
    right = [item for item in other if item.seen.url not in joined]
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        first, second = sorted((left[at_left], right[at_right]), key=came_by)
        if came_by(second)[0] - came_by(first)[0] > window:
            if first is left[at_left]:
                at_left += 1
            else:
                at_right += 1
            continue
        if None in {first.seen.body_letters, second.seen.body_letters}:
            yield second.seen.id
        at_left, at_right = at_left + 1, at_right + 1


def _replaced(items: Sequence[GradedItem], gone: Mapping[str, Gone]) -> Iterator[str]:
    """Yield what its source showed under the title of an item that had gone by then, and had come a few days before."""
    former: dict[tuple[str, str], list[SeenItem]] = defaultdict(list)
    if gone:
        for item in items:
            if item.seen.id in gone and item.grade in {
                Grade.A,
                Grade.B,
            }:  # of what was there before nobody knows since when
                former[item.seen.source, item.seen.title].append(item.seen)
    for item in items if former else ():
        one = item.seen
        for other in former.get((one.source, one.title), ()):
            apart = one.first_seen_at - other.first_seen_at
            if 0 < apart < REPLACED_WITHIN and gone[other.id].at <= one.first_seen_at:
                yield one.id


def _registered_twice(items: Sequence[GradedItem], window: int) -> Iterator[str]:
    """Yield the lines of a register whose paper, by its own number and its subject, came in before."""
    lines: dict[tuple[int, str], list[tuple[GradedItem, frozenset[str]]]] = defaultdict(list)
    for item in items:
        if item.grade is Grade.D and (found := _CODE.match(item.seen.title)):
            notation = "".join(_WORD.findall(without_marks(found[2])))
            lines[int(found[1][:9]), notation].append((item, frozenset(_WORD.findall(without_marks(found[3])))))
    for same in lines.values():
        before: list[tuple[GradedItem, frozenset[str]]] = []
        for item, words in sorted(same, key=lambda one: came_by(one[0])):
            if any(
                came_by(item)[0] - came_by(other)[0] <= window and _is_one_subject(words, others)
                for other, others in before
            ):
                yield item.seen.id
            elif item.is_sure:  # a line that was struck out is no paper for certain
                before.append((item, words))


def _is_one_subject(words: frozenset[str], others: frozenset[str]) -> bool:
    return words == others or len(words & others) > SAME_SUBJECT * min(len(words), len(others))
