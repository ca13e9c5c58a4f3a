"""Rows of a content database that went all at once, as where it was put back from a backup: nobody took them down. Pure.

What is gone within two days of its first sight counts for nothing, for it was put up to be counted. Who hides one item takes down
that item; a backup that is put back takes away whatever came after it, also what had stood for long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from checks.updates.rules.grading import REMOVED_WITHIN
from checks.updates.rules.seen import Gone, SeenItem
from checks.updates.rules.stamps import Stamp


def lost_at_once(items: Iterable[SeenItem], gone: Mapping[str, Gone], complete: Collection[str]) -> frozenset[str]:
    """Return the ids of the items that one answer of a database lacks together with every newer row of the unit.

    At least one of them had stood for two days.

    Args:
        items: of one unit.
        gone: how items went away, by id; of any unit.
        complete: ids of the sources that show all that is published.
    """
    rows: dict[str, list[SeenItem]] = defaultdict(list)
    for one in items:
        if one.source in complete:
            rows[one.source].append(one)
    lost: set[str] = set()
    for own in rows.values():
        together: dict[Stamp, list[SeenItem]] = defaultdict(list)
        for one in own:
            if one.id in gone:
                together[gone[one.id].at].append(one)
        for at, some in together.items():
            begins = min(map(_made_at, some))
            newer = sum(one.first_seen_at < at and _made_at(one) >= begins and not _went(one, gone, at) for one in own)
            has_stood = any(gone[one.id].seen_at - one.first_seen_at >= REMOVED_WITHIN for one in some)
            if len(some) > 1 and has_stood and newer == len(some):
                lost |= {one.id for one in some}
    return frozenset(lost)


def _made_at(one: SeenItem) -> Stamp:
    return one.first_seen_at if one.created_at is None else one.created_at


def _went(one: SeenItem, gone: Mapping[str, Gone], before: Stamp) -> bool:
    """Say whether an item was gone before a moment."""
    return one.id in gone and gone[one.id].at < before
