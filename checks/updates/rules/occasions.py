"""How items become occasions (lần): by day, by session, or one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from checks.updates.rules.grading import GradedItem
from checks.updates.rules.stamps import Stamp, span
from portalops.model.rulebook import Numbers, Occasions
from portalops.model.updates import Grade


class Counting(NamedTuple):
    """An item that counts, and the local day that it counts on."""

    day: date
    at: Stamp
    item: GradedItem


def count_occasions(items: Collection[Counting], *, numbers: Numbers) -> tuple[int, int]:
    """Return how many occasions items are: with proof, and the further ones that rest on claimed dates."""
    proven = [one for one in items if one.item.grade is not Grade.C]
    solid = _count(proven, numbers)
    return solid, 0 if len(proven) == len(items) else max(0, _count(items, numbers) - solid)


def _count(items: Iterable[Counting], numbers: Numbers) -> int:
    if numbers.occasion is Occasions.DAY:
        return len({one.day for one in items})
    return occasions(items, numbers=numbers).total()


def occasions(items: Iterable[Counting], *, numbers: Numbers) -> Counter[date]:
    """Return the occasions of each local day."""
    match numbers.occasion:
        case Occasions.DAY:
            return Counter({one.day for one in items})
        case Occasions.ITEMS:
            return Counter({one.item.session or one.item.seen.id: one.day for one in items}.values())
        case Occasions.SESSION:
            days: Counter[date] = Counter()
            gap = span(timedelta(minutes=numbers.session_gap_minutes))
            before: Stamp | None = None
            for one in sorted(items, key=lambda one: one.at):
                if before is None or one.at - before > gap:
                    days[one.day] += 1
                before = one.at
            return days
