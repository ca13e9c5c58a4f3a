"""What one answer of a source proves of the items that it shows, and of those that it does not. Pure.

Of each item two polls are wanted: the first that showed it, and the last that would have shown it and did not. An answer would
have shown an item only if it is in order: not emptied, not cut before the item's place, newest first as before, not out of date.
Each doubt widens what is left open and never chooses a side; what is doubtful is named, so that somebody mends the source.

An answer is held against the source's base: its last whole answer that had items. Sources whose every answer lists all that is
published are complete; of the others, feeds and pages of the newest items, an answer may be cut behind any item.

Trust rests on what dates claim only where that narrows: an old date never makes an item newer than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from portalops.model.message import Message, msg

SKEW = timedelta(minutes=10)
"""A claim that lies no further before the base than this may come from a clock that is slow."""
SPREAD = timedelta(hours=1)
"""Claims that lie less apart are of one session: somebody may have dated them back together."""
ORDERED_LEAST = 3
"""With fewer neighbouring pairs of different dates, pins alone may make a list look as if it began with its oldest item."""
RISING_PERCENT = 80
"""Of the neighbouring items of different dates, so many must rise."""
SHUFFLED_PERCENT = 34
"""Of the neighbouring items that two answers have in common, more than so many stand the other way round."""
PINS_MOST = 2
"""Items that may stand in front of the newest one and be no older than the end of the list, as where recent news is pinned."""
SHUFFLED = msg("its items stand in another order than before, such as the most read first: what it lacks may be there")
"""What is said of a list in which a new item need not stand anywhere."""
VANISHED_LEAST = 2
"""So many known items that are gone at once, while older ones stand and nothing is new, make another list."""
OTHER_LIST = msg(
    "items that it showed are gone, older ones still stand, and nothing is new: it may be another list, such as a box of featured items"
)
"""What is said of an answer whose items may be chosen otherwise than before: what is new need not show in it. It is no base.

The store finds such answers by these words: with other words, raise its version.
"""
ORDER_UNKNOWN = msg(
    "it shows nothing new, and no answer has shown yet whether new items stand at its head or at its end: until one does, it proves no absence"
)
"""What is said of an answer without evidence that new items would show in it."""


class AnswerItem(NamedTuple):
    """An item of an answer, in its place there."""

    id: str
    claimed_at: datetime | None
    """When it was published or made, whichever is later, as the source claims."""
    is_new: bool
    """No answer has shown it before."""


class BaseItem(NamedTuple):
    """An item of the base."""

    place: int
    """From 0; of a complete source always 0."""
    claimed_at: datetime | None


class MissedItem(NamedTuple):
    """An item that an earlier answer lacked, which may have been out of date."""

    id: str
    missed_at: datetime
    """The poll that lacked it."""
    seen_at: datetime
    """The last poll that had it."""
    first_seen_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class BaseAnswer:
    """The source's last whole answer that had items."""

    polled_at: datetime
    items: Mapping[str, BaseItem]
    """By id. Of a complete source those suffice that the new answer lacks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be judged, and what it is held against."""

    shown: Sequence[AnswerItem]
    """In the order of the answer."""
    base: BaseAnswer | None
    """None if the source has shown nothing so far."""
    is_complete: bool
    """The source lists all that it publishes in each answer."""
    may_lag: bool = True
    """It may come from a cache or a replica that is out of date; not so where a person keeps a register."""
    is_direct: bool = False
    """No web server stands between: what it lacks is not there."""
    has_hole: bool = False
    """A part of unknown size could not be read: what is missing may be in it."""
    missed: Sequence[MissedItem] = ()
    readable_from: datetime | None = None
    """The first answer that had a part that could not be read, and is read now or gone; None if there is none."""
    oldest_seen_at: datetime | None = None
    """When that one of the shown items was first seen that was first seen earliest; None if all are new."""
    is_gap_closed: bool = False
    """A cross-check shows that nothing passed unseen between the base and this answer."""
    rewritten: frozenset[str] = frozenset()
    """Rewrites of items that the base shows with their former text."""
    is_order_known: bool = False
    """An earlier answer showed that the source lists its newest items first."""


@dataclass(frozen=True, slots=True)
class GoneItem:
    """An item that the answer would have shown, and does not."""

    seen_at: datetime
    """The last poll that had it."""
    is_sure: bool
    """The answer cannot be out of date in this."""


@dataclass(frozen=True, slots=True)
class AnswerProof:
    """What an answer proves."""

    blind: Message | None = None
    """Why it proves neither presence nor absence of what it does not show; None if it does."""
    is_lost: bool = False
    """It does not overlap with the base: items may have passed unseen."""
    absent_at: Mapping[str, datetime] = field(default_factory=dict)
    """The last poll that would have shown a new item and did not; new items that are not named have none."""
    gone: Mapping[str, GoneItem] = field(default_factory=dict)
    """What is taken down."""
    thawed_from: datetime | None = None
    """The earliest of the claims that show that the answers before were out of date; None if none does."""
    returned_from: datetime | None = None
    """The earliest poll that may have had what is new: it lacked an item that is back, or a part of it could not be read."""
    is_order_shown: bool = False
    """The answer shows, by its dates or by something new in front of a known item, that it lists its newest items first."""


NOTHING_PROVEN = AnswerProof()
"""Of an answer that is held against nothing."""


def prove(answer: Answer) -> AnswerProof:
    """Say what an answer proves."""
    base = answer.base
    if not answer.shown:
        return AnswerProof(blind=_explain_empty(answer))
    claims = [one.claimed_at for one in answer.shown]
    if base is None:
        is_rising = not answer.is_complete and rises(claims)
        return AnswerProof(blind=_RISING if is_rising else None, is_order_shown=_shows_newest_first(claims))
    if answer.is_complete:
        proven = {one.id for one in answer.shown if one.is_new}
        return _proof(answer, base, proven, _gone_of_complete(answer, base, proven))
    in_base = [base.items[name].claimed_at for name in _ordered(base)]
    was_rising = rises(in_base)
    if rises(claims):
        is_turned = not was_rising and _falls(in_base)
        why = msg("it lists its oldest items first, and on {at} it listed its newest first", at=base.polled_at)
        proof = _proof(answer, base, _appended(answer, base), {})
        return replace(proof, blind=why if is_turned else _RISING)
    if was_rising:
        why = msg("it lists its newest items first, and on {at} it listed its oldest first", at=base.polled_at)
        return AnswerProof(blind=why)
    return _prove_window(answer, base)


def doubts_begin(proof: AnswerProof, news_at: datetime | None) -> datetime | None:
    """Return from when on the answers before were out of date; None if nothing shows that they were.

    Args:
        proof: of the answer that may show it.
        news_at: when an answer last showed something new: one before it was not out of date by what came later.
    """
    if proof.thawed_from is None or news_at is None:
        return proof.thawed_from
    return max(proof.thawed_from, news_at)


def doubted(proof: AnswerProof, absent_at: datetime | None) -> AnswerProof:
    """Return a proof where the answers since some moment were out of date.

    Args:
        proof: of the answer that shows it.
        absent_at: the last good poll before that moment; None if there is none.
    """
    if absent_at is None:
        return replace(proof, absent_at={})
    return replace(proof, absent_at={name: min(at, absent_at) for name, at in proof.absent_at.items()})


def without_older(lacking: Mapping[str, BaseItem], shown: Iterable[AnswerItem]) -> dict[str, BaseItem]:
    """Return the lines that a register lacks now, without those from before its first day: a new file was begun behind them.

    Args:
        lacking: what the base has and the answer has not.
        shown: the answer's items.
    """
    first = min((one.claimed_at for one in shown if one.claimed_at is not None), default=None)
    if first is None:
        return {}
    return {name: one for name, one in lacking.items() if one.claimed_at is None or one.claimed_at >= first}


def rises(claims: Iterable[datetime | None]) -> bool:
    """Say whether a list begins with its oldest item, by what its items claim in their order; equal dates tell nothing."""
    rising, falling = _count_steps(claims)
    return rising + falling >= ORDERED_LEAST and 100 * rising >= RISING_PERCENT * (rising + falling)


def _shows_newest_first(claims: Iterable[datetime | None]) -> bool:
    rising, falling = _count_steps(claims)
    return rising + falling >= ORDERED_LEAST and falling >= rising


def _count_steps(claims: Iterable[datetime | None]) -> tuple[int, int]:
    """Return how many neighbouring dated items rise, and how many fall."""
    pairs = list(pairwise(at for at in claims if at is not None))
    return sum(earlier < later for earlier, later in pairs), sum(later < earlier for earlier, later in pairs)


_RISING = msg("it lists its oldest items first: if the list is cut, new items never show")


def _explain_empty(answer: Answer) -> Message | None:
    if answer.base is not None:
        return msg("the answer is empty, and on {at} it had items", at=answer.base.polled_at)
    # A register or a database that is new has no rows; a page without items was more likely read in the wrong place.
    return None if answer.is_complete else msg("the answer is empty, and no earlier one had items")


def _ordered(base: BaseAnswer) -> list[str]:
    return sorted(base.items, key=lambda name: base.items[name].place)


def _falls(claims: Sequence[datetime | None]) -> bool:
    rising, falling = _count_steps(claims)
    return falling > 0 and falling >= rising


def _end_of(claims: Sequence[datetime | None]) -> tuple[datetime | None, bool]:
    """Return the claim of a list's oldest end without its pins, and whether an item that claims the same lies inside.

    Pins stand in front, so in a list that falls its last item is the end. In any other list the newest claim is the one that
    is safe.
    """
    moments = [at for at in claims if at is not None]
    if not moments:
        return None, True
    newest = max(moments)
    end = moments[-1] if _falls(moments) else newest
    return end, end == newest


def _is_inside(claimed: datetime | None, end: tuple[datetime | None, bool]) -> bool:
    """Say whether an item of this claim would not have been cut off; one without a claim is taken by its place alone."""
    oldest, may_equal = end
    return claimed is None or oldest is None or claimed > oldest or (may_equal and claimed == oldest)


def _is_in_one_order(claims: Iterable[datetime | None]) -> bool:
    """Say whether a list falls from its newest item to its end, behind its pins.

    A list of several blocks, each with its newest items, rises where a block begins: what is gone may have fallen out of its block.
    """
    moments = [at for at in claims if at is not None]
    if not moments:
        return False
    newest = moments.index(max(moments))
    pins, run = moments[:newest], moments[newest:]
    is_falling = all(later <= earlier for earlier, later in pairwise(run))
    return is_falling and (len(pins) <= PINS_MOST or max(pins) < run[-1])


def _appended(answer: Answer, base: BaseAnswer) -> set[str]:
    """Return what stands new behind a base that is there whole, in a list of the oldest items first: it was not cut."""
    kept = _ordered(base)
    names = [one.id for one in answer.shown]
    if names[: len(kept)] != kept or not all(one.is_new for one in answer.shown[len(kept) :]):
        return set()
    return set(names[len(kept) :])


def _prove_window(answer: Answer, base: BaseAnswer) -> AnswerProof:
    """Judge an answer of the newest items first."""
    kept = _kept_places(answer, base)
    in_base = [base.items[name].claimed_at for name in _ordered(base)]
    inside = {one.id for one in answer.shown if one.is_new and _is_inside(one.claimed_at, _end_of(in_base))}
    is_ordered = _shows_newest_first(one.claimed_at for one in answer.shown)
    is_known = is_ordered or answer.is_order_known or _shows_newest_first(in_base)
    if not is_known and len(kept) >= 2 and _appended(answer, base):
        return AnswerProof(blind=_RISING)
    if _is_lost(answer, kept):
        if answer.is_gap_closed:
            return _proof(answer, base, inside, {})
        why = msg("it shows nothing that it showed on {at}, except pinned items", at=base.polled_at)
        # Its claims may still show that the base was out of date; where the new items began to show stays unknown.
        return replace(_proof(answer, base, inside, {}), blind=why, is_lost=True, absent_at={})
    proven = inside & {one.id for one in answer.shown[: kept[-1]]}
    if not proven and _is_other_list(answer, base, kept):
        missed = {one.id for one in answer.missed}
        gone = _gone_of_window(answer, base, proven, kept)
        return AnswerProof(blind=OTHER_LIST, gone={name: one for name, one in gone.items() if name not in missed})
    if _is_shuffled(answer, base, kept):
        return replace(_proof(answer, base, set(), {}), blind=SHUFFLED)
    if _is_head_replaced(answer, base, kept):
        proven -= {one.id for one in answer.shown if one.claimed_at is None}
    if not (is_known or proven):
        return replace(_proof(answer, base, set(), {}), blind=ORDER_UNKNOWN)  # a rewrite is known in any order
    proof = _proof(answer, base, proven, _gone_of_window(answer, base, proven, kept))
    return replace(proof, is_order_shown=is_ordered or bool(proven))


def _kept_places(answer: Answer, base: BaseAnswer) -> list[int]:
    """Return the places of the items that stand where the base had them.

    Some sites date all items anew in each answer: then none has moved, although all claim to be newer.
    """
    kept = [place for place, one in enumerate(answer.shown) if _is_kept(one, base)]
    known = [place for place, one in enumerate(answer.shown) if one.id in base.items]
    is_dated_anew = not kept and len(known) >= 2 and 2 * len(known) >= len(answer.shown)
    return known if is_dated_anew else kept


def _is_shuffled(answer: Answer, base: BaseAnswer, kept: Sequence[int]) -> bool:
    """Say whether the items that both answers have stand in another order; one that went to the front is no such list."""
    places = [base.items[answer.shown[place].id].place for place in kept]
    pairs = [*pairwise(places)]
    turned = sum(later < earlier for earlier, later in pairs)
    return len(pairs) >= ORDERED_LEAST and 100 * turned > SHUFFLED_PERCENT * len(pairs)


def _is_other_list(answer: Answer, base: BaseAnswer, kept: Sequence[int]) -> bool:
    """Say whether several items are gone from among those that stand, as where a selector meets another box since a redesign.

    Pins are older than what stands, and what was cut off stood behind it: neither tells of another list. One item that is gone
    was taken down.
    """
    if answer.has_hole:
        return False
    shown = {one.id for one in answer.shown}
    standing = [base.items[answer.shown[place].id] for place in kept]
    furthest = max(one.place for one in standing)
    oldest = min((one.claimed_at for one in standing if one.claimed_at is not None), default=None)
    vanished = [
        name
        for name, one in base.items.items()
        if name not in shown
        and one.place < furthest
        and (one.claimed_at is None or oldest is None or one.claimed_at > oldest)
    ]
    return len(vanished) >= VANISHED_LEAST


def _is_head_replaced(answer: Answer, base: BaseAnswer, kept: Sequence[int]) -> bool:
    """Say whether an item is gone that stood in front of all that stand: what is there instead may be drawn from an archive."""
    shown = {one.id for one in answer.shown}
    first = min(base.items[answer.shown[place].id].place for place in kept)
    return any(one.place < first and name not in shown for name, one in base.items.items())


def _is_kept(one: AnswerItem, base: BaseAnswer) -> bool:
    """Say whether an item stands where the base had it: not so if a newer date has moved it to the front."""
    was = base.items.get(one.id)
    return was is not None and (one.claimed_at is None or was.claimed_at is None or one.claimed_at <= was.claimed_at)


def _is_lost(answer: Answer, kept: Sequence[int]) -> bool:
    """Say whether an answer shows nothing of its base but pins: what is new stands behind them.

    What is older than all that is known has only come up at the tail, where something else was taken down.
    """
    if not kept:
        return True
    claims = [at for place in kept if (at := answer.shown[place].claimed_at) is not None]
    newest = max(claims, default=None)
    return any(
        one.is_new if one.claimed_at is None else newest is None or one.claimed_at > newest
        for one in answer.shown[kept[-1] + 1 :]
    )


def _gone_of_complete(answer: Answer, base: BaseAnswer, proven: set[str]) -> dict[str, GoneItem]:
    if answer.has_hole:
        return {}
    shown = {one.id for one in answer.shown}
    gone = {
        name: GoneItem(base.polled_at, answer.is_direct or _is_fresh(answer, proven, base.polled_at))
        for name in base.items
        if name not in shown
    }
    return gone | _confirmed(answer, proven, shown)


def _gone_of_window(answer: Answer, base: BaseAnswer, proven: set[str], kept: Sequence[int]) -> dict[str, GoneItem]:
    """Return what stood in the base in front of an item that still stands in its place, and is not older than the end.

    A place is believed only with a second item that still stands in front: one alone may have been moved to the front itself,
    past all the others, and they were cut off. An item that is older than the end was pinned, and is no more. It is sure only
    of an item that newer ones cannot have pushed out: see `_may_be_pushed_out`.
    """
    if answer.has_hole:
        return {}
    shown = {one.id for one in answer.shown}
    places = [base.items[answer.shown[place].id].place for place in kept]
    last = places[-1]
    is_placed = any(place < last for place in places[:-1])
    oldest, _may_equal = _end_of([one.claimed_at for one in answer.shown])
    is_ordered = _is_in_one_order(one.claimed_at for one in answer.shown)
    was_ordered = _is_in_one_order(base.items[name].claimed_at for name in _ordered(base))
    is_fresh = is_placed and is_ordered and was_ordered and _is_fresh(answer, proven, base.polled_at)
    gone = {}
    for name, one in base.items.items():
        if name in shown or one.place >= last:
            continue
        if one.claimed_at is None or oldest is None:
            gone[name] = GoneItem(base.polled_at, is_sure=False)  # it may have been a pin
        elif one.claimed_at > oldest:
            gone[name] = GoneItem(base.polled_at, is_fresh and not _may_be_pushed_out(one.claimed_at, answer))
    return gone | (_confirmed(answer, proven, shown, oldest) if is_ordered else {})


def _may_be_pushed_out(claimed: datetime, answer: Answer) -> bool:
    """Say whether an item may have left a full list as newer ones came, although older ones stand behind its place.

    Those may be fixed rows, such as an old article that is always the last. No list is taken to have more fixed rows than
    moving ones: the older ones prove a place in the moving part only where they are more than the newer ones. Items of one
    day, where no hours are given, are taken for newer ones.
    """
    claims = [one.claimed_at for one in answer.shown if one.claimed_at is not None]
    behind = claims[claims.index(max(claims)) :] if claims else []  # pins stand in front of the newest item
    return sum(at >= claimed for at in claims) >= sum(at < claimed for at in behind)


def _is_fresh(answer: Answer, proven: set[str], since: datetime) -> bool:
    """Say whether an answer shows something new from after a moment, so that no cache from before it can have given it."""
    claims = (one.claimed_at for one in answer.shown if one.id in proven)
    return any(claimed is not None and claimed > since for claimed in claims)


def _confirmed(
    answer: Answer, proven: set[str], shown: set[str], oldest: datetime | None = None
) -> dict[str, GoneItem]:
    """Return what an earlier answer lacked and this one, which is not out of date, lacks too, with older items beside it."""
    earliest = answer.oldest_seen_at
    return {
        one.id: GoneItem(one.seen_at, is_sure=True)
        for one in answer.missed
        if one.id not in shown
        and earliest is not None
        and earliest < one.first_seen_at
        and (
            answer.is_complete
            or (
                one.claimed_at is not None
                and oldest is not None
                and one.claimed_at > oldest
                and not _may_be_pushed_out(one.claimed_at, answer)
            )
        )
        and _is_fresh(answer, proven, one.seen_at)
    }


def _proof(answer: Answer, base: BaseAnswer, proven: set[str], gone: Mapping[str, GoneItem]) -> AnswerProof:
    """Return what an answer proves, with the marks of an out-of-date base.

    One item that claims to be older than the base was dated back. Several that claim to be older, at different times, were
    published while the answers were out of date, and came up together.
    """
    shown = {one.id for one in answer.shown}
    early = [
        one.claimed_at
        for one in answer.shown
        if one.id in proven and one.claimed_at is not None and one.claimed_at < base.polled_at - SKEW
    ]
    is_thawed = answer.may_lag and len(early) >= 2 and max(early) - min(early) >= SPREAD
    returned = [one.missed_at for one in answer.missed if one.id in shown] if answer.may_lag else []
    returned += [answer.readable_from] if answer.readable_from else []
    # Where the answers were out of date, what claims no time may have been published while any of them was.
    counted = [one for one in answer.shown if one.id in proven and not (is_thawed and one.claimed_at is None)]
    rewritten = () if is_thawed else sorted(answer.rewritten)
    return AnswerProof(
        absent_at=dict.fromkeys((*(one.id for one in counted), *rewritten), base.polled_at),
        gone=gone,
        thawed_from=min(early) if is_thawed else None,
        returned_from=min(returned, default=None),
    )
