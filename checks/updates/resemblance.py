"""What earlier text a new item shows again, wholly or in part: looked for among those of the store and of the same answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from checks.updates.near_copies import (
    KEPT_KEYS,
    KEPT_PART_KEYS,
    LEAST_WORDS,
    MOST_SOURCES,
    TextTrace,
    free_keys,
    keys_of,
    likely_texts,
    main_source,
    nearest,
    part_keys_of,
    searched_channels,
    trace,
)
from checks.updates.rewriting import Sketch
from checks.updates.summaries import is_longer_title, news_keys, summary_keys
from checks.updates.text import Fingerprint
from portalops.model.updates import ItemChannel

Holders = Mapping[int, Sequence[str]]
"""Texts by their keys."""


class NewText(NamedTuple):
    """A new item, as far as its text is looked for."""

    text: str
    """What it says, as other items may too."""
    title: str
    figures: tuple[str, ...] = ()
    """Its numbers."""
    trace: TextTrace | None = None
    """None where it gives no whole text, or one that is too short to tell by."""
    near: tuple[int, ...] = ()
    """Keys of a text of the same numbers in its channel."""
    parts: tuple[tuple[int, ...], ...] = ()
    """Keys of a text that it is a part of, for each channel in which it is sought, its own first."""
    summary: tuple[int, ...] = ()
    """The key of its summary."""
    news: tuple[int, ...] = ()
    """Keys of the portal's news that it may be."""
    shown: tuple[int, ...] = ()
    """Keys of its own title and beginning, where it is the portal's news."""

    @property
    def sought(self) -> Iterator[int]:
        """Yield all keys by which earlier texts are sought."""
        return chain(self.near, *self.parts, self.summary, self.news, self.shown)

    def likely(self, holders: Holders) -> tuple[str, ...]:
        """Return the texts that it is to be compared with, word by word."""
        return (
            *likely_texts(self.near, holders),
            *likely_texts(chain(*self.parts), holders, most=MOST_SOURCES),
        )


def new_text(
    channel: ItemChannel, text: str, title: str, body: str | None, *, mark: Fingerprint | None, words: Sketch | None
) -> NewText:
    """Return what is to be looked for of a new item.

    Args:
        channel: where it was published.
        text: what it says, as other items may too.
        title: as its source gives it.
        body: its text or summary.
        mark: the fingerprint of its whole text; None where it gives none.
        words: the sketch of the same.
    """
    shown = news_keys(title, body) if channel is ItemChannel.PORTAL else ()
    if mark is None or words is None:
        news = news_keys(title, body) if channel is ItemChannel.SUBPORTAL else ()
        return NewText(text, title, summary=summary_keys(channel, body), news=news, shown=shown)
    if words.words < LEAST_WORDS:
        return NewText(text, title, shown=shown)
    return NewText(
        text,
        title,
        mark.figures,
        trace(words, mark),
        near=keys_of(channel, mark),
        parts=tuple(part_keys_of(one, mark) for one in searched_channels(channel)),
        shown=shown,
    )


@dataclass(frozen=True, slots=True)
class EarlierTexts:
    """The texts that some new items may show again."""

    holders: Holders
    """Texts of the store, by those keys that are sought."""
    traces: dict[str, TextTrace]
    """Of the texts that are likely ones."""
    titles: Mapping[str, Collection[str]]
    """Under which the texts of the store that have a sought summary were published."""
    added: dict[int, list[str]] = field(default_factory=dict)
    """Texts of the same answer, by their keys."""
    _titles_added: dict[str, str] = field(default_factory=dict)

    def find(self, new: NewText) -> str:
        """Return the earlier text that a new item shows again or has most of its words from; empty if there is none."""
        if new.trace is None:
            return self._find_title(new) or self._find_news(new)
        likely = {
            text: self.traces[text]
            for text in (*new.likely(self.holders), *new.likely(self.added))
            if text != new.text and text in self.traces
        }
        same_numbers = {text: one.words for text, one in likely.items() if one.numbers == new.trace.numbers}
        return nearest(new.trace.words, same_numbers) or main_source(new.trace, new.figures, likely)

    def keep(self, new: NewText, *, is_first: bool) -> None:
        """Keep a new text under its keys; by its words only where it is the first of its kind."""
        self._add(new.text, new.shown, most=len(new.shown))
        self._add(new.text, new.summary, most=len(new.summary))
        self._titles_added.setdefault(new.text, new.title)
        if new.trace is None or not is_first or any(new.text in self._texts_of(key) for key in new.near):
            return
        self.traces[new.text] = new.trace
        self._add(new.text, new.near, most=KEPT_KEYS)
        self._add(new.text, new.parts[0], most=KEPT_PART_KEYS)

    def _add(self, text: str, keys: Iterable[int], *, most: int) -> None:
        for key in free_keys(keys, self.holders, self.added, most=most):
            if text not in self._texts_of(key):
                self.added.setdefault(key, []).append(text)

    def _texts_of(self, key: int) -> Sequence[str]:
        return (*self.holders.get(key, ()), *self.added.get(key, ()))

    def _find_title(self, new: NewText) -> str:
        """Return the text of the same summary whose title is a part of the new one, or has it as a part."""
        texts = (text for key in new.summary for text in self._texts_of(key) if text != new.text)
        return min(
            (
                text
                for text in texts
                for title in (*self.titles.get(text, ()), *filter(None, [self._titles_added.get(text)]))
                if is_longer_title(title, new.title)
            ),
            default="",
        )

    def _find_news(self, new: NewText) -> str:
        """Return the portal's news that begins as an item does or has its title; what several of its texts share tells nothing."""
        for key in new.news:
            texts = self._texts_of(key)
            if len(texts) == 1 and texts[0] != new.text:
                return texts[0]
        return ""
