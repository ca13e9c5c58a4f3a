"""Sources whose clock is known to be hours off: what they claim narrows nothing. Pure.

A claim outside the polls is refuted by them. Of a source whose claims are refuted again and again by the same number of hours, a
claim that happens to lie inside is no better: the item came between its two polls.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from checks.updates.offsets import AT_LEAST, DatedItem, offset_of
from checks.updates.rules.grading import ClaimRules, GradedItem
from checks.updates.rules.placing import Interval
from portalops.model.updates import FlagKind, Grade

_REFUTED = frozenset({FlagKind.BACKDATED, FlagKind.FUTURE})


def without_false_claims(items: Sequence[GradedItem], claims: ClaimRules, *, usual_hours: int) -> Sequence[GradedItem]:
    """Return the items of one unit, with what sources whose times are hours off claim set aside.

    Args:
        items: each graded by itself.
        claims: what a claimed time is worth; a claimed day without an hour proves nothing of a clock.
        usual_hours: the portal zone's distance from UTC.
    """
    refuted = Counter(item.seen.source for item in items if item.flags and not _REFUTED.isdisjoint(item.flags))
    suspects = {source for source, count in refuted.items() if count >= AT_LEAST}
    if not suspects:
        return items
    dated: dict[str, list[DatedItem]] = defaultdict(list)
    for item in items:
        one = item.seen
        if one.source in suspects and item.grade is Grade.A and one.published_at is not None:
            assert one.looked_before_at is not None
            if claims.day_of(one.published_at) is None:
                dated[one.source].append(
                    DatedItem(one.source, one.published_at, one.first_seen_at, one.looked_before_at, "")
                )
    wrong = {source for source, own in dated.items() if offset_of(own, usual_hours=usual_hours) is not None}
    return [_bound_by_polls(item) if item.seen.source in wrong else item for item in items]


def _bound_by_polls(item: GradedItem) -> GradedItem:
    one = item.seen
    if item.grade is not Grade.A or item.came is None or one.created_at is not None or one.looked_before_at is None:
        return item
    return item._replace(came=Interval(one.looked_before_at + 1, one.first_seen_at), hoped_at=None)
