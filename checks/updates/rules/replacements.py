"""Items that went within two days while one like them came in their place: corrected at a new address, they were not put up to be counted. Pure.

An item that is taken down so soon counts for nothing. Where one of a like text or title takes its place, nobody can say that it was
taken down: it is open on the day on which it came, and the other one counts as any item does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from checks.updates.rules.comparing import came_by
from checks.updates.rules.grading import REMOVED_WITHIN, GradedItem
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import Stamp
from checks.updates.summaries import is_longer_title
from portalops.model.updates import FlagKind

SAME_TITLE = 2 / 3
"""Titles of one claimed moment that share more of their words than this are one title, corrected."""
_WORD = re.compile(r"\w+")


def find_replacements(
    items: Iterable[GradedItem], gone: Mapping[str, Gone], likes: Mapping[str, frozenset[str]]
) -> Mapping[str, SeenItem]:
    """Return what came in the place of each of a unit's items that was shown for less than two days, by the item's id.

    What came is shown at the latest two days after the answer that no longer had the item, and is no copy for certain.

    Args:
        items: of one unit, compared with one another.
        gone: how items went away, by id; of any unit.
        likes: the texts of which each item has most of its words, by id.
    """
    by_source: dict[str, list[GradedItem]] = defaultdict(list)
    first: dict[str, Stamp] = {}
    for item in items if gone else ():
        by_source[item.seen.source].append(item)
        first[item.seen.text] = min(first.get(item.seen.text, item.seen.first_seen_at), item.seen.first_seen_at)
    found: dict[str, SeenItem] = {}
    for some in by_source.values():
        removed = [
            one.seen
            for one in some
            if FlagKind.REMOVED in one.flags
            and one.seen.id in gone
            and one.seen.first_seen_at == first[one.seen.text]  # what was there before is no news, replaced or not
        ]
        if removed:
            others = sorted((one for one in some if one.came is not None), key=came_by)
            for one in removed:
                until = gone[one.id].at + REMOVED_WITHIN
                near = [other.seen for other in others if one.first_seen_at < other.seen.first_seen_at <= until]
                if (other := _first_like(one, near, likes)) is not None:
                    found[one.id] = other
    return found


def _first_like(one: SeenItem, others: Sequence[SeenItem], likes: Mapping[str, frozenset[str]]) -> SeenItem | None:
    return next((other for other in others if other.id != one.id and _is_like(one, other, likes)), None)


def _is_like(one: SeenItem, other: SeenItem, likes: Mapping[str, frozenset[str]]) -> bool:
    """Say whether two items may be one that was corrected: by their text, or by title; by a like title at one claimed moment."""
    texts = [{each.text, *likes.get(each.id, ())} for each in (one, other)]
    if not texts[0].isdisjoint(texts[1]) or is_longer_title(one.title, other.title):
        return True
    if one.published_at is None or one.published_at != other.published_at:
        return False
    first, second = (frozenset(_WORD.findall(each.title.casefold())) for each in (one, other))
    return len(first & second) > SAME_TITLE * min(len(first), len(second))
