"""Sources whose clock is known to be hours off: what they claim narrows nothing. Pure.

A claim outside the polls is refuted by them. Of a source whose claims are refuted again and again by the same number of hours, a
claim that happens to lie inside is no better: the item came between its two polls. Its rows' creation is of the same clock.
One claim refuted by the portal zone's distance from UTC proves no such clock. Where no other claim speaks against it, both hours of
a claim may be true.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from checks.updates.offsets import AT_LEAST, DatedItem, offset_of, possible_offset
from checks.updates.rules.grading import BEGINNING, ClaimRules, GradedItem
from checks.updates.rules.placing import Interval
from checks.updates.rules.stamps import span
from portalops.model.updates import FlagKind, Grade

_REFUTED = frozenset({FlagKind.BACKDATED, FlagKind.FUTURE})
_CLAIMED = frozenset({Grade.A, Grade.B})


def without_false_claims(items: Sequence[GradedItem], claims: ClaimRules, *, usual_hours: int) -> Sequence[GradedItem]:
    """Return the items of one unit, with what sources whose times are hours off claim set aside.

    Args:
        items: each graded by itself.
        claims: what a claimed time is worth; a claimed day without an hour proves nothing of a clock.
        usual_hours: the portal zone's distance from UTC.
    """
    refuted = Counter(item.seen.source for item in items if item.flags and not _REFUTED.isdisjoint(item.flags))
    if not refuted:
        return items
    dated: dict[str, list[DatedItem]] = defaultdict(list)
    for item in items:
        if item.seen.source in refuted and (one := _dated(item, claims)) is not None:
            dated[one.source].append(one)
    wrong = {
        source
        for source, own in dated.items()
        if refuted[source] >= AT_LEAST and offset_of(own, usual_hours=usual_hours) is not None
    }
    doubted = {source: possible_offset(own, usual_hours=usual_hours) for source, own in dated.items()}
    return [
        _bound_by_polls(item) if item.seen.source in wrong else _widened(item, doubted.get(item.seen.source, 0))
        for item in items
    ]


def _dated(item: GradedItem, claims: ClaimRules) -> DatedItem | None:
    """Return what an item says of its source's clock: by its claim, or by its row's creation where that is believed instead.

    The creation of other rows is no word on the clock: a draft may have waited.
    """
    one = item.seen
    claim = one.published_at if item.grade is Grade.A else None if item.came is None else item.came.first
    if item.grade not in _CLAIMED or claim is None or one.looked_before_at is None or claims.day_of(claim) is not None:
        return None
    return DatedItem(one.source, claim, one.first_seen_at, one.looked_before_at, "")


def _bound_by_polls(item: GradedItem) -> GradedItem:
    one = item.seen
    if item.grade not in _CLAIMED or item.came is None:
        return item
    if one.looked_before_at is None:  # it was there before the first poll, since when nobody knows
        flags = (*item.flags, FlagKind.BASELINE if one.baseline else FlagKind.UNBOUNDED)
        came = Interval(BEGINNING, one.first_seen_at)
        return item._replace(grade=Grade.C, came=came, is_sure=False, hoped_at=item.came.first, flags=flags)
    return item._replace(grade=Grade.A, came=Interval(one.looked_before_at + 1, one.first_seen_at), hoped_at=None)


def _widened(item: GradedItem, hours: int) -> GradedItem:
    """Return an item that came at its claim, or at that hour by the right clock, where the polls allow both."""
    one, came = item.seen, item.came
    if not hours or item.grade not in _CLAIMED or came is None or came.first != came.last:
        return item
    other = came.first - span(timedelta(hours=hours))
    if one.looked_before_at is None or not one.looked_before_at < other <= one.first_seen_at:
        return item
    return item._replace(grade=Grade.A, came=Interval(min(came.first, other), max(came.first, other)), hoped_at=None)
