"""Which earlier text a new one has most of its words from: an old text with words changed, or a part of one. Pure.

Such a text is no copy for certain, as licences and schedules are as much alike, so that it only opens what it bears on. Each is
compared with the first of its kind, as for copies (docs/decisions/0008), and a unit's item with the portal's texts too.

Texts with a group of three words in common are found by the smallest hashes of such groups (min-wise sampling, Broder 1997) and
compared by their sketches. A group that stands in many texts, such as ủy ban nhân, tells nothing of them.

- Words changed here and there: texts of the same numbers are compared as a whole, word by word.
- Parts: of a text's groups of words the share is estimated that another one has (containment, Broder 1997). Where the other one lacks
  some of its numbers it may be a form filled in anew: its title then has a number too that the title of the other one lacks. What is put together from several texts is found by `joined_texts`.
- Frames: a form filled in anew has other numbers in the place of the earlier ones. Where none of these is missing, what a text has besides, such as a greeting
  and a signature with a telephone number, stands around the earlier one and makes it no news.
- A summary is a part of an earlier text only word for word: forms differ by a name at their end, if systems do not cut it off.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from checks.updates.rewriting import CHANGED_SHARE, Sketch, changed_words, sketch_words
from checks.updates.text import Fingerprint
from portalops.model.updates import ItemChannel

LEAST_WORDS = 60
"""Shorter texts are alike by their form alone."""
BRIEF_WORDS = 20
"""A site's text of so many words, and fewer than sixty, is known word for word, as a summary is."""
_CHANGED_WORDS = 2
"""Of such a text, that may be other ones; a name has three."""
_CHANGED_GROUPS = 3 * _CHANGED_WORDS
"""Groups of three words that so many words are in."""
SOUGHT_KEYS = 12
"""By so many a text is looked for."""
KEPT_KEYS = 4
"""By so many a text is found: where a fifth of its words are other ones, each is in the other text with an even chance."""
KEPT_PART_KEYS = 8
"""By so many a text is found from a part of it: a third of it has one of them with a chance of 96 in 100."""
MOST_TEXTS = 16
"""Texts of one key; what would be one more is kept by its next key instead."""
_COMPARED = 3
"""Texts of the same numbers that one is compared with: those that share its rarest keys."""
LIKELY_WHOLES = 8
"""Texts that one may be a part of: those that share its rarest keys."""
NEW_WORDS_OF_A_COUNTER = 0.07
"""Of a text's groups of words, that come with new numbers which make it no news: a counter, a stamp, the head of a mail."""
_LEAST_MARKS = 16
"""Fewer groups of words in the stretch of hashes that all sketches know tell nothing."""
_DEVIATIONS = 2
"""Of a sketch's error, by which a text may be farther away than it seems."""


class TextTrace(NamedTuple):
    """A whole text, as far as is needed to say how much of it others have."""

    words: Sketch
    groups: Sketch
    """Of its groups of three words, each once."""
    numbers: Sketch
    """Of its numbers; the second 15 is another one than the first."""

    def write(self) -> str:
        """Return it as the store keeps it."""
        return " ".join(one.write() for one in self)

    @classmethod
    def read(cls, text: str) -> TextTrace:
        """Return what was written."""
        return cls(*map(Sketch.read, text.split()))


def trace(words: Sketch, mark: Fingerprint) -> TextTrace:
    """Return the trace of a text by its sketch and its fingerprint."""
    groups = Sketch(mark.group_count, tuple(group >> 32 for group in mark.groups))
    return TextTrace(words, groups, sketch_words(mark.figures))


def searched_channels(channel: ItemChannel) -> tuple[ItemChannel, ...]:
    """Return the channels whose texts an item of a channel may have: its own, and of a unit's item the portal."""
    return (channel,) if channel is ItemChannel.PORTAL else (channel, ItemChannel.PORTAL)


def keys_of(channel: ItemChannel, mark: Fingerprint) -> tuple[int, ...]:
    """Return the keys under which a text of the same numbers is found in a channel: at most 12, the first ones first; of 63 bits each."""
    return _keys(f"{channel} {mark.numbers}", mark)


def part_keys_of(channel: ItemChannel, mark: Fingerprint, *, is_summary: bool = False) -> tuple[int, ...]:
    """Return the keys under which a text, or a summary, is found in a channel by a part of it, likewise."""
    return _keys(f"{channel} summaries" if is_summary else f"{channel} parts", mark)


def _keys(kind: str, mark: Fingerprint) -> tuple[int, ...]:
    start = int.from_bytes(hashlib.blake2b(kind.encode(), digest_size=8).digest(), "big")
    return tuple((start ^ group) >> 1 for group in mark.groups[:SOUGHT_KEYS])


def likely_texts(
    keys: Iterable[int], holders: Mapping[int, Sequence[str]], *, most: int = _COMPARED
) -> tuple[str, ...]:
    """Return the texts to compare one with, by the keys that they share with it; a rare key says more than a common one."""
    score: dict[str, float] = defaultdict(float)
    for texts in filter(None, map(holders.get, keys)):  # most keys have no text
        for text in texts:
            score[text] += 1 / len(texts)
    return tuple(sorted(score, key=lambda text: (-score[text], text))[:most])


def nearest(own: Sketch, others: Mapping[str, Sketch]) -> str:
    """Return the text that one shares most of its words with; empty if it shares less than about four fifths with each."""
    marks = frozenset(own.marks)
    apart = {
        text: changed_words(other, own, deviations=_DEVIATIONS) / max(own.words, other.words)
        for text, other in others.items()
        if 2 * len(marks.intersection(other.marks)) >= len(marks)  # of most texts this is all that needs to be known
    }
    alike = (text for text, share in apart.items() if share <= CHANGED_SHARE)
    return min(alike, key=lambda text: (apart[text], text), default="")


def wholes_of(own: TextTrace, others: Mapping[str, TextTrace], *, new_share: float = CHANGED_SHARE) -> Sequence[str]:
    """Return the texts that have each all of a new one's groups of words but a share, the one with most of it first."""
    share = {text: _share_of(own.groups, other.groups) for text, other in others.items()}
    whole = (text for text in others if share[text] >= 1 - new_share)
    return sorted(whole, key=lambda text: (-share[text], text))


def has_numbers(own: TextTrace, other: TextTrace) -> bool:
    """Say whether another text has all numbers of one; else it may be a form filled in anew."""
    return _has_all(own.numbers, other.numbers)


def framed_in(own: TextTrace, others: Mapping[str, TextTrace], *, is_summary: bool = False) -> Sequence[str]:
    """Return the texts that a new one has nearly whole, with each of their numbers, and hardly anything besides, whatever numbers it adds.

    Args:
        own: the new text.
        others: those that it may have.
        is_summary: it gives no whole text, so that it has another one word for word.
    """
    return [
        text
        for text in wholes_of(own, others)
        if has_numbers(others[text], own)
        and (
            _stands_in(others[text].groups, own.groups)
            if is_summary
            else _share_of(others[text].groups, own.groups) >= 1 - CHANGED_SHARE
        )
    ]


def holders_of(own: TextTrace, others: Mapping[str, TextTrace]) -> Sequence[str]:
    """Return the texts that a summary is a part of, word for word, whatever its numbers; in the order of their names."""
    return sorted(text for text, other in others.items() if _stands_in(own.groups, other.groups))


def hardly_changed(own: TextTrace, others: Mapping[str, TextTrace]) -> Sequence[str]:
    """Return the texts that a text of fewer than sixty words is one of, but for two words, with no other number; in the order of their names."""
    if own.words.words >= LEAST_WORDS:
        return []
    return sorted(text for text, other in others.items() if _is_hardly_changed(own, other))


def _is_hardly_changed(own: TextTrace, other: TextTrace) -> bool:
    known, missing = _compared(own.groups, other.groups)
    return (
        known >= _LEAST_MARKS
        and missing <= _CHANGED_GROUPS
        and abs(own.groups.words - other.groups.words) <= _CHANGED_GROUPS
        and _compared(own.words, other.words)[1] <= _CHANGED_WORDS
        and has_numbers(own, other)
    )


def is_part_of(own: TextTrace, other: TextTrace) -> bool:
    """Say whether another text has all groups of words of one, as far as its sketch tells: a long one's tells little."""
    return _has_all(own.groups, other.groups)


def _stands_in(own: Sketch, other: Sketch) -> bool:
    """Say whether another text has all marks of one, and so many of them are known that this tells something."""
    known, missing = _compared(own, other)
    return known >= _LEAST_MARKS and missing == 0


def _share_of(own: Sketch, other: Sketch) -> float:
    """Return which share of a text's marks another one has, with one standard deviation added; 0 where the sketches say too little."""
    known, missing = _compared(own, other)
    if known < _LEAST_MARKS:
        return 0.0
    share = 1 - missing / known
    is_exact = own.is_whole and other.is_whole
    return share if is_exact else min(1.0, share + math.sqrt(share * (1 - share) / known))


def _has_all(own: Sketch, other: Sketch) -> bool:
    """Say whether another text has all marks of one, as far as the sketches know."""
    return _compared(own, other)[1] == 0


def _compared(own: Sketch, other: Sketch) -> tuple[int, int]:
    """Return how many marks of a text can be compared with another one's, and how many of them that has not.

    A sketch that is not whole says nothing of marks greater than its greatest.
    """
    end = None if other.is_whole else other.marks[-1]
    marks = {mark for mark in own.marks if end is None or mark <= end}
    return len(marks), len(marks.difference(other.marks))


def free_keys(keys: Iterable[int], *holders: Mapping[int, Sequence[str]], most: int = KEPT_KEYS) -> tuple[int, ...]:
    """Return the keys by which a new text is kept: the first ones that not too many texts have, in the store or of one answer."""
    free = [key for key in keys if sum(len(some.get(key, ())) for some in holders) < MOST_TEXTS]
    return tuple(free[:most])
