"""Pages that were rewritten at one address: what of an answer is a new text, and no new item. Pure.

A known item counts once more if a fifth of its main text, and at least forty words, changed between two answers; from twenty on it
is open, and so are eight new words that are less than a fifth: a page that is carried on. What changes by
itself is no rewrite: a clock, a counter, what other items of the answer gained too (a list of other news), and a text that was
there before, whole or as a part of another one (two replicas that answer in turn, a page that was cut). A page of prices, a menu or a
schedule keeps its words and changes its day and numbers: where its text changed at all, or none is given, and its claimed day or the day in
its title is a new one, it may be another occasion: that stays open. So does a title that changes together with its date, where no text is given.

Texts are not kept but sketched: as the smallest hashes of their words, each counted as often as it stands there. Sketches of texts
of at most 128 words are exact; of longer ones the change is known with an error, and near a fifth it stays open.
"""

from __future__ import annotations

import hashlib
import math
import struct
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from checks.updates.recognition import NamedCandidate, Recognition, observe
from checks.updates.text import numbers_of, other_readings, read_text
from checks.updates.unit_names import UnitNames
from portalops.model.record import Digest
from portalops.model.updates import Observation, Poll, Rewrite, UpdateSourceTraits

CHANGED_SHARE = 0.2
"""Of the larger text's words (docs/updates.md, What counts)."""
CHANGED_WORDS = 20
"""Fewer changed words are no other text."""
SURE_WORDS = 40
"""Fewer changed words may be a block that changes by itself, such as a random excerpt: that is open."""
SLIGHT_WORDS = 8
"""Fewer new words are a clock, a counter or a date; as many, less than a fifth, are open: a page that is carried on."""
SUMMARY_WORDS = 200
"""Fewer may be a summary: systems cut those at 600 signs or before, and a text is taken for whole from 800 letters on."""
GAINED_SHARE = 0.02
"""Of a text's words, that a part of the former text has more: a word that was cut, or one that joins two sentences."""
KEPT_MARKS = 128
"""Hashes that a sketch keeps: half a kilobyte an item."""
KEPT_TEXTS = 8
"""Earlier texts of one item that are kept, the newest; a site that shows more than these in turn is not recognised."""
_DEVIATIONS = 3
"""How many standard deviations of the sketch's error leave it open."""
_LEAST_MARKS = 16
"""Fewer words in the stretch of hashes that both sketches know tell nothing of what a text gained."""
_MARK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Sketch:
    """A text, as far as is needed to say how much of it another one has."""

    words: int
    marks: tuple[int, ...]
    """The smallest hashes of its words, rising; the second "và" of a text is another word than the first."""

    @property
    def is_whole(self) -> bool:
        """Say whether it has all of the text's words."""
        return self.words <= KEPT_MARKS

    def write(self) -> str:
        """Return it as the store keeps it."""
        return b64encode(struct.pack(f">{1 + len(self.marks)}I", self.words, *self.marks)).decode()

    @classmethod
    def read(cls, text: str) -> Sketch:
        """Return what was written."""
        raw = b64decode(text)
        words, *marks = struct.unpack(f">{len(raw) // _MARK_BYTES}I", raw)
        return cls(words, tuple(marks))


class PageTexts(NamedTuple):
    """What is kept of the texts of one item."""

    current: Sketch
    earlier: tuple[Sketch, ...] = ()
    """Those that it had before, oldest first: each a fifth away from the others."""
    rewrite: str = ""
    """The observation that the current text is; empty if it is none of its own."""


class LastText(NamedTuple):
    """What the last answer that had an item showed of its text."""

    seen_at: datetime
    is_of_base: bool
    """That answer is the source's base."""
    content_hash: str
    """Empty if it gave no whole text."""
    claimed_at: datetime | None = None
    """What the item claimed there."""
    numbers: str = ""
    """The numbers of its title there: a day, as of a page of prices."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What an answer shows of the texts of known items."""

    found: tuple[tuple[Observation, NamedCandidate], ...] = ()
    bounded: frozenset[str] = frozenset()
    """Of the found ones those whose former text the base shows."""
    returned: tuple[tuple[str, bool, datetime], ...] = ()
    """Rewrites whose page has an earlier text again; whether that is sure, as the answer cannot be out of date; seen last."""
    pages: Mapping[str, PageTexts] = field(default_factory=dict)
    """What is to be kept, by item."""


NO_REWRITING = Rewriting()


def sketch(body: str) -> Sketch:
    """Return the sketch of a text."""
    return sketch_words(read_text(body).words)


def _sketch_of(candidate: NamedCandidate) -> Sketch:
    """Return the sketch of a page's text, or of its title alone, which is told apart from a text."""
    if candidate.item.body:
        return sketch(candidate.item.body)
    return sketch_words((*read_text(candidate.item.title).words, _TITLE_ALONE))


_TITLE_ALONE = "\0"
"""No word of a text."""


def _is_title(text: Sketch) -> bool:
    return _mark(_TITLE_ALONE, 1) in text.marks


def _judge_title(old: Sketch, new: Sketch) -> Rewrite:
    """Say whether another title may be that of another text; one with the same words is the same."""
    return Rewrite.NO if old == new else Rewrite.OPEN


def sketch_words(words: Collection[str]) -> Sketch:
    """Return the sketch of a text by its words, which are folded."""
    times = Counter(words)
    marks = {*map(_mark, times, repeat(1))}  # most words stand there once
    for word, most in times.items():
        if most > 1:
            marks.update(map(_mark, repeat(word), range(2, most + 1)))
    return Sketch(len(words), tuple(sorted(marks)[:KEPT_MARKS]))


@lru_cache(maxsize=1 << 16)  # Vietnamese has some seven thousand syllables, of which every text is made
def _mark(word: str, time: int) -> int:
    digest = hashlib.blake2b(f"{word} {time}".encode("utf-8", "surrogatepass"), digest_size=_MARK_BYTES)
    return int.from_bytes(digest.digest(), "big")


def judge_change(old: Sketch, new: Sketch) -> Rewrite:
    """Say whether a text is another one: by the share of words that both do not have, of the larger text, and by those it gained.

    The share of common marks among the smallest of both is that of the common words in all (Broder, On the resemblance
    and containment of documents, 1997), with the error of a sample. A text that gained nothing is a part of the former one.
    """
    larger = max(old.words, new.words)

    def is_enough(words: float) -> bool:
        return words >= CHANGED_WORDS - _ROUNDING and words >= CHANGED_SHARE * larger - _ROUNDING

    if not is_enough(changed_words(old, new, deviations=-_DEVIATIONS)):
        return Rewrite.NO
    least = changed_words(old, new, deviations=_DEVIATIONS)
    change = Rewrite.SURE if is_enough(least) and least >= SURE_WORDS - _ROUNDING else Rewrite.OPEN
    return min(change, _judge_gain(old, new), key=_CERTAINTY.index) if new.words < old.words else change


def _judge_gain(old: Sketch, new: Sketch) -> Rewrite:
    """Say whether a shorter text has words of its own beside the former one: a fifth of them, some, or hardly any."""
    known, is_exact = _known_marks(old, new), old.is_whole and new.is_whole
    if len(known) < _LEAST_MARKS and not is_exact:
        return Rewrite.OPEN
    share = len(known.difference(old.marks)) / max(1, len(known))
    error = 0.0 if is_exact else math.sqrt(share * (1 - share) / len(known))
    if share - error >= CHANGED_SHARE:
        return Rewrite.SURE
    return Rewrite.OPEN if share > GAINED_SHARE else Rewrite.NO


def changed_words(old: Sketch, new: Sketch, *, deviations: float) -> float:
    """Return how many words of the larger text the other one does not have; exact where both sketches are whole.

    Args:
        old: one text.
        new: the other one.
        deviations: by how many standard deviations of the sketches' error the texts are taken to be more alike than they seem.
    """
    every = sorted({*old.marks, *new.marks})
    if not every:
        return 0.0
    is_exact = old.is_whole and new.is_whole
    kept = set(every if is_exact else every[:KEPT_MARKS])
    alike = len(kept.intersection(old.marks).intersection(new.marks)) / len(kept)
    if not is_exact:
        alike += deviations * math.sqrt(alike * (1 - alike) / len(kept))
        alike = min(1.0, max(0.0, alike))
    common = alike / (1 + alike) * (old.words + new.words)
    return max(old.words, new.words) - min(common, old.words, new.words)


_ROUNDING = 1e-6


def is_carried_on(old: Sketch, new: Sketch) -> bool:
    """Say whether a text has at least eight words that the former one did not have; of long texts as far as the sketches tell."""
    grown = new.words - max(old.words, new.words)
    return grown + changed_words(old, new, deviations=1) >= SLIGHT_WORDS - _ROUNDING


def with_text(candidate: NamedCandidate) -> str | None:
    """Return the text of an item that is a page, which has an address of its own; its title where the answer gives no text."""
    item = candidate.item
    if not candidate.url or item.files:
        return None
    return item.body or item.title or None


def find_rewrites(
    recognition: Recognition,
    last: Mapping[str, LastText],
    pages: Mapping[str, PageTexts],
    *,
    traits: UpdateSourceTraits,
    units: UnitNames,
    poll: Poll,
) -> Rewriting:
    """Return what of an answer's known items was rewritten, and what is to be kept of all texts.

    Args:
        recognition: the answer, sorted.
        last: what the answers before showed of the texts of the known items.
        pages: what is kept of their texts.
        traits: what the source is; what a person registers is no page.
        units: how units are named.
        poll: of the answer.
    """
    if traits.attested:
        return NO_REWRITING
    kept: dict[str, PageTexts] = {}
    changed: dict[str, tuple[NamedCandidate, PageTexts, Sketch]] = {}
    for name, candidate in recognition.shown().items():
        body = with_text(candidate)
        before = last.get(name)
        if body is None or (before and before.content_hash == candidate.content_hash):
            continue
        text, page = _sketch_of(candidate), pages.get(name)
        if page is None or _is_title(text) != _is_title(page.current):
            kept[name] = PageTexts(text)
        else:
            kept[name] = page._replace(current=text)
            changed[name] = candidate, page, text
    redated = {name for name, (candidate, _page, _text) in changed.items() if _is_redated(candidate, last.get(name))}
    if 2 * len(redated) > len(last) + 1:
        redated = set()  # dates that move all at once are of the system, and of no page
    gained = {name: _gain(page.current, text) for name, (_candidate, page, text) in changed.items()}
    found: list[tuple[Observation, NamedCandidate]] = []
    bounded: set[str] = set()
    returned: list[tuple[str, bool, datetime]] = []
    for name, (candidate, page, text) in changed.items():
        judge = _judge_title if _is_title(text) else judge_change
        change = judge(page.current, text)
        before = last.get(name)
        if change is not Rewrite.NO and _is_misread(page.current, candidate.item.body or ""):
            continue
        if name not in redated and _is_title(text):
            continue
        if name not in redated and (change is Rewrite.NO or _is_frame(name, gained)):
            if change is Rewrite.NO:
                kept[name] = page._replace(current=text, earlier=_kept_states(page, text))
            if change is Rewrite.NO and not _is_frame(name, gained) and _is_new_state(page, text):
                slight = _observe(name, candidate, Rewrite.OPEN, traits=traits, units=units, poll=poll, is_slight=True)
                found.append((slight, candidate))
                if before and before.is_of_base and before.content_hash:
                    bounded.add(slight.id)
            continue
        is_slight = change is Rewrite.NO  # its day alone, and perhaps some numbers, are other ones
        changes = [] if is_slight else [judge(one, text) for one in page.earlier]
        earlier = _kept_texts(page, text)
        if Rewrite.NO in changes:
            if page.rewrite:
                returned.append((page.rewrite, traits.trust_created, last[name].seen_at))
            kept[name] = PageTexts(text, earlier)
            continue
        # Of the page's own text nothing is known, or nothing of it before.
        if is_slight or candidate.item.body_is_summary or _is_summary_of(page.current, text):
            change = Rewrite.OPEN
        certainty = min([change, *changes], key=_CERTAINTY.index)
        rewrite = _observe(name, candidate, certainty, traits=traits, units=units, poll=poll)
        found.append((rewrite, candidate))
        if before and before.is_of_base and before.content_hash:
            bounded.add(rewrite.id)
        kept[name] = PageTexts(text, earlier, rewrite.id)
    return Rewriting(tuple(found), frozenset(bounded), tuple(returned), kept)


def _is_misread(old: Sketch, body: str) -> bool:
    """Say whether a text is the former one whose UTF-8 was read as Windows-1252, or was it and is repaired."""
    return any(sketch(one) == old for one in other_readings(body))


def _is_redated(candidate: NamedCandidate, before: LastText | None) -> bool:
    """Say whether a known page names another day than before: a later one in its date, or other numbers in its title."""
    if before is None:
        return False
    if _is_later(candidate.claimed_at, before.claimed_at):
        return True
    return before.numbers not in {"", title_numbers(candidate.item.title)}


def title_numbers(title: str) -> str:
    """Return the numbers of a title, such as those of a day, as the store keeps them.

    >>> title_numbers("Giá cả thị trường ngày 18/08/2026")
    '18 2026 8'
    """
    return " ".join(numbers_of(title))[:_MAX_NUMBERS]


_MAX_NUMBERS = 100


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


_CERTAINTY = (Rewrite.NO, Rewrite.OPEN, Rewrite.SURE)


def _is_summary_of(old: Sketch, new: Sketch) -> bool:
    """Say whether a text may have been the beginning of the one that its page has now: a feed that turns to whole texts changes no page."""
    return old.words < SUMMARY_WORDS and not _gain(new, old)


def _kept_texts(page: PageTexts, text: Sketch) -> tuple[Sketch, ...]:
    """Return the earlier texts of an item that is given another one."""
    judge = _judge_title if _is_title(text) else judge_change
    is_there = any(judge(one, page.current) is Rewrite.NO for one in (*page.earlier, text))
    return page.earlier if is_there else (*page.earlier, page.current)[-KEPT_TEXTS:]


def _kept_states(page: PageTexts, text: Sketch) -> tuple[Sketch, ...]:
    """Return the earlier texts of an item that changed by less than a fifth: its former state is one, while there is room.

    What was cut off may come again, and blocks come in turn. Texts that were a fifth away give way to none of these.
    """
    earlier = _kept_texts(page, text) if text.words < page.current.words else page.earlier
    is_known = not all(is_carried_on(one, page.current) or is_carried_on(page.current, one) for one in (*earlier, text))
    return earlier if is_known or len(earlier) >= KEPT_TEXTS else (*earlier, page.current)


def _is_new_state(page: PageTexts, text: Sketch) -> bool:
    """Say whether a text was carried on from each one that its page had."""
    return all(is_carried_on(one, text) for one in (page.current, *page.earlier))


def _gain(old: Sketch, new: Sketch) -> frozenset[int]:
    """Return the marks of words that a text did not have before, as far as both sketches know."""
    return _known_marks(old, new).difference(old.marks)


def _known_marks(old: Sketch, new: Sketch) -> frozenset[int]:
    """Return the marks of a text of which another text's sketch can say whether it has them."""
    end = min((one.marks[-1] for one in (old, new) if not one.is_whole), default=None)
    return frozenset(one for one in new.marks if end is None or one <= end)


def _is_frame(name: str, gained: Mapping[str, frozenset[int]]) -> bool:
    """Say whether at least half of what an item gained another one gained too: then it stands around the text."""
    own = gained[name]
    return bool(own) and any(2 * len(own & other) >= len(own) for item, other in gained.items() if item != name)


def _observe(
    name: str,
    candidate: NamedCandidate,
    change: Rewrite,
    *,
    traits: UpdateSourceTraits,
    units: UnitNames,
    poll: Poll,
    is_slight: bool = False,
) -> Observation:
    """Return a rewrite as an observation of its own; slight ones of one page and day (UTC) are one.

    The dates of the page are those of its first text, so they claim nothing of the rewrite.
    """
    assert poll.evidence is not None
    identity = f"{name}\n{poll.polled_at.astimezone(UTC).date() if is_slight else candidate.content_hash}"
    seen = observe(candidate, {}, traits, units, poll.polled_at, baseline=False, evidence=poll.evidence)
    return replace(
        seen,
        id=hashlib.sha256(identity.encode()).hexdigest()[:32],
        created_at=None,
        published_at=None,
        raw_date="",
        content_hash=Digest(candidate.content_hash),
        rewrite=change,
    )
