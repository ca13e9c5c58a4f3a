"""What earlier text a new item shows again, wholly or in part: looked for among those of the store and of the same answer. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from checks.updates.joined_texts import (
    LIKELY_SOURCES,
    RunKeys,
    is_worth_seeking,
    number_of,
    part_sources_of,
    run_keys,
    sources_of,
)
from checks.updates.mailed_again import OTHER_PART, SAME_BEGINNING, SAME_FILE, MailKeys, again_keys
from checks.updates.near_copies import (
    BRIEF_WORDS,
    KEPT_KEYS,
    KEPT_PART_KEYS,
    LEAST_WORDS,
    LIKELY_WHOLES,
    NEW_WORDS_OF_A_COUNTER,
    TextTrace,
    framed_in,
    free_keys,
    hardly_changed,
    has_numbers,
    holders_of,
    is_part_of,
    keys_of,
    likely_texts,
    nearest,
    part_keys_of,
    searched_channels,
    trace,
    wholes_of,
)
from checks.updates.other_units import UnitKeys, UnitText, find_lender, headings_of, mail_keys, unit_keys
from checks.updates.rewriting import CHANGED_SHARE, Sketch
from checks.updates.rules.stamps import stamp
from checks.updates.summaries import (
    NewsKeys,
    OpeningKeys,
    is_longer_title,
    numberless_key,
    opening_keys,
    shown_keys,
    sought_keys,
    summary_keys,
)
from checks.updates.text import Fingerprint, read_text
from checks.updates.title_changes import are_of_like_words, has_new_number, is_another_title, is_next_issue
from portalops.model.updates import ItemChannel, Observation

Holders = Mapping[int, Sequence[str]]
"""Texts by their keys."""


class Showing(NamedTuple):
    """An item that showed a text."""

    text: str
    title: str
    place: str
    """Where: in its unit's channel, or on the portal."""


class NewText(NamedTuple):
    """A new item, as far as its text is looked for."""

    text: str
    """What it says, as other items may too."""
    title: str
    trace: TextTrace | None = None
    """None where it gives a text that is too short to tell by."""
    is_summary: bool = False
    """It gives no whole text."""
    is_brief: bool = False
    """It is a summary or a short text, and known by its parts alone: those of one form are alike up to where systems cut them."""
    near: tuple[int, ...] = ()
    """Keys of a text of the same numbers in its channel."""
    parts: tuple[tuple[int, ...], ...] = ()
    """Keys of a text that it is a part of, for each kind and channel in which it is sought, its own first."""
    runs: tuple[RunKeys, ...] = ()
    """Keys of its groups of five words, for each place in which it may be put together from earlier texts, its own first."""
    former: frozenset[str] = frozenset()
    """Texts that stood at its address before, where it is a rewrite."""
    summary: tuple[int, ...] = ()
    """The key of its summary."""
    news: NewsKeys = NewsKeys()
    """Keys of the portal's news that it may be."""
    shown: NewsKeys = NewsKeys()
    """Keys of its own title and beginning, where it is the portal's news."""
    cut_news: NewsKeys = NewsKeys()
    """Further keys, where it is the portal's news and gives no whole text."""
    units: UnitKeys = UnitKeys()
    """Keys by which it is known for another unit's item, where it is a sub-portal's, or was mailed in."""
    headings: tuple[str, ...] = ()
    """What may be its title besides, where it was mailed in."""
    again: MailKeys = MailKeys()
    """Keys of a mail that may bring the same, where it was mailed in and gives no whole text."""
    places: tuple[str, ...] = ()
    """Where it may have stood before, its own place first."""
    opening: OpeningKeys = OpeningKeys()
    """Keys of its title with its first words, in its own place."""
    numberless: tuple[int, ...] = ()
    """Keys of all its words without its numbers, for each place, where it is short."""
    sites: tuple[int, ...] = ()
    """Keys of a sub-portal's text that it may be, or be a part of, where it was sent in."""

    @property
    def sought(self) -> Iterator[int]:
        """Yield the keys by which earlier texts are sought first."""
        known_by_title = chain(self.summary, *self.news, *self.shown, *self.cut_news, *self.units, *self.opening[1:])
        return chain(self.near, *self.parts, known_by_title, self.numberless, self.sites, *self.again)

    @property
    def first_runs(self) -> Iterator[int]:
        """Yield the keys by which texts that it is put together from are sought first."""
        return chain.from_iterable(keys.sought_first for keys in self.runs)

    def further_runs(self, holders: Mapping[int, int]) -> Iterator[int]:
        """Yield the keys by which such texts are sought besides, if enough of the first ones are known."""
        places = self.runs if is_worth_seeking(self.runs, holders) else ()
        return chain.from_iterable(keys.kept for keys in places)

    @property
    def former_numbers(self) -> frozenset[int]:
        """The numbers of the texts that stood at its address before."""
        return frozenset(map(number_of, self.former))

    def likely_sources(self, holders: Mapping[int, int]) -> Iterator[int]:
        """Yield the numbers of the texts of the store that have most of its groups of words, if enough of them are known."""
        if is_worth_seeking(self.runs, holders):
            groups = chain.from_iterable((*keys.runs, *keys.runs_between) for keys in self.runs)
            found = Counter(holders[key] for key in groups if key in holders)
            likely = (number for number, _count in found.most_common() if number not in self.former_numbers)
            yield from islice(likely, LIKELY_SOURCES)

    def likely(self, holders: Holders) -> tuple[str, ...]:
        """Return the texts of some holders that it is to be compared with, word by word."""
        return (
            *likely_texts(self.near, holders),
            *likely_texts(chain.from_iterable(self.parts), holders, most=LIKELY_WHOLES),
        )

    def likely_on_sites(self, holders: Holders) -> tuple[str, ...]:
        """Return the texts of sub-portals, of some holders, that it is to be compared with likewise."""
        return likely_texts(self.sites, holders, most=LIKELY_WHOLES)


def least_words(channel: ItemChannel) -> int:
    """Return how many words a text must have to be found in an earlier one: each week's mail may have the same few beside its files."""
    return LEAST_WORDS if channel is ItemChannel.SUBMISSION else BRIEF_WORDS


def is_long_summary(channel: ItemChannel, body: str) -> bool:
    """Say whether a summary has words enough to be found in an earlier text."""
    return len(read_text(body).words) >= least_words(channel)


def new_text(
    channel: ItemChannel,
    text: str,
    title: str,
    body: str | None,
    *,
    mark: Fingerprint | None,
    words: Sketch | None,
    is_summary: bool,
    whose: str = "",
    formers: Sequence[str] = (),
) -> NewText:
    """Return what is to be looked for of a new item.

    Args:
        channel: where it was published.
        text: what it says, as other items may too.
        title: as its source gives it.
        body: its text or summary.
        mark: the fingerprint of its text or summary; None where it is too short to tell by.
        words: the sketch of the same.
        is_summary: it gives no whole text.
        whose: its unit, or what else its texts are known by.
        formers: the units that its source was of before.
    """
    is_news = is_summary and channel is not ItemChannel.PORTAL
    new = NewText(
        text,
        title,
        is_summary=is_summary,
        summary=summary_keys(channel, body) if is_summary else (),
        news=sought_keys(title, body) if is_news else NewsKeys(),
        shown=shown_keys(title, body) if channel is ItemChannel.PORTAL else NewsKeys(),
        units=_unit_keys(channel, title, body, is_summary=is_summary),
        headings=headings_of(title, body) if channel is ItemChannel.SUBMISSION and body is not None else (),
        places=(places := places_of(channel, whose, formers)),
        again=again_keys(places[0], title, body) if body and channel is ItemChannel.SUBMISSION else MailKeys(),
        opening=opening_keys(places[0], title, body, is_summary=is_summary),
    )
    is_short = mark is None or words is None or words.words < LEAST_WORDS
    if is_short and is_summary and (key := numberless_key(body)) is not None:
        new = new._replace(numberless=tuple(key(place) for place in places))
    if mark is None or words is None or words.words < least_words(channel):
        return new
    # No long whole text is sought among summaries, of which several would have most of it.
    is_brief = is_summary or is_short
    own = (part_keys_of(channel, mark, is_summary=True),) if is_brief else ()
    return new._replace(
        is_brief=is_brief,
        trace=trace(words, mark),
        near=() if is_brief else keys_of(channel, mark),
        parts=(*own, *(part_keys_of(one, mark) for one in searched_channels(channel))),
        sites=_site_keys(mark) if channel is ItemChannel.SUBMISSION else (),
        runs=tuple(run_keys(place, mark) for place in (*map(_summaries_in, places if is_brief else ()), *places)),
    )


def _unit_keys(channel: ItemChannel, title: str, body: str | None, *, is_summary: bool) -> UnitKeys:
    """Return the keys by which an item is known for another unit's; a register's line, which has a title alone, tells of a paper of its own."""
    if channel is ItemChannel.SUBPORTAL:
        return unit_keys(title, body, is_summary=is_summary)
    if channel is ItemChannel.SUBMISSION and body is not None:
        return mail_keys(title, body, is_summary=is_summary)
    return UnitKeys()


def _site_keys(mark: Fingerprint) -> tuple[int, ...]:
    return (*keys_of(ItemChannel.SUBPORTAL, mark), *part_keys_of(ItemChannel.SUBPORTAL, mark))


def _summaries_in(place: str) -> str:
    """Return where the summaries of a place are kept, apart from its whole texts."""
    return f"{place} summaries"


def places_of(channel: ItemChannel, whose: str, formers: Sequence[str] = ()) -> tuple[str, ...]:
    """Return where a text may have stood before, its own place first: other units' texts are too many, and too much alike."""
    if channel is ItemChannel.PORTAL:
        return (f"{channel} ",)
    own = (f"{channel} {one}" for one in (whose, *formers))
    return (*own, *(f"{one} " for one in searched_channels(channel)[1:]))


@dataclass(frozen=True, slots=True)
class EarlierTexts:
    """The texts that some new items may show again."""

    holders: Holders
    """Texts of the store, by those keys that are sought."""
    traces: dict[str, TextTrace]
    """Of the texts that are likely ones."""
    titles: Mapping[str, Collection[str]]
    """Under which the texts of the store that have a sought summary were published."""
    units: dict[str, list[UnitText]] = field(default_factory=dict)
    """Items of sub-portals by their texts: of the store those that are sought, and of the same answer all."""
    added: dict[int, list[str]] = field(default_factory=dict)
    """Texts of the same answer, by their keys."""
    runs: dict[int, int] = field(default_factory=dict)
    """The number of the newest text that has a group of words, by its key: of the store where it is sought, and of the same answer."""
    numbered: dict[int, str] = field(default_factory=dict)
    """Texts by such numbers."""
    runs_added: dict[int, int] = field(default_factory=dict)
    """Those of the same answer."""
    showings: Callable[[Sequence[str]], Iterable[Showing]] = lambda _texts: ()
    """Returns the items of the store that showed some texts."""
    on_sites: Collection[str] = ()
    """Texts that sub-portals showed, of those that were sent in just so."""
    grown: Collection[str] = ()
    """Texts of which the traces are those of what their items say now."""
    _titles_added: dict[str, str] = field(default_factory=dict)
    _showings_added: dict[str, list[Showing]] = field(default_factory=lambda: defaultdict(list))

    def find(self, new: NewText) -> str:
        """Return the earlier text that a new item shows again or has most of its words from; empty if there is none."""
        if new.is_summary and (found := self._find_title(new) or self.find_news(new)):
            return found
        if found := self._find_opening(new) or self._find_numberless(new) or self._find_mail(new):
            return found
        if new.trace is None:
            return ""
        likely = {
            text: self.traces[text]
            for text in (*new.likely(self.holders), *new.likely(self.added))
            if text != new.text and text in self.traces and not (text in self.grown and text in new.former)
        }
        if new.is_brief:
            held = holders_of(new.trace, likely)
            same = [text for text in held if has_numbers(new.trace, likely[text])]
            same = same or self._titled_without_new_number(new, held) or self._wholes(new, new.runs)
            same = same or [*framed_in(new.trace, likely, is_summary=True)]
            return next(iter(self._without_former_issues(new, same) or self._hardly_changed(new, likely)), "")
        same_numbers = {text: one.words for text, one in likely.items() if one.numbers == new.trace.numbers}
        if found := nearest(new.trace.words, same_numbers):
            return found
        wholes = wholes_of(new.trace, likely)
        sources = [text for text in wholes if has_numbers(new.trace, likely[text])]
        sources = sources or self._framed(new, likely)
        sources = sources or self._numbered_anew(new, likely) or self._sources(new, is_form=bool(wholes))
        sources = sources or self._wholes(new, new.runs)
        # A page that keeps its text and gets another page's behind it has that from the other one.
        return next(iter([text for text in sources if text not in new.former] or sources), "")

    def _framed(self, new: NewText, likely: Mapping[str, TextTrace]) -> list[str]:
        """Return those of some texts that a new one has nearly whole, with their numbers, and of those in its places that have most of its groups of five words.

        Groups of three may stand in too many texts.
        """
        assert new.trace is not None
        texts = (self.numbered.get(number, "") for number in new.likely_sources(self.runs))
        by_runs = {text: self.traces[text] for text in texts if text != new.text and text in self.traces}
        return [text for text in framed_in(new.trace, {**likely, **by_runs}) if text not in new.former]

    def _numbered_anew(self, new: NewText, likely: Mapping[str, TextTrace]) -> list[str]:
        """Return those of some texts of which a new one differs by hardly anything but numbers, and is no form filled in anew.

        They stood in one of its places under a title that has all numbers of its own title.
        """
        assert new.trace is not None
        texts = wholes_of(new.trace, likely, new_share=NEW_WORDS_OF_A_COUNTER)
        return self._titled_without_new_number(new, texts)

    def _titled_without_new_number(self, new: NewText, texts: Sequence[str]) -> list[str]:
        shown = {one.text for one in self._shown(new, texts) if not has_new_number(one.title, new.title)}
        return [text for text in texts if text in shown]

    def _hardly_changed(self, new: NewText, likely: Mapping[str, TextTrace]) -> Sequence[str]:
        """Return those of some texts that a short one is but for two words, under a title of other words; under a like one it is a form."""
        assert new.trace is not None
        texts = hardly_changed(new.trace, likely)
        others = {one.text for one in self._shown(new, texts) if not are_of_like_words(one.title, new.title)}
        return [text for text in texts if text in others]

    def _without_former_issues(self, new: NewText, texts: Sequence[str]) -> Sequence[str]:
        """Return those of some texts that a short one does not have from the issue before: a schedule's few words are the same each week."""
        assert new.trace is not None
        if new.trace.words.words >= LEAST_WORDS:
            return texts
        issues = {one.text for one in self._shown(new, texts) if is_next_issue(one.title, new.title)}
        return [text for text in texts if text not in issues]

    def _find_numberless(self, new: NewText) -> str:
        """Return the short text that has the same words and other numbers, under a title like the new one."""
        texts = sorted({text for key in new.numberless for text in self._texts_of(key)} - {new.text})
        return min(
            (one.text for one in self._shown(new, texts) if not is_another_title(one.title, new.title)), default=""
        )

    def _find_mail(self, new: NewText) -> str:
        """Return the mail that has a file of the same name under a subject with all numbers of the new one's, or is another part of it.

        A mail whose whole text is read, as that of a Word file, is known by it.
        """
        if not new.is_summary:
            return ""
        files, parts = (
            {text for key in keys for text in self._texts_of(key)} for keys in (new.again.sought_files, new.again.parts)
        )
        named = (one.text for one in self._shown(new, sorted(files)) if not has_new_number(one.title, new.title))
        return min({*named, *parts} - {new.text}, default="")

    def find_cause(self, new: NewText, found: str) -> str:
        """Return by what a mail is known for the earlier one that was found for it; empty where it is by something else."""
        if not found or not new.is_summary:
            return ""
        causes = (
            (SAME_BEGINNING, new.opening.sought),
            (OTHER_PART, new.again.parts),
            (SAME_FILE, new.again.sought_files),
        )
        return next((code for code, keys in causes if any(found in self._texts_of(key) for key in keys)), "")

    def _find_opening(self, new: NewText) -> str:
        """Return a longer or shorter text of the same title and first words, where one of both gives no whole text."""
        opened, as_long = (
            {text for key in keys for text in self._texts_of(key)}
            for keys in (new.opening.sought, new.opening.same_length)
        )
        return min(opened - as_long - {new.text}, default="")

    def _shown(self, new: NewText, texts: Sequence[str]) -> Iterator[Showing]:
        """Yield the items that showed some texts in the places where a new one may have stood."""
        stored = self.showings(texts) if texts else ()
        for one in chain(stored, *(self._showings_added.get(text, ()) for text in texts)):
            if one.place in new.places:
                yield one

    def _sources(self, new: NewText, *, is_form: bool) -> list[str]:
        """Return the texts that a new one is put together from."""
        if not new.runs:
            return []
        found = sources_of(new.runs, self.runs, own=number_of(new.text), former=new.former_numbers, is_form=is_form)
        return [self.numbered[number] for number in found if number in self.numbered]

    def _wholes(self, new: NewText, places: Sequence[RunKeys]) -> list[str]:
        """Return the texts in some places that a new one is a part of, word for word and with its numbers."""
        assert new.trace is not None
        found = (self.numbered.get(number) for number in part_sources_of(places, self.runs, own=number_of(new.text)))
        likely = [text for text in found if text in self.traces and has_numbers(new.trace, self.traces[text])]
        return [text for text in likely if is_part_of(new.trace, self.traces[text])]

    def find_lender(self, new: NewText, one: Observation, *, found: str) -> str:
        """Return the text of another unit's item that has a new one's first words or title; empty if there is none.

        Args:
            new: the item.
            one: the same, as it is kept.
            found: the earlier text that it is known to show again; then no other one is sought.
        """
        if not any(new.units):
            return found

        def texts_of(keys: Iterable[int]) -> Iterable[UnitText]:
            texts = {text for key in keys for text in self._texts_of(key)}
            return [each for text in sorted(texts) for each in self.units.get(text, ())]

        own = UnitText(new.text, new.title, one.unit or one.unit_name, one.source, stamp(one.first_seen_at), "")
        found = found or find_lender(
            own, new.units, is_summary=new.is_summary, texts_of=texts_of, headings=new.headings
        )
        if one.channel is ItemChannel.SUBPORTAL:
            self.units.setdefault(new.text, []).append(own._replace(resembles=found))
        return found

    def find_on_sites(self, new: NewText) -> str:
        """Return the text of a sub-portal that was sent in as a new item, also with some words changed, or a part of it; empty for none."""
        if new.text in self.on_sites:
            return new.text
        if new.trace is None:
            return ""
        likely = {text: self.traces[text] for text in new.likely_on_sites(self.holders) if text in self.traces}
        numbered = {text: one for text, one in likely.items() if has_numbers(new.trace, one)}
        framed = framed_in(new.trace, likely, is_summary=new.is_summary)
        if new.is_summary:
            return next(iter(holders_of(new.trace, numbered) or framed), "")
        same_numbers = {text: one.words for text, one in numbered.items() if one.numbers == new.trace.numbers}
        return nearest(new.trace.words, same_numbers) or next(iter(wholes_of(new.trace, numbered) or framed), "")

    def find_news(self, new: NewText) -> str:
        """Return the portal's news that begins as an item does or has its title; what several of its texts share tells nothing; empty for none."""
        for key in new.news.beginnings:
            texts = self._texts_of(key)
            if len(texts) == 1 and texts[0] != new.text:
                return texts[0]
        titled = self._likely_titled(new, new.news.titles)
        return next(iter(titled)) if len(titled) == 1 and new.text not in titled else ""

    def find_whole(self, new: NewText) -> str:
        """Return the text of the same answer that has a new item's as a part, word for word; empty if there is none."""
        if new.trace is None:
            return ""
        longer = (1 - CHANGED_SHARE) ** -1 * new.trace.groups.words
        likely = {text: self.traces[text] for text in new.likely(self.added) if text != new.text}
        longer_ones = {text: one for text, one in likely.items() if one.groups.words >= longer}
        held = [text for text in holders_of(new.trace, longer_ones) if has_numbers(new.trace, likely[text])]
        whole_places = new.runs[len(new.places) :]  # none but of a summary or a short text
        found = held or self._wholes(new, whole_places)
        return next(iter(self._without_former_issues(new, found)), "")

    def keep(self, new: NewText, *, is_first: bool) -> None:
        """Keep a new text under its keys; by its words only where it is the first of its kind."""
        shown = tuple(chain(*new.shown, *new.cut_news))
        self._add(new.text, shown, most=len(shown))
        self._add(new.text, new.summary, most=len(new.summary))
        self._add(new.text, new.units.kept, most=len(new.units.kept))
        self._add(new.text, new.opening.kept, most=len(new.opening.kept))
        self._add(new.text, new.numberless[:1], most=1)
        again = tuple(chain(*new.again))
        self._add(new.text, again, most=len(again))
        for place in new.places[:1]:
            self._showings_added[new.text].append(Showing(new.text, new.title, place))
        self._titles_added.setdefault(new.text, new.title)
        if new.trace is None or not is_first:
            return
        for keys in new.runs[:1]:
            number = number_of(new.text)
            self.numbered[number] = new.text
            for found in (self.runs, self.runs_added):
                found.update(dict.fromkeys(keys.kept, number))
        if self._is_kept(new):
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

    def _is_kept(self, new: NewText) -> bool:
        return any(new.text in self._texts_of(key) for key in chain(new.near, *new.parts[:1]))

    def _find_title(self, new: NewText) -> str:
        """Return the text of the same summary whose title is a part of the new one, or has it as a part."""
        return min((text for text in self._likely_titled(new, new.summary) if text != new.text), default="")

    def _likely_titled(self, new: NewText, keys: Iterable[int]) -> Collection[str]:
        """Return the texts under some keys whose title has the new one in it, or stands in it."""
        return {
            text
            for text in {text for key in keys for text in self._texts_of(key)}
            if any(
                is_longer_title(title, new.title)
                for title in (*self.titles.get(text, ()), *filter(None, [self._titles_added.get(text)]))
            )
        }
