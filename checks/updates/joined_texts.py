"""Whether a text is put together from earlier ones, however many: by the share of its groups of five words that stood there. Pure.

A text is held against all earlier ones of its unit together, and one of a sub-portal against the portal's too; which of them it has
its parts from need not be known. Of each whole text one group of five words in eight is kept, by its hash, so that it is
the same groups of every text (scaled MinHash; Irber and others, Lightweight compositional analysis of metagenomes with
FracMinHash, 2022) and their share estimates that of all groups (containment, Broder 1997). Groups of three words
are too common for that: offices write by templates. A seam between two parts takes four groups.

A number that never stood between the same words makes it news, for by its numbers alone a form differs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from checks.updates.rewriting import CHANGED_SHARE
from checks.updates.text import Fingerprint

LEAST_RUNS = 4
"""Of a text with fewer sampled groups the share says too little; one of sixty words has seven on average."""
LEAST_NUMBERS = 6
"""Of a text that another one has most of, but for its numbers: fewer of them may all have stood elsewhere by themselves."""
SOUGHT_RUNS = 12
"""By so many a text is looked for first."""
LIKELY_SOURCES = 3
"""Texts of which one is named: those that have most of it."""
_TELLING = 4
"""One in so many of these must be known, or the rest is not looked for: most texts are new."""
_NUMBER_BITS = 60
_HEX_DIGITS = _NUMBER_BITS // 4
_PLACE_BITS, _KEY_BITS = 20, 63


class RunKeys(NamedTuple):
    """A text in one place, a unit's channel or the portal, by keys of 63 bits each; those of one place lie together."""

    runs: tuple[int, ...] = ()
    """Of its sampled groups of words, in their order."""
    numbers: tuple[int, ...] = ()
    """Of its numbers, each between the words beside it."""
    runs_between: tuple[int, ...] = ()
    """Of further groups of words, by which each of its parts is known: of each stretch without a sampled one the least."""
    inner_numbers: tuple[int, ...] = ()
    """Of its numbers the ones that it neither begins nor ends with."""

    @property
    def sought_first(self) -> tuple[int, ...]:
        """The groups by which an earlier text is looked for first."""
        return self.runs[:SOUGHT_RUNS] or self.runs_between

    @property
    def kept(self) -> tuple[int, ...]:
        """All keys under which it is kept."""
        return (*self.runs, *self.numbers, *self.runs_between)


def run_keys(place: str, mark: Fingerprint) -> RunKeys:
    """Return the keys of a text in a place, which is any name."""
    seed = int.from_bytes(hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
    rest = (1 << (_KEY_BITS - _PLACE_BITS)) - 1
    kinds = (mark.runs, mark.number_places, mark.runs_between, mark.inner_places)
    return RunKeys(*(tuple([seed ^ one & rest for one in some]) for some in kinds))


def number_of(text: str) -> int:
    """Return the number, of 60 bits, that stands for a text whose content hash is given."""
    return int(text[:_HEX_DIGITS], 16)


def beginning_of(number: int) -> str:
    """Return the 15 letters with which the content hash begins that a number stands for."""
    return f"{number:0{_HEX_DIGITS}x}"


def is_worth_seeking(places: Sequence[RunKeys], holders: Mapping[int, int]) -> bool:
    """Say whether so many of the first groups of a text are known that the others are to be looked for."""
    known = sum(key in holders for keys in places for key in keys.sought_first)
    return known > 0 and _TELLING * known >= min(len(keys.sought_first) for keys in places)


def sources_of(
    places: Sequence[RunKeys],
    holders: Mapping[int, int],
    *,
    own: int,
    former: Collection[int] = (),
    is_form: bool = False,
) -> tuple[int, ...]:
    """Return the numbers of the texts that a new one is put together from, the one with most of it first; none if about a fifth of it is new.

    Args:
        places: its keys in each place in which it is looked for.
        holders: the number of the newest text that has a group or a number, by key.
        own: its own number; a text that stood there as it is is judged as such.
        former: numbers of the texts that its page had before: what those had is not what it gained.
        is_form: another text has most of it, but for its numbers.
    """
    runs = [_first(keys, holders) for keys in zip(*(one.runs for one in places), strict=True)]
    gained = [one for one in runs if one not in former]
    known = [one for one in gained if one is not None]
    if len(gained) < LEAST_RUNS or own in known or len(known) < (1 - CHANGED_SHARE) * len(gained):
        return ()
    numbers = [_first(keys, holders) for keys in zip(*(one.numbers for one in places), strict=True)]
    if None in numbers or (is_form and len(numbers) < LEAST_NUMBERS):
        return ()
    share = Counter(known)
    return tuple(sorted(share, key=lambda text: (-share[text], text)))


def part_sources_of(places: Sequence[RunKeys], holders: Mapping[int, int], *, own: int) -> tuple[int, ...]:
    """Return the numbers of the texts that one may be a part of, word for word, the one with most of it first; none if a group or a number is new.

    Of the numbers that it begins or ends with the cut may have taken a word away, so that these are for the caller to compare.

    Args:
        places: its keys in each place in which it is looked for.
        holders: as for `sources_of`.
        own: its own number.
    """
    groups = (
        *zip(*(one.runs for one in places), strict=True),
        *zip(*(one.runs_between for one in places), strict=True),
    )
    runs = [_first(keys, holders) for keys in groups]
    numbers = [_first(keys, holders) for keys in zip(*(one.inner_numbers for one in places), strict=True)]
    known = [one for one in runs if one is not None]
    if not runs or len(known) < len(runs) or own in known or None in numbers:
        return ()
    share = Counter(known)
    return tuple(sorted(share, key=lambda text: (-share[text], text)))


def _first(keys: Collection[int], holders: Mapping[int, int]) -> int | None:
    return next((holders[key] for key in keys if key in holders), None)
