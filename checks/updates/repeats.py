"""Rows of one answer that show one item twice, such as a box of the newest item above the list that has it too. Pure.

Of such rows one is kept, the one in the list: the place of a box says nothing of the list's order. Rows of one address are one item
if their titles are the same, and neither id, agency nor date speaks against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain

from checks.updates.text import fold
from portalops.model.updates import ListedItem

_DAY = timedelta(days=1)
"""A box may show the day alone, where the list shows the hour too."""
_MANY = 6
"""An address of more items than this is that of a page for many documents, and none of theirs."""
_ELLIPSES = ("...", "…")


def places_without_repeats(items: Sequence[ListedItem], addresses: Sequence[str]) -> Sequence[int]:
    """Return the places of an answer's rows without those that show an item again, in order.

    Args:
        items: the rows.
        addresses: theirs in the canonical form, one each; empty where an address names nothing.
    """
    repeated = _repeated(items, addresses)
    doubled = set(chain.from_iterable(repeated))
    # A box stands above the list or below it; what has no row of one place behind it is below.
    end = next((place for place in reversed(range(len(items))) if place not in doubled), 0)
    kept = {max((place for place in some if place < end), default=some[0]) for some in repeated}
    return [place for place in range(len(items)) if place in kept or place not in doubled]


def _repeated(items: Sequence[ListedItem], addresses: Sequence[str]) -> Sequence[Sequence[int]]:
    """Return the places of each item that has several."""
    counts = Counter(addresses)
    found: dict[str, list[list[int]]] = defaultdict(list)
    for place, (item, address) in enumerate(zip(items, addresses, strict=True)):
        if not address or counts[address] == 1 or len(found[address]) > _MANY:
            continue
        same = next((some for some in found[address] if _is_one(items[some[0]], item)), None)
        if same is None:
            found[address].append([place])
        else:
            same.append(place)
    return [some for rows in found.values() if len(rows) <= _MANY for some in rows if len(some) > 1]


def _is_one(one: ListedItem, other: ListedItem) -> bool:
    names = [(each.external_id, each.unit_name, each.channel) for each in (one, other)]
    is_apart = one.published_at and other.published_at and abs(one.published_at - other.published_at) >= _DAY
    return names[0] == names[1] and not is_apart and _is_one_title(one.title, other.title)


def _is_one_title(*titles: str) -> bool:
    """Say whether titles are the same, or one is another one's beginning with an ellipsis."""
    short, long = sorted(map(fold, titles), key=len)
    cut = next((short.removesuffix(sign).rstrip() for sign in _ELLIPSES if short.endswith(sign)), "")
    return short == long or (bool(cut) and long.startswith(cut))
