"""Which earlier text a new one shares most of its words with: an old text with some words changed, or a form filled in anew. Pure.

Such a text is no copy for certain, as licences and schedules are as much alike, so that it only opens what it bears on. Texts of other
numbers are never compared, and each is compared with the first of its kind, as for copies (docs/decisions/0008).

Of all texts of a channel those with a group of three words in common are found by the smallest hashes of such groups (min-wise
sampling, Broder 1997) and compared by their sketches. A group that stands in many texts, such as ủy ban nhân, tells nothing of them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from checks.updates.rewriting import CHANGED_SHARE, Sketch, changed_words
from checks.updates.text import Fingerprint

LEAST_WORDS = 60
"""Shorter texts are alike by their form alone."""
KEPT_KEYS = 4
"""By so many a text is found: where a fifth of its words are other ones, each is in the other text with an even chance."""
MOST_TEXTS = 16
"""Texts of one key; what would be one more is kept by its next key instead."""
_COMPARED = 3
"""Texts that one is compared with: those that share its rarest keys."""
_DEVIATIONS = 2
"""Of a sketch's error, by which a text may be farther away than it seems."""


def keys_of(channel: str, mark: Fingerprint) -> tuple[int, ...]:
    """Return the keys under which a text may be found in a channel: at most 12, the first ones first; of 63 bits each."""
    seed = hashlib.blake2b(f"{channel} {mark.numbers}".encode(), digest_size=8).digest()
    start = int.from_bytes(seed, "big")
    return tuple((start ^ group) >> 1 for group in mark.groups)


def likely_texts(keys: Iterable[int], holders: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """Return the texts to compare one with, by the keys that they share with it; a rare key says more than a common one."""
    score: dict[str, float] = defaultdict(float)
    for key in keys:
        texts = holders.get(key, ())
        for text in texts:
            score[text] += 1 / len(texts)
    return tuple(sorted(score, key=lambda text: (-score[text], text))[:_COMPARED])


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


def free_keys(keys: Iterable[int], *holders: Mapping[int, Sequence[str]]) -> tuple[int, ...]:
    """Return the keys by which a new text is kept: the first ones that not too many texts have, in the store or of one answer."""
    free = [key for key in keys if sum(len(some.get(key, ())) for some in holders) < MOST_TEXTS]
    return tuple(free[:KEPT_KEYS])
