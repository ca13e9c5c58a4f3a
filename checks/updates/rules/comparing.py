"""Items beside one another: the same item from two sources, the same text again, many items in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from checks.updates.rules.grading import GradedItem
from checks.updates.rules.stamps import Stamp, span
from portalops.model.updates import FlagKind, Grade, ItemChannel

BULK_ITEMS = 5
BULK_WITHIN = span(timedelta(minutes=30))
"""This many items in this time are one session (đăng dồn)."""
FINE_POLLING = span(timedelta(minutes=60))
"""First-seen times tell items apart only if the look before was no longer ago than this."""


def repeated(items: Iterable[GradedItem], *, window: int, may_copy: Collection[str]) -> frozenset[str]:
    """Return the observations whose text was there before: the unit's own always, another unit's unless copies count.

    An item of an unknown sender is no other unit's and no own one, so it takes nothing away from a unit's item; once it is
    known whose it is, judging again takes it for what it is. On the portal itself it matters not whose an item is.

    Args:
        items: every item of a channel whose text at least two items share, of whatever unit; those of one text follow
            each other, so that no more of them than these are held at once.
        window: for how many milliseconds the same text is the same news.
        may_copy: ids of sources in which other units' texts count.
    """
    again = set()
    for _text, some in groupby(items, key=lambda item: (item.seen.channel, item.seen.text)):
        told: dict[str, Stamp] = {}
        for item in sorted(some, key=_evidence_key):
            one = item.seen
            unit = one.unit or ""
            at = item.evidenced_at if item.counts_at is None else item.counts_at
            rivals = told.items() if one.source not in may_copy else ((unit, told[unit]),) if unit in told else ()
            is_open = not unit or one.channel == ItemChannel.PORTAL
            if item.counts_at is not None and any(
                abs(at - before) <= window for other, before in rivals if other or is_open
            ):
                again.add(one.id)
            elif FlagKind.REMOVED not in item.flags:
                told[unit] = at
    return frozenset(again)


def compare(items: Sequence[GradedItem], again: Collection[str]) -> list[GradedItem]:
    """Return the items of one unit beside one another.

    Args:
        items: each by itself.
        again: the observations whose text was there before.
    """
    single = _one_of_each_address(items)
    if again:
        single = [
            item._replace(counts_at=None, flags=(*item.flags, FlagKind.DUPLICATE))
            if item.seen.id in again and item.counts_at is not None
            else item
            for item in single
        ]
    return _bulk_as_sessions(single)


def _evidence_key(item: GradedItem) -> tuple[Stamp, Stamp, str]:
    """Order by what can be shown: when it is known to have existed, and then when it counts."""
    counts_at = item.evidenced_at if item.counts_at is None else item.counts_at
    return item.evidenced_at, counts_at, item.seen.id


def _one_of_each_address(items: Sequence[GradedItem]) -> list[GradedItem]:
    """Let an item that two sources show at one address count once, with the better proof."""
    sources = {(item.seen.channel, item.seen.source) for item in items}
    if len(sources) == len({channel for channel, _source in sources}):
        return list(items)
    best: dict[tuple[str, str], str] = {}
    result = []
    for item in sorted(items, key=lambda item: (item.grade is Grade.C, _evidence_key(item))):
        one = item.seen
        is_first = not one.url or best.setdefault((one.channel, one.url), one.source) == one.source
        result.append(item if is_first else item._replace(counts_at=None))
    return result


def _bulk_as_sessions(items: list[GradedItem]) -> list[GradedItem]:
    posted: dict[str, list[tuple[Stamp, str, GradedItem]]] = defaultdict(list)
    for item in items:
        at = _posting_moment(item)
        if at is not None:
            posted[item.seen.channel].append((at, item.seen.id, item))
    sessions: dict[str, GradedItem] = {}
    for group in posted.values():
        if len(group) >= BULK_ITEMS:
            group.sort(key=lambda entry: entry[:2])
            sessions |= {item.seen.id: item for item in _bulk(group)}
    return [sessions.get(item.seen.id, item) for item in items] if sessions else items


def _posting_moment(item: GradedItem) -> Stamp | None:
    """Return when an item was really posted, as far as that is known to half an hour."""
    one = item.seen
    if item.counts_at is None or one.unit is None or item.grade is Grade.D:
        return None
    if one.created_at is not None and FlagKind.WAITED not in item.flags:  # drafts made together may come up one by one
        return one.created_at
    before = one.looked_before_at
    return one.first_seen_at if before is not None and one.first_seen_at - before <= FINE_POLLING else None


def _bulk(group: Sequence[tuple[Stamp, str, GradedItem]]) -> Iterable[GradedItem]:
    start = 0
    while start < len(group):
        end = start
        while end < len(group) and group[end][0] - group[start][0] <= BULK_WITHIN:
            end += 1
        cluster = [item for _at, _id, item in group[start:end]]
        if len(cluster) >= BULK_ITEMS:
            first = min(item.counts_at for item in cluster if item.counts_at is not None)
            session = cluster[0].seen.id
            for item in cluster:
                yield item._replace(counts_at=first, session=session, flags=(*item.flags, FlagKind.BULK))
        start = end
