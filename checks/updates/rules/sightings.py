"""What an officer saw, beside what the polls of the same sub-portal say: the polls decide. Pure.

An officer's word stands where no poll would have shown the item. Where a source of the unit was whole at that moment, the item at
its address is there in the polls too, or it was not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from checks.updates.rules.coverage import END, Coverage
from checks.updates.rules.grading import CACHE_LAG, GradedItem
from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import Stamp
from portalops.model.updates import FlagKind, ItemChannel


def hold_sightings(
    items: Iterable[GradedItem],
    *,
    source: str,
    unkept: Collection[str],
    is_watched: Callable[[SeenItem], bool],
) -> Iterator[GradedItem]:
    """Yield the items of one unit, with each sighting held against what the sources showed.

    One that a poll refutes counts for nothing. One at an address that a watching source never showed is open, unless the
    item itself or a picture of it is kept.

    Args:
        items: all items of the unit, each graded by itself.
        source: the id that stands for the source of a sighting.
        unkept: ids of the sightings of which nothing is kept.
        is_watched: says whether a source of the unit was whole when the item was seen, or is to be polled yet.
    """
    graded = list(items)
    shown: dict[tuple[str, str], list[SeenItem]] = defaultdict(list)
    if any(item.seen.source == source for item in graded):
        for item in graded:
            if item.seen.source != source and item.seen.url:
                shown[item.seen.channel, item.seen.url].append(item.seen)
    for item in graded:
        one = item.seen
        if one.source != source:
            yield item
            continue
        known = shown.get((one.channel, one.url), ())
        if known and all(is_refuted(item.evidenced_at, each.looked_before_at) for each in known):
            yield item._replace(came=None, is_sure=False, hoped_at=None, flags=(*item.flags, FlagKind.BACKDATED))
        elif not known and one.id in unkept and is_watched(one):
            yield item._replace(is_sure=False, flags=(*item.flags, FlagKind.UNSHOWN))
        else:
            yield item


def is_refuted(seen_at: Stamp, looked_before_at: Stamp | None) -> bool:
    """Say whether a poll that would have shown an item refutes that it was seen at a moment; an answer may lag by two hours."""
    return looked_before_at is not None and seen_at < looked_before_at - CACHE_LAG


def was_watched(coverage: Coverage, one: SeenItem, at: Stamp) -> bool:
    """Say whether a source that would show an item was whole at a moment, or is to be polled yet; a register watches nothing."""
    return any(
        all(each.until == END for each in coverage.unseen(traits, one.unit, at, at + 1))
        for traits in coverage.sources(ItemChannel(one.channel), one.unit)
        if not traits.attested
    )
