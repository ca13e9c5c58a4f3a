"""By what an item that gives no whole text is known for other news: by its title, and by how its summary begins. Pure.

A site that shows the portal's news as summaries has no text in common with the portal, which gives it whole. A site that shows its
own item again, under a longer title, has the summary in common. Systems put a place or the name of the unit in front of either, the
name of the site behind a title, and cut both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

from checks.updates.text import HASH_BODY_LETTERS, has_letters, read_text
from portalops.model.updates import ItemChannel

TELLING_WORDS = 5
"""A title of fewer words, such as Lịch công tác tuần 47, is that of many items; numbers are no words."""
BEGINNING_WORDS = 25
"""By so many words the beginning of a text is known; systems cut summaries at thirty words or later."""
LEAD_IN_WORDS = 12
"""So many words may stand in front of what is shown again, with a sign behind them, such as (Cổng thông tin điện tử tỉnh Khánh Hòa) - and Xã Diên An:."""
CUT_WORDS = 8
"""A title that was cut has so many words of the whole one; systems cut titles at fifty signs or later, which is ten words."""
LEAST_CUT_WORDS = 4
"""So many are enough between two items of one unit, where the sign of the cut stands behind them."""
SUMMARY_WORDS = 10
"""A shorter summary, such as Mời xem chi tiết, is that of many items."""

_ELLIPSES = ("...", "…")
_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"\s*[:|,]\s+|\s*[-–—]\s+|\)\s*")
_ENDS = re.compile(r"\s*\n\s*|(?<=[.:;,!?|)])\s+|\s*[-–—]\s+")
"""Of a sentence, a line or a lead-in."""
_LEAD_IN_SIGNS = 120
"""A lead-in of twelve words is no longer."""


class NewsKeys(NamedTuple):
    """By what an item is found, or looked for; keys of 63 bits each."""

    titles: tuple[int, ...] = ()
    """Titles are compared besides: what stands under these keys may be another title that begins alike."""
    beginnings: tuple[int, ...] = ()
    """Of its text."""


def shown_keys(title: str, body: str | None, *, kind: str = "") -> NewsKeys:
    """Return the keys under which an item is found by its title and by its first words, among items of a kind; the portal's have none."""
    heading, words = _bare_words(title), _words(body or "")
    titles = [_key(f"{kind}title", heading)] if is_telling(heading) else []
    titles += [_key(f"{kind}title", heading[:CUT_WORDS])] if len(heading) > CUT_WORDS else []
    return NewsKeys(tuple(titles), _runs(f"{kind}beginning", words, _starts(body or "")[:2], BEGINNING_WORDS))


def sought_keys(title: str, body: str | None, *, kind: str = "") -> NewsKeys:
    """Return the keys by which an item is looked for, likewise: by all that may stand behind a lead-in."""
    heading, words = _bare_words(title), _words(body or "")
    pieces = {heading, *(_bare_words(piece) for piece in _pieces(title))}
    titles = [_key(f"{kind}title", piece) for piece in sorted(pieces) if is_telling(piece)]
    titles += _runs(f"{kind}title", heading, _starts(title), CUT_WORDS)
    return NewsKeys(tuple(titles), _runs(f"{kind}beginning", words, _starts(body or ""), BEGINNING_WORDS))


def beginning_keys(text: str, length: int, *, kind: str, starts: int | None = None) -> tuple[int, ...]:
    """Return the keys of the first words of a text, and of those behind each sign that may end a lead-in.

    Args:
        text: as its source gives it.
        length: how many words; a text that has fewer has no key.
        kind: of items among which it is sought.
        starts: of how many of its beginnings; None for all.
    """
    return _runs(f"{kind}beginning", _words(text), _starts(text)[:starts], length)


def inner_keys(text: str, *, kind: str = "") -> tuple[int, ...]:
    """Return the keys of the first words behind each end of a sentence or a line of a text, as a greeting may stand in front of news."""
    pieces = [read_text(piece).words for piece in _ENDS.split(text)]
    words = tuple(chain.from_iterable(pieces))
    starts = sorted({0, *accumulate(map(len, pieces))})
    return _runs(f"{kind}beginning", words, starts, BEGINNING_WORDS)


def _starts(text: str) -> Sequence[int]:
    """Return at which of its words a text may begin: at the first, and behind each sign that may end a lead-in."""
    return _starts_of(text[:_LEAD_IN_SIGNS])


@lru_cache(maxsize=256)  # each title and text is asked for several kinds of keys
def _starts_of(lead_in: str) -> Sequence[int]:
    ends = (len(_WORD.findall(lead_in[: sign.end()])) for sign in _SEPARATOR.finditer(lead_in))
    return sorted({0, *(end for end in ends if end <= LEAD_IN_WORDS)})


def _pieces(title: str) -> Iterator[str]:
    """Yield a title without what stands in front of a sign such as a colon, or behind one."""
    for sign in _SEPARATOR.finditer(title):
        yield title[sign.end() :]
        yield title[: sign.start()]


def _runs(kind: str, words: Sequence[str], starts: Iterable[int], length: int) -> tuple[int, ...]:
    return tuple(_key(kind, words[at : at + length]) for at in starts if at + length <= len(words))


def summary_keys(channel: ItemChannel, body: str | None) -> tuple[int, ...]:
    """Return the key under which an item of a sub-portal is found by its whole summary; none where its text is known by itself."""
    words = _words(body or "")
    is_short = channel is ItemChannel.SUBPORTAL and len(words) >= SUMMARY_WORDS
    return (_key("summary", words),) if is_short and not has_letters(body or "", HASH_BODY_LETTERS) else ()


OPENING_WORDS = (20, 30, 40, 60)
"""So many first words are compared of two texts of one title: the most that the shorter one has."""


LONG_SUMMARY_WORDS = 70
"""A summary of so many words is known by its groups of words, and is not the shorter one here."""


class OpeningKeys(NamedTuple):
    """By what an item is found by its title with its first words, or looked for; keys of 63 bits each."""

    kept: tuple[int, ...] = ()
    """Other ones for a whole text than for a summary."""
    sought: tuple[int, ...] = ()
    """Under which such an item may be kept; for a whole text summaries alone."""
    same_length: tuple[int, ...] = ()
    """Under which one of as many words is kept: a form filled in anew."""


def opening_keys(place: str, title: str, body: str | None, *, is_summary: bool) -> OpeningKeys:
    """Return the keys of an item by its title with the first words of its text; none where either says too little."""
    heading, words = _bare_words(title), _words(without_cut_word(body or ""))
    lengths = [length for length in OPENING_WORDS if length <= len(words)]
    if not is_telling(heading) or not lengths:
        return OpeningKeys()

    def key(kind: str, length: int) -> int:
        return _key(f"{place} opening {kind}", (*heading, "\n", *words[:length]))

    own = "cut" if is_summary else "whole"
    same_length = (key(f"of {len(words)}", lengths[-1]),)
    last = (
        lengths[-1:] if len(words) < LONG_SUMMARY_WORDS else []
    )  # of a longer one these words are no more than its beginning
    kept = (*(key(own, length) for length in lengths), *(key(f"{own} end", length) for length in last), *same_length)
    sought = [
        some
        for kind in (("cut", "whole") if is_summary else ("cut",))
        for some in (*(key(kind, length) for length in last), *(key(f"{kind} end", length) for length in lengths))
    ]
    return OpeningKeys(kept, tuple(sought), same_length)


def numberless_key(body: str | None) -> Callable[[str], int] | None:
    """Return what makes the key of a short text, in a place, by its words without its numbers; None where it has none, or too few words."""
    words = _words(body or "")
    others = [word for word in words if not word.isdigit()]
    if len(words) < SUMMARY_WORDS or len(others) == len(words):
        return None
    return lambda place: _key(f"{place} numberless", others)


def is_title_alone(body: str | None) -> bool:
    """Say whether a text or summary has so few words that its item is known by the title alone."""
    return len(_words(body or "")) < SUMMARY_WORDS


def is_longer_title(one: str, other: str) -> bool:
    """Say whether one of two titles is the other one, or its beginning where it is cut, with words in front or behind.

    >>> is_longer_title("Phóng sự ảnh: Lễ phát động Tết trồng cây", "Lễ phát động Tết trồng cây")
    True
    >>> is_longer_title("Xã An: Chủ tịch xã đối thoại với thanh niên khởi ngh...", "Chủ tịch xã đối thoại với thanh niên khởi nghiệp")
    True
    >>> is_longer_title("Lịch công tác tuần 46 của Sở Y tế", "Lịch công tác tuần 47 của Sở Y tế")
    False
    """
    first, second = title_words(one), title_words(other)
    return _stands_in(first, second) or _stands_in(second, first)


def may_be_cut_from(one: TitleWords, other: TitleWords) -> bool:
    """Say whether one of two titles is cut by an ellipsis, and the other one begins with its words, four or more; numbers are no words.

    >>> cut, whole = title_words("Chủ tịch xã đối thoại với..."), title_words("Chủ tịch xã đối thoại với thanh niên")
    >>> may_be_cut_from(cut, whole)
    True
    """
    return any(
        cut.is_cut
        and whole.words[: len(cut.words)] == cut.words
        and sum(not word.isdigit() for word in cut.words) >= LEAST_CUT_WORDS
        for cut, whole in ((one, other), (other, one))
    )


class TitleWords(NamedTuple):
    """A title as it is compared with others."""

    words: tuple[str, ...]
    """Of one that is cut without the last one, which may be cut too."""
    is_cut: bool


def title_words(title: str) -> TitleWords:
    """Return the words of a title; an ellipsis at its end cuts it."""
    words, is_cut = _bare_words(title), title.rstrip().endswith(_ELLIPSES)
    return TitleWords(words[:-1] if is_cut else words, is_cut)


def _stands_in(one: TitleWords, other: TitleWords) -> bool:
    """Say whether a title stands in another one, whole or up to where either was cut."""
    return any(
        _is_same_run(one, TitleWords(other.words[at:], other.is_cut))
        for at, word in enumerate(other.words)
        if one.words and word == one.words[0]
    )


def _is_same_run(one: TitleWords, rest: TitleWords) -> bool:
    shared = min(len(one.words), len(rest.words))
    run = one.words[:shared]
    if run != rest.words[:shared]:
        return False
    if shared == len(one.words) and not one.is_cut:
        return is_telling(run)
    is_beginning = shared == len(one.words) or rest.is_cut
    return is_beginning and len(run) >= CUT_WORDS and is_telling(run)


def without_cut_word(text: str) -> str:
    """Return a text without the last word, where an ellipsis says that it was cut there.

    >>> without_cut_word("Sáng nay, lãnh đạo Sở tiếp công d...")
    'Sáng nay, lãnh đạo Sở tiếp công'
    """
    plain = text.rstrip()
    return plain.rpartition(" ")[0] if plain.endswith(_ELLIPSES) else text


def is_telling(words: Sequence[str]) -> bool:
    """Say whether a title's words are that of one item."""
    return sum(not word.isdigit() for word in words) >= TELLING_WORDS


def _words(text: str) -> tuple[str, ...]:
    return read_text(text).words


def _bare_words(title: str) -> tuple[str, ...]:
    """Return a title's words without marks: capitals are often typed so, and titles hardly ever differ by marks alone."""
    return read_text(title).words


def _key(kind: str, words: Sequence[str]) -> int:
    digest = hashlib.blake2b(f"{kind} {' '.join(words)}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
