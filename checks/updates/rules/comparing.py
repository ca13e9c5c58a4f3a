"""Items beside one another: the same item from two sources, the same text again, many items in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from checks.updates.rules.weighing import Weighed
from portalops.model.updates import FlagKind, Grade

BULK_ITEMS = 5
BULK_WITHIN = timedelta(minutes=30)
"""This many items in this time are one session (đăng dồn)."""
FINE_POLLING = timedelta(minutes=60)
"""First-seen times tell items apart only if the poll before was no longer ago than this."""


def compare(
    weighed: Sequence[Weighed],
    *,
    duplicate_window: timedelta,
    may_copy: frozenset[str],
    previous_polls: Mapping[str, datetime | None],
) -> tuple[Weighed, ...]:
    """Return the items after comparison, in the order of their evidence.

    Args:
        weighed: all items, each by itself.
        duplicate_window: how long the same text is the same news.
        may_copy: ids of sources in which other units' texts count.
        previous_polls: by observation, the good poll before it was first seen.
    """
    single = _one_of_each_address(weighed)
    single = _without_duplicates(single, duplicate_window, may_copy)
    return tuple(_bulk_as_sessions(single, previous_polls))


def _by_evidence(item: Weighed) -> tuple[bool, datetime, datetime, str]:
    """Order by what can be shown: what only claims a date comes after what has proof of one."""
    counts_at = item.counts_at or item.evidenced_at
    return item.grade is Grade.C and not item.observation.baseline, item.evidenced_at, counts_at, item.observation.id


def _one_of_each_address(weighed: Iterable[Weighed]) -> list[Weighed]:
    """Let an item that two sources show at one address count once, with the better proof."""
    best: dict[tuple[str, ...], Weighed] = {}
    items = sorted(weighed, key=lambda item: (item.grade is Grade.C, _by_evidence(item)))
    result = []
    for item in items:
        one = item.observation
        if one.url:
            key = (one.channel.value, one.unit or "", one.url)
            first = best.setdefault(key, item)
            if first.observation.source != one.source:
                item = replace(item, counts_at=None)  # noqa: PLW2901  # the same item, seen elsewhere
        result.append(item)
    return result


def _without_duplicates(items: Sequence[Weighed], window: timedelta, may_copy: frozenset[str]) -> list[Weighed]:
    """Flag what has the same text as an item before it: the unit's own always, another unit's unless copies count."""
    newest: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    result = []
    for item in sorted(items, key=_by_evidence):
        one = item.observation
        seen = newest[one.channel.value, one.content_hash]
        unit = one.unit or ""
        at = item.counts_at or item.evidenced_at
        rivals = seen if one.source not in may_copy else {unit: seen[unit]} if unit in seen else {}
        is_again = any(abs(at - before) <= window for before in rivals.values())
        if item.counts_at and is_again:
            result.append(replace(item, counts_at=None, flags=(*item.flags, FlagKind.DUPLICATE)))
            continue
        if FlagKind.REMOVED not in item.flags:
            seen[unit] = at
        result.append(item)
    return result


def _bulk_as_sessions(items: Sequence[Weighed], previous_polls: Mapping[str, datetime | None]) -> Iterable[Weighed]:
    groups: dict[tuple[str, str], list[tuple[datetime, Weighed]]] = defaultdict(list)
    rest: list[Weighed] = []
    for item in items:
        moment = _posting_moment(item, previous_polls)
        if moment is None:
            rest.append(item)
        else:
            groups[item.observation.channel.value, item.observation.unit or ""].append((moment, item))
    yield from rest
    for group in groups.values():
        group.sort(key=lambda pair: (pair[0], pair[1].observation.id))
        yield from _mark_bulk(group)


def _posting_moment(item: Weighed, previous_polls: Mapping[str, datetime | None]) -> datetime | None:
    """Return when an item was really posted, as far as that is known to half an hour."""
    if item.counts_at is None or item.observation.unit is None or item.grade is Grade.D:
        return None
    if item.observation.created_at:
        return item.observation.created_at
    before = previous_polls.get(item.observation.id)
    is_fine = before is not None and item.observation.first_seen_at - before <= FINE_POLLING
    return item.observation.first_seen_at if is_fine else None


def _mark_bulk(group: Sequence[tuple[datetime, Weighed]]) -> Iterable[Weighed]:
    start = 0
    while start < len(group):
        end = start
        while end < len(group) and group[end][0] - group[start][0] <= BULK_WITHIN:
            end += 1
        cluster = [item for _moment, item in group[start:end]]
        if len(cluster) >= BULK_ITEMS:
            first = min(item.counts_at for item in cluster if item.counts_at)
            session = cluster[0].observation.id
            for item in cluster:
                yield replace(item, counts_at=first, session=session, flags=(*item.flags, FlagKind.BULK))
        else:
            yield from cluster
        start = end
