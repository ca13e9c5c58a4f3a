"""Items beside one another: the same item from two sources, the same text again, many items in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from checks.updates.addresses import page_key
from checks.updates.rules.grading import BEGINNING, GradedItem
from checks.updates.rules.placing import Interval
from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import Stamp, span
from checks.updates.title_changes import is_another_title
from portalops.model.updates import FlagKind, Grade, ItemChannel

SURE_LETTERS = 800
"""A whole text of so many letters that comes again under its title is the same news."""
BULK_ITEMS = 5
BULK_WITHIN = span(timedelta(minutes=30))
"""This many items in this time are one session (đăng dồn)."""
FINE_POLLING = span(timedelta(minutes=60))
"""Only items that are known to came within an interval this short are told to be posted in one go."""


class Repeats(NamedTuple):
    """The observations whose text was there before."""

    surely: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    """Those that may be other items once more, or another unit's: they count for nobody, and against nobody."""


def repeated(
    items: Iterable[GradedItem],
    *,
    window: int,
    may_copy: Collection[str],
    given_out: Mapping[str, Stamp] | None = None,
) -> Repeats:
    """Return the observations whose text was there before: for certain the unit's own under its title, perhaps another unit's.

    The polls show where a text stood first, and not who wrote it: units publish what they were given, and take what others wrote
    (docs/decisions/0018). So no unit's item is held against another unit's, and what came after one is open. An item of an unknown
    sender is no other unit's and no own one, so it takes nothing away from a unit's item; once it is known whose it is, judging
    again takes it for what it is. On the portal itself it matters not whose an item is. Which of two like texts came first is known
    where the interval of one ends before the other's begins; else it is open. So is an own text under another title, with a new
    number, day or name in it, or one of less than 800 letters or cut: a notice under which another schedule is attached each week has as much.

    Args:
        items: every item of a channel whose text at least two items share, of whatever unit; those of one text follow
            each other, so that no more of them than these are held at once.
        window: for how many milliseconds the same text is the same news.
        may_copy: ids of sources in which other units' texts count.
        given_out: when the province itself had first published a text for all to spread, by text.
    """
    surely: set[str] = set()
    maybe: set[str] = set()
    for (channel, text), some in groupby(items, key=lambda item: (item.seen.channel, item.seen.text)):
        told = sorted((item for item in some if item.came is not None), key=came_by)
        first_given = given_out.get(text) if given_out else None
        for place, item in enumerate(told):
            may_spread = item.seen.source in may_copy or (first_given is not None and first_given <= _came(item).last)
            found = _find_original(
                told,
                place,
                window,
                surely,
                maybe,
                is_portal=channel == ItemChannel.PORTAL,
                may_spread=may_spread,
            )
            if found is not None:
                (surely if found else maybe).add(item.seen.id)
    return Repeats(frozenset(surely), frozenset(maybe))


def nearly_repeated(
    items: Iterable[tuple[str, GradedItem]],
    *,
    window: int,
    may_copy: Collection[str],
    given_out: Mapping[str, Stamp] | None = None,
) -> Mapping[str, SeenItem]:
    """Return the observations that share most of their words with another text of the window, each with the newest such item.

    Whether one is an old text with some words changed, or a form filled in anew, is for nobody to say without reading it: they
    count for nobody, and against nobody. Whose text makes it open, and when, is as for `repeated`; items of one address are no
    copies of each other, and of those that say the same `repeated` judges, but where two units share no more than a title.

    Args:
        items: each with the text that it is like; no order.
        window: for how many milliseconds the same text is the same news.
        may_copy: ids of sources in which other units' texts count.
        given_out: when the province itself had first published a text for all to spread, by text.
    """
    groups: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
    for like, item in items:
        if item.came is not None:
            groups[item.seen.channel, like].append(item)
    found: dict[str, SeenItem] = {}
    for (channel, like), some in groups.items():
        told = sorted(some, key=came_by)
        first_given = given_out.get(like) if given_out else None
        for place, item in enumerate(told):
            may_spread = item.seen.source in may_copy or (first_given is not None and first_given <= _came(item).last)
            near = _find_near(told, place, window, is_portal=channel == ItemChannel.PORTAL, may_spread=may_spread)
            if near is not None:
                found[item.seen.id] = near
    return found


def _find_near(
    told: Sequence[GradedItem], place: int, window: int, *, is_portal: bool, may_spread: bool
) -> SeenItem | None:
    """Return the newest item of nearly the same text that came before an item, or may have; None if there is none."""
    item = told[place]
    end = min(place + 1 + MOST_COMPARED, len(told))
    for at in (*range(place - 1, max(0, place - MOST_COMPARED) - 1, -1), *range(place + 1, end)):
        other: GradedItem = told[at]
        is_own = is_portal or item.seen.unit == other.seen.unit
        is_judged = other.seen.text == item.seen.text and (is_own or not item.seen.title_alone)
        if is_judged or (other.seen.url and page_key(other.seen.url) == page_key(item.seen.url)):
            continue
        if not is_own and (may_spread or None in {item.seen.unit, other.seen.unit}):
            continue
        if _compare_two(other, item, window, is_own=is_own, is_earlier=at < place) is not None:
            return other.seen
    return None


def find_site_lender(item: GradedItem, shown: Iterable[SeenItem], *, window: int) -> SeenItem | None:
    """Return the first item of another unit's site that surely showed a text before it was sent in; None where the own site had it first.

    Args:
        item: what was sent in, at some time.
        shown: the items of sub-portals that showed its text, of whatever unit.
        window: for how many milliseconds the same text is the same news.
    """
    sent_at, own = polled(item).first, item.seen.unit
    known = [one for one in shown if one.unit is not None]
    others = [one for one in known if one.unit != own and one.first_seen_at <= sent_at <= one.first_seen_at + window]
    if own is None or not others:
        return None
    # What its source showed from the first poll on may have stood there before anything.
    begins = min(BEGINNING if one.looked_before_at is None else one.looked_before_at + 1 for one in others)
    if any(one.unit == own and one.first_seen_at < begins for one in known):
        return None
    return min(others, key=lambda one: (one.first_seen_at, one.id))


MOST_COMPARED = 200
"""Items of one text that an item is compared with on either side; where there are more, it is open whether it is a copy."""


def _find_original(
    told: Sequence[GradedItem],
    place: int,
    window: int,
    copies: Collection[str],
    perhaps: Collection[str],
    *,
    is_portal: bool,
    may_spread: bool,
) -> bool | None:
    """Say whether an item says again what another one said within the window: surely, perhaps (False), or not (None).

    Args:
        told: all items of the text, by the end of their intervals.
        place: of the item among them.
        window: in milliseconds.
        copies: those before it that are copies themselves: the window begins with what counted.
        perhaps: those before it that may be.
        is_portal: it matters not whose the items are.
        may_spread: other units' texts make it no copy.
    """
    item = told[place]
    found: bool | None = None
    start, end = max(0, place - MOST_COMPARED), place + 1 + MOST_COMPARED
    for at in (*range(place - 1, start - 1, -1), *range(place + 1, min(end, len(told)))):
        other = told[at]
        is_own = is_portal or item.seen.unit == other.seen.unit
        if (
            other.seen.id in copies
            or other.seen.id == item.seen.id
            or _is_one_page(item, other)
            or other.went_soon  # it may be this one, put right at a new address
            or (not is_own and (may_spread or item.seen.title_alone or None in {item.seen.unit, other.seen.unit}))
        ):
            continue
        order = _compare_two(other, item, window, is_own=is_own, is_earlier=at < place)
        if order and _is_the_same(other.seen, item.seen) and other.seen.id not in perhaps:
            return True
        if order is not None:
            found = False
    if found is None and (start > 0 or end < len(told)):
        return False
    return found


def _is_the_same(earlier: SeenItem, later: SeenItem) -> bool:
    """Say whether one text is the same news: a whole one under its title. Under a shorter one another schedule may be attached each week."""
    is_whole = later.body_letters is not None and later.body_letters >= SURE_LETTERS
    return is_whole and not is_another_title(earlier.title, later.title)


def _compare_two(other: GradedItem, item: GradedItem, window: int, *, is_own: bool, is_earlier: bool) -> bool | None:
    """Say of one other item what `_find_original` says of all.

    Of two that one writer posted, one is the copy whichever came first: the one whose interval ends later is taken for it.
    """
    if is_own and not is_earlier:
        return None
    before, after = (_came(other), _came(item)) if is_own else (polled(other), polled(item))
    if not is_own and after.last < before.first:
        return None  # it came first
    if after.first != BEGINNING and after.first - before.last > window:
        return None
    is_near = BEGINNING not in {before.first, after.first} and after.last - before.first <= window
    return is_own and is_near and other.is_sure


def _is_one_page(item: GradedItem, other: GradedItem) -> bool:
    """Say whether two texts are those of one page, of which one is a rewrite: a page is no copy of itself."""
    one, two = item.seen, other.seen
    return bool(one.rewrite or two.rewrite) and page_key(one.url) == page_key(two.url)


def _came(item: GradedItem) -> Interval:
    assert item.came is not None
    return item.came


def polled(item: GradedItem) -> Interval:
    """Return when an item came by what its own site cannot claim: who copied whom is not for the two to say."""
    one = item.seen
    if item.grade is not Grade.A:
        return _came(item)
    return Interval(BEGINNING if one.looked_before_at is None else one.looked_before_at + 1, one.first_seen_at)


def came_by(item: GradedItem) -> tuple[Stamp, Stamp, str]:
    """Return by what items that came at some time are put in order: the end of their intervals, then the beginning."""
    came = _came(item)
    return came.last, came.first, item.seen.id


def compare(items: Sequence[GradedItem], again: Repeats) -> list[GradedItem]:
    """Return the items of one unit beside one another.

    Args:
        items: each by itself.
        again: the observations whose text was there before.
    """
    single = _one_of_each_address(items)
    if again.surely or again.maybe:
        single = [
            _as_repeat(item, is_sure=item.seen.id in again.surely)
            if item.came is not None and (item.seen.id in again.surely or item.seen.id in again.maybe)
            else item
            for item in single
        ]
    return _bulk_as_sessions(single)


def _as_repeat(item: GradedItem, *, is_sure: bool) -> GradedItem:
    flags = (*item.flags, FlagKind.DUPLICATE)
    if is_sure:
        return item._replace(came=None, is_sure=False, hoped_at=None, flags=flags)
    # Between two polls no date settles who was first; what was there at the first poll is confirmed as a whole.
    return item._replace(is_sure=False, hoped_at=item.hoped_at if item.grade is Grade.C else None, flags=flags)


def _one_of_each_address(items: Sequence[GradedItem]) -> list[GradedItem]:
    """Let an item that two sources show at one address count once: it came in both intervals.

    Where the two have no moment in common, one of the sources errs: the item may have come in either.
    """
    sources = {(item.seen.channel, item.seen.source) for item in items}
    if len(sources) == len({channel for channel, _source in sources}):
        return list(items)
    same: dict[tuple[str, str, str], list[GradedItem]] = defaultdict(list)
    for item in items:
        if item.seen.url and item.came is not None:
            text = item.seen.text if item.seen.rewrite else ""  # a rewrite is another occasion than its page
            same[item.seen.channel, page_key(item.seen.url), text].append(item)
    instead: dict[str, GradedItem] = {}
    for shown in same.values():
        if len({item.seen.source for item in shown}) > 1:
            best, *others = sorted(shown, key=lambda item: (item.grade is Grade.C, not item.is_sure, came_by(item)))
            instead[best.seen.id] = _joined(best, [other for other in others if other.seen.source != best.seen.source])
            instead |= {
                other.seen.id: other._replace(came=None, hoped_at=None)
                for other in others
                if other.seen.source != best.seen.source
            }
    return [instead.get(item.seen.id, item) for item in items]


def _joined(best: GradedItem, others: Iterable[GradedItem]) -> GradedItem:
    first, last = lowest, highest = _came(best)
    for other in others:
        came = _came(other)
        if other.grade is Grade.D:  # who saw it tells that it was there, not since when
            came = Interval(BEGINNING, came.last)
        first, last = max(first, came.first), min(last, came.last)
        lowest, highest = min(lowest, came.first), max(highest, came.last)
    if first <= last:
        return _confine(best, Interval(first, last))
    if best.grade is Grade.D:
        return best
    return best._replace(came=Interval(lowest, highest), is_sure=False)


def _confine(item: GradedItem, came: Interval) -> GradedItem:
    """Return an item that came in an interval, and counts by its claim only where that lies in it."""
    is_inside = item.hoped_at is not None and came.first <= item.hoped_at <= came.last and came.first < came.last
    return item._replace(came=came, hoped_at=item.hoped_at if is_inside else None)


def _bulk_as_sessions(items: list[GradedItem]) -> list[GradedItem]:
    posted: dict[str, list[tuple[Stamp, str, GradedItem]]] = defaultdict(list)
    for item in items:
        if item.grade is not Grade.D and (at := _posting_moment(item)) is not None:
            posted[item.seen.channel].append((at, item.seen.id, item))
    sessions: dict[str, GradedItem] = {}
    for group in posted.values():
        if len(group) >= BULK_ITEMS:
            group.sort(key=lambda entry: entry[:2])
            sessions |= {item.seen.id: item for item in _bulk(group)}
    return [sessions.get(item.seen.id, item) for item in items] if sessions else items


def _posting_moment(item: GradedItem) -> Stamp | None:
    """Return when an item was really posted, as far as that is known to an hour."""
    if item.came is None or item.seen.unit is None:
        return None
    one = item.seen
    if one.created_at is not None and FlagKind.WAITED not in item.flags:  # drafts made together may come up one by one
        return one.created_at
    before = one.looked_before_at
    return one.first_seen_at if before is not None and one.first_seen_at - before <= FINE_POLLING else None


def _bulk(group: Sequence[tuple[Stamp, str, GradedItem]]) -> Iterator[GradedItem]:
    start = 0
    while start < len(group):
        end = start
        while end < len(group) and group[end][0] - group[start][0] <= BULK_WITHIN:
            end += 1
        cluster = [item for _at, _id, item in group[start:end]]
        if len(cluster) >= BULK_ITEMS:
            intervals = [item.came for item in cluster if item.came is not None]
            came = Interval(min(one.first for one in intervals), min(one.last for one in intervals))
            session = cluster[0].seen.id
            for item in cluster:
                yield _confine(item, came)._replace(session=session, flags=(*item.flags, FlagKind.BULK))
        start = end
