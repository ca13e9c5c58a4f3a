"""Items of one unit that may be one item twice, though their texts do not say so: they count for nobody, and against nobody. Pure.

A page lists titles alone and a feed gives texts, so that nothing but the title joins an item at two addresses. Nor does anything else
tell an old item that such a page shows at a new address from another one of its title. A source that gathers
the items of many units puts the unit's name in front of the title or behind it, or cuts it. A paper that comes by
mail and by post has two lines in a register, and one number of its own; or a mail and a line, which have the number or the subject in common. What takes the place of an item of the same title within the
week may be that item, moved or corrected.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import combinations, takewhile
from typing import NamedTuple, TypeVar

from checks.updates.addresses import page_key
from checks.updates.mailed_again import SENT_AGAIN
from checks.updates.paper_numbers import PaperNumber, read_bare_numbers, read_numbers
from checks.updates.rules.comparing import came_by
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.paper_lines import PaperLine, copied_subject, subject_words
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import Stamp, span
from checks.updates.summaries import (
    LEAST_CUT_WORDS,
    TELLING_WORDS,
    TitleWords,
    is_longer_title,
    is_telling,
    may_be_cut_from,
    title_words,
)
from checks.updates.text import without_marks
from portalops.model.updates import Grade

SAME_SUBJECT = 3 / 4
"""Subjects of papers without numbers of their own that share their numbers and so many of their words may be one: clerks write *V/v* or
*Về việc*, and leave out a word."""
REPLACED_WITHIN = span(timedelta(days=5))
"""What comes each week under one title comes later than this, also where one week's came late and the next one's early."""
MOST_OF_BEGINNING = 32
"""Items of a unit whose titles have their first words in common, such as Quyết định về việc cấp giấy phép."""
SENT_AGAIN_WITHIN = span(timedelta(days=7))
SENT_AND_REGISTERED_WITHIN = span(timedelta(days=14))
"""The paper itself comes this soon behind its mail, or before it; a weekly report has one subject, and another mail and line each week."""
_WORD = re.compile(r"\w+")
T = TypeVar("T")


def find_doubles(
    items: Iterable[GradedItem],
    *,
    window: int,
    gone: Mapping[str, Gone],
    year_of: Callable[[Stamp], int],
    registers: Collection[str] = (),
) -> Mapping[str, SeenItem]:
    """Return those of one unit's items that may be another one of them once more, by id, each with that one.

    Args:
        items: of one unit, each graded by itself.
        window: for how many milliseconds the same text is the same news.
        gone: how items went away, by id; of any unit.
        year_of: the local year of a stamp.
        registers: the ids of the sources whose lines are papers with numbers of their own.
    """
    graded = [item for item in items if item.came is not None and not item.went_soon]
    shared = [*_pairs_of_one_title(graded, window)]
    registered = (item for item in graded if item.grade is Grade.D and item.seen.source in registers)
    lines = [(item, PaperLine.read(item.seen.title)) for item in sorted(registered, key=came_by)]
    return dict(
        (
            *_titles_again(graded, shared, window),
            *_titles_shared(shared),
            *_sent_and_registered(graded, registers),
            *_registered_without_a_number(lines),
            *_registered_twice(graded, window, year_of, registers),
            *_copied(lines, window),
            *_replaced(graded, gone),
            *_mailed_again(graded),
        )
    )


_Double = tuple[str, SeenItem]
"""The id of an item, and the earlier one that it may be."""
_Pair = tuple[GradedItem, GradedItem]
"""Items that may be one, the earlier one first."""
_Line = tuple[GradedItem, PaperLine | None]
"""A register's line, and what it says of its paper; None where it begins with no number."""


def _titles_again(items: Sequence[GradedItem], shared: Sequence[_Pair], window: int) -> Iterator[_Double]:
    """Yield what its source showed before at another address, under the same title or one that is cut from it, where it gives hardly a text.

    What another source gives a text of, at its address or under its title, is known by that.
    """
    sources = {item.seen.source for item in items if item.seen.title_alone and item.grade is not Grade.D}
    if not sources:
        return
    told = {page_key(item.seen.url) for item in items if not item.seen.title_alone}
    told_elsewhere = {
        one.seen.id for pair in shared for one in pair if any(not other.seen.title_alone for other in pair)
    }
    begun: dict[tuple[str, tuple[str, ...]], list[tuple[GradedItem, TitleWords]]] = defaultdict(list)
    equal: dict[tuple[str, TitleWords], GradedItem] = {}
    for item in sorted((one for one in items if one.seen.source in sources), key=came_by):
        one, title = item.seen, title_words(item.seen.title)
        if one.rewrite or not one.url or not title.words:
            continue
        alike = begun[one.source, title.words[:LEAST_CUT_WORDS]]
        former = [equal[one.source, title]] if is_telling(title.words) and (one.source, title) in equal else []
        former += [other for other, words in _few(alike) if words != title and may_be_cut_from(words, title)]
        if one.title_alone and one.id not in told_elsewhere and page_key(one.url) not in told:
            yield from (
                (one.id, other.seen)
                for other in former[:1]
                if page_key(other.seen.url) != page_key(one.url) and came_by(item)[0] - came_by(other)[0] <= window
            )
        equal[one.source, title] = item
        alike.append((item, title))


def _titles_shared(shared: Iterable[_Pair]) -> Iterator[_Double]:
    """Yield what another source showed before under one title at another address, where one of the two gives no text."""
    for first, second in shared:
        has_no_text = None in {first.seen.body_letters, second.seen.body_letters}
        if has_no_text and page_key(first.seen.url) != page_key(second.seen.url):
            yield second.seen.id, first.seen


def _pairs_of_one_title(items: Sequence[GradedItem], window: int) -> Iterator[_Pair]:
    """Yield the items of two sources of a channel under the same title, or one that has it in it, the earlier one first.

    One item of a source is at most one of another source: a title that comes each week in both sources counts each week.
    """
    shown = [item for item in items if item.grade is not Grade.D]
    if len({(item.seen.channel, item.seen.source) for item in shown}) == len({item.seen.channel for item in shown}):
        return
    matched: set[str] = set()
    for group in _TITLE_GROUPS:
        left = [item for item in shown if item.seen.id not in matched]
        for pair in _pairs_of_sources(group(left), window):
            matched.update(item.seen.id for item in pair)
            yield pair


def _equal_titles(items: Sequence[GradedItem]) -> Iterable[Sequence[GradedItem]]:
    titled: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
    for item in items:
        titled[item.seen.channel, item.seen.title.casefold()].append(item)  # the store keeps titles as clean lines
    return [some for (_channel, title), some in titled.items() if title.count(" ") >= TELLING_WORDS - 1]


def _titles_with_others(items: Sequence[GradedItem]) -> Iterator[Sequence[GradedItem]]:
    """Yield items whose titles have one another in them: each title with those that begin with a stretch of its words."""
    beginning: dict[tuple[str, tuple[str, ...]], list[GradedItem]] = defaultdict(list)
    words = {item.seen.title: _WORD.findall(item.seen.title.casefold()) for item in items}
    for item in items:
        beginning[item.seen.channel, tuple(words[item.seen.title][:TELLING_WORDS])].append(item)
    for item in sorted(items, key=came_by):
        own = words[item.seen.title]
        found = {
            other.seen.id: other
            for at in range(len(own) - TELLING_WORDS + 1)
            for other in _few(beginning.get((item.seen.channel, tuple(own[at : at + TELLING_WORDS])), ()))
            if other.seen.source != item.seen.source and is_longer_title(other.seen.title, item.seen.title)
        }
        for other in found.values():
            yield (item, other)


def _cut_titles(items: Sequence[GradedItem]) -> Iterator[Sequence[GradedItem]]:
    """Yield each item with one of another source of which the title is cut from its own, or the other way round."""
    beginning: dict[tuple[str, tuple[str, ...]], list[tuple[GradedItem, TitleWords]]] = defaultdict(list)
    for item in items:
        title = title_words(item.seen.title)
        beginning[item.seen.channel, title.words[:LEAST_CUT_WORDS]].append((item, title))
    for some in beginning.values():
        if any(title.is_cut for _item, title in some):
            for (item, title), (other, words) in combinations(_few(some), 2):
                if item.seen.source != other.seen.source and may_be_cut_from(title, words):
                    yield (item, other)


def _few(items: Sequence[T]) -> Sequence[T]:
    """Return items, or none where so many begin alike that it tells nothing of one of them."""
    return items if len(items) <= MOST_OF_BEGINNING else ()


_TITLE_GROUPS = (_equal_titles, _titles_with_others, _cut_titles)
"""The surest first."""


def _pairs_of_sources(groups: Iterable[Sequence[GradedItem]], window: int) -> Iterator[tuple[GradedItem, GradedItem]]:
    """Yield the pairs of items, the earlier one first, that are each at most one item of two sources."""
    matched: set[tuple[str, str]] = set()
    for some in groups:
        by_source: dict[str, list[GradedItem]] = defaultdict(list)
        for item in sorted(some, key=came_by):
            by_source[item.seen.source].append(item)
        for one, other in combinations(by_source.values(), 2):
            sources = one[0].seen.source, other[0].seen.source
            left = [item for item in one if (item.seen.id, sources[1]) not in matched]
            right = [item for item in other if (item.seen.id, sources[0]) not in matched]
            for pair in _pairs(left, right, window):
                matched.update((item.seen.id, source) for item in pair for source in sources)
                yield pair


def _pairs(
    one: Sequence[GradedItem], other: Sequence[GradedItem], window: int
) -> Iterator[tuple[GradedItem, GradedItem]]:
    """Yield each pair of items that two sources may have in common, the earlier one first; both are in order."""
    joined = {page_key(item.seen.url): item for item in one if item.seen.url}
    known = {page_key(item.seen.url) for item in other} & joined.keys()  # known to be one
    left = [item for item in one if page_key(item.seen.url) not in known]
    right = [item for item in other if page_key(item.seen.url) not in known]
    yield from ((joined[page], item) for item in other if (page := page_key(item.seen.url)) in known)
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        first, second = sorted((left[at_left], right[at_right]), key=came_by)
        if came_by(second)[0] - came_by(first)[0] > window:
            if first is left[at_left]:
                at_left += 1
            else:
                at_right += 1
            continue
        yield first, second
        at_left, at_right = at_left + 1, at_right + 1


def _replaced(items: Sequence[GradedItem], gone: Mapping[str, Gone]) -> Iterator[_Double]:
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
                yield one.id, other


def _mailed_again(items: Sequence[GradedItem]) -> Iterator[_Double]:
    """Yield the mails that say that they send again, or complete, what came before, where one of the days before is there."""
    if not any(is_mailed_again(item.seen) for item in items):
        return
    before: SeenItem | None = None
    before_at = 0
    for item in sorted((one for one in items if one.grade is Grade.D), key=came_by):
        at = came_by(item)[0]
        if before is not None and is_mailed_again(item.seen) and at - before_at <= SENT_AGAIN_WITHIN:
            yield item.seen.id, before
        elif item.is_sure:
            before, before_at = item.seen, at


def is_mailed_again(one: SeenItem) -> bool:
    """Say whether a mail says that it sends again, or completes, what came before."""
    return SENT_AGAIN in one.text_problems.split(",")


def _registered_twice(
    items: Sequence[GradedItem], window: int, year_of: Callable[[Stamp], int], registers: Collection[str]
) -> Iterator[_Double]:
    """Yield the lines whose paper came in before, by its own number, or by what of that and the subject they share."""
    lines: dict[int, list[tuple[GradedItem, PaperLine]]] = defaultdict(list)
    for item in items:
        is_registered = item.seen.source in registers
        if item.grade is Grade.D and (line := PaperLine.read(item.seen.title, is_registered=is_registered)):
            lines[line.number].append((item, line))

    def are_one_paper(item: GradedItem, line: PaperLine, other: GradedItem, former: PaperLine) -> bool:
        if line.has_subject_of(former):
            return True
        is_of_one_register = item.seen.source == other.seen.source and item.seen.source in registers
        if not line.is_of_one_number(former) and not (is_of_one_register and line.is_of_one_bare_number(former)):
            return False
        return year_of(came_by(item)[0]) == year_of(came_by(other)[0])  # each year begins with number 1

    for same in lines.values():
        before: list[tuple[GradedItem, PaperLine]] = []
        for item, line in sorted(same, key=lambda one: came_by(one[0])):
            same_paper = next(
                (
                    other.seen
                    for other, former in before
                    if came_by(item)[0] - came_by(other)[0] <= window and are_one_paper(item, line, other, former)
                ),
                None,
            )
            if same_paper is not None:
                yield item.seen.id, same_paper
            elif item.is_sure:  # a line that was struck out is no paper for certain
                before.append((item, line))


def _registered_without_a_number(lines: Iterable[_Line]) -> Iterator[_Double]:
    """Yield the lines under one long subject, or nearly, entered within a few days, of which one lacks the paper's own number.

    A paper comes by mail first and by post some days later; a weekly report that never has a number comes later than that.

    Args:
        lines: in order of time.
    """
    alike: dict[frozenset[str], list[tuple[GradedItem, tuple[str, ...], bool]]] = defaultdict(list)
    for item, line in lines:
        is_numbered = line is not None and (line.is_numbered or line.is_bare)
        words = line.words if line is not None and is_numbered else subject_words(item.seen.title)
        if len(words) >= TELLING_WORDS:
            numbers = [word for word in words if not word.isalpha() and any(map(str.isdigit, word))]
            alike[frozenset(numbers)].append((item, words, is_numbered))
    for some in alike.values():
        if len(some) > 1 and not all(is_numbered for _item, _words, is_numbered in some):
            yield from _without_a_number(some)


def _without_a_number(lines: Iterable[tuple[GradedItem, tuple[str, ...], bool]]) -> Iterator[_Double]:
    """Yield those of lines that share the numbers in their subjects; each with the subject's words, and whether it has a number itself."""
    before: list[tuple[GradedItem, frozenset[str], bool]] = []
    for item, in_order, is_numbered in lines:
        words = frozenset(in_order)
        since = came_by(item)[0] - REPLACED_WITHIN
        # In order of time, so that a year of subjects without a number is not read for each line.
        lately = takewhile(partial(_came_after, since), reversed(before))
        same = next(
            (
                former.seen
                for former, earlier, was_numbered in lately
                if not (is_numbered and was_numbered)
                and len(earlier & words) >= SAME_SUBJECT * max(len(earlier), len(words))
            ),
            None,
        )
        if same is not None:
            yield item.seen.id, same
        elif item.is_sure:
            before.append((item, words, is_numbered))


def _copied(lines: Sequence[_Line], window: int) -> Iterator[_Double]:
    """Yield the later of a certified copy and the paper that it copies, by the subject or by the number that the copy names.

    Args:
        lines: in order of time.
        window: for how many milliseconds the same text is the same news.
    """
    copied = [copied_subject(item.seen.title, line) for item, line in lines]
    if not any(subject is not None for subject in copied):
        return
    papers: dict[tuple[str, ...], SeenItem] = {}
    copies: dict[tuple[str, ...], SeenItem] = {}
    numbered: dict[int, tuple[PaperNumber, SeenItem]] = {}
    came: dict[str, Stamp] = {}
    for (item, line), named_subject in zip(lines, copied, strict=True):
        is_copy = named_subject is not None
        own_subject = item.seen.title if line is None else line.text
        subject = own_subject if named_subject is None else named_subject
        words = subject_words(subject)
        alike = [copies.get(words), papers.get(words)] if is_copy else [copies.get(words)]
        named = [*read_numbers(subject), *read_bare_numbers(subject)] if is_copy else []
        alike += [
            numbered[one.number][1] for one in named if one.number in numbered and one.may_be(numbered[one.number][0])
        ]
        same = next((one for one in alike if one and came_by(item)[0] - came[one.id] <= window), None)
        if words and same is not None:
            yield item.seen.id, same
        elif item.is_sure:
            came[item.seen.id] = came_by(item)[0]
            (copies if is_copy else papers)[words] = item.seen
            if line is not None and line.paper is not None and not is_copy:
                numbered[line.number] = line.paper, item.seen


def _came_after(since: Stamp, line: tuple[GradedItem, frozenset[str], bool]) -> bool:
    return came_by(line[0])[0] > since


def _sent_and_registered(items: Sequence[GradedItem], registers: Collection[str]) -> Iterator[_Double]:
    """Yield what came in by one way, such as a line of the register, after it had come in by another, such as mail.

    One item of a source is at most one of another source: a report that comes both ways each week counts each week.
    """
    sent = sorted((item for item in items if item.grade is Grade.D), key=came_by)
    if len({item.seen.source for item in sent}) < 2:
        return
    before: list[tuple[GradedItem, _NamedPapers]] = []
    for item in sent:
        papers = _NamedPapers.read(item.seen.title, is_registered=item.seen.source in registers)
        same = next(
            (
                former
                for former in before
                if former[0].seen.source != item.seen.source
                and came_by(item)[0] - came_by(former[0])[0] <= SENT_AND_REGISTERED_WITHIN
                and papers.may_share_one(former[1])
            ),
            None,
        )
        if same is not None:
            before.remove(same)
            yield item.seen.id, same[0].seen
        elif item.is_sure:
            before.append((item, papers))


class _NamedPapers(NamedTuple):
    """What a mail's subject or a register's line says of the paper that it is."""

    own: PaperNumber | None
    """By which a register's line begins."""
    numbers: tuple[PaperNumber, ...]
    subject: str

    @classmethod
    def read(cls, title: str, *, is_registered: bool) -> _NamedPapers:
        line = PaperLine.read(title, is_registered=is_registered)
        own = None if line is None else line.paper
        subject = title if line is None or own is None else line.text
        return cls(own, (*read_numbers(title), *read_bare_numbers(title)), subject)

    def may_share_one(self, other: _NamedPapers) -> bool:
        """Say whether both may be of one paper: the one names the other's own number, or has its subject."""
        return self._names(other.own) or other._names(self.own) or _has_subject(self.subject, other.subject)

    def _names(self, paper: PaperNumber | None) -> bool:
        return paper is not None and any(one.may_be(paper) for one in self.numbers)


def _has_subject(one: str, other: str) -> bool:
    """Say whether one subject is the other's, or stands in it; mail programs lose blanks and marks where they fold a subject."""
    if is_longer_title(one, other):
        return True
    words, others = (_WORD.findall(without_marks(subject)) for subject in (one, other))
    letters, more = sorted(("".join(words), "".join(others)), key=len)
    return min(len(words), len(others)) >= TELLING_WORDS and letters in more
