"""What each unit comes to over a long period, in a few numbers: the rows of a report's annex.

Ten thousand units with a thousand items each a year are judged by several processes at once, each of which reads the store
for itself and hands back numbers only, so that memory stays where it is however many there are.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from checks.updates.attested import Collected
from checks.updates.attribution import attributed
from checks.updates.judging import Judging, UnitJudged, judge_portal_days, judged_units
from checks.updates.observation_places import ObservationPlace
from checks.updates.observations import ObservationStore
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.occasions import CountedDays, count_occasions
from checks.updates.rules.stamps import moment
from checks.updates.terms import Terms
from checks.updates.unit_names import UnitNames
from portalops.model.organisation import Agency
from portalops.model.period import Period
from portalops.model.updates import ItemChannel, PortalDay, UnitSum, UnitWeek, UpdateSourceTraits

AT_ONCE = 200
"""Units that a process judges before it hands its numbers back."""


def sum_up(judged: UnitJudged, judging: Judging) -> UnitSum:
    """Return a judged unit's numbers: the weeks whose last day lies in the period, the items and occasions of its days.

    So each week and each day is in one of two periods that follow each other, and in no other.

    Raises:
        ValueError: the items are of no known unit.
    """
    if judged.unit is None:
        raise ValueError("items of no known unit are no unit's")
    first, last = judging.period.first, judging.period.last
    counting = {
        one.item.seen.id: one
        for channel in (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)
        for items in judged.counting.get(channel, {}).values()
        for one in items
        if first.toordinal() <= one.shown_on <= last.toordinal()
    }
    newest = max((one.item.evidenced_at for one in counting.values() if one.item.is_sure), default=None)
    weeks = [_cut_to_period(week, judged, judging) for week in judged.weeks]
    return UnitSum(
        unit=judged.unit,
        items=sum(one.item.is_sure for one in counting.values()),
        subportal=sum(week.subportal for week in weeks),
        submissions=sum(week.submissions for week in weeks),
        pending=sum(week.pending for week in weeks),
        weeks=Counter(week.verdict for week in weeks if week.week.period().last <= last),
        newest_at=None if newest is None else moment(newest),
        unreachable_days=sum(len(week.unreachable) for week in weeks),
        flags=Counter(flag for item in judged.items if item.flags and judging.concerns(item) for flag in item.flags),
    )


def _cut_to_period(week: UnitWeek, judged: UnitJudged, judging: Judging) -> UnitWeek:
    """Return a week with what it has on the days of the period, which may begin or end within it."""
    span = week.week.period()
    if span.first in judging.period and span.last in judging.period:
        return week
    solid, claimed = Counter[ItemChannel](), Counter[ItemChannel]()
    days = CountedDays(*([day.toordinal() for day in span.days() if day in judging.period],) * 2)
    for channel in (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION):
        items = judged.counting.get(channel, {}).get(week.week, ())
        occurred = count_occasions(items, days, numbers=judging.terms.numbers)
        solid[channel], claimed[channel] = occurred.least, occurred.hoped - occurred.least
    return replace(
        week,
        subportal=solid[ItemChannel.SUBPORTAL],
        submissions=solid[ItemChannel.SUBMISSION],
        pending=claimed.total(),
        unreachable=tuple(day for day in week.unreachable if day in judging.period),
    )


@dataclass(frozen=True, slots=True)
class JudgedPeriod:
    """What is to be judged."""

    store: ObservationPlace | Path
    """Where it lies; a path is that of a file."""
    sources: Sequence[UpdateSourceTraits]
    period: Period
    terms: Terms
    names: UnitNames | None = None
    """How units are known by what sources call them; None where the store's own attribution stands."""


def sums(
    question: JudgedPeriod, units: Sequence[Agency], *, processes: int | None = None, at_once: int = AT_ONCE
) -> Iterator[UnitSum]:
    """Yield each unit's numbers, in the order of the units.

    Args:
        question: what is to be judged.
        units: whose; each once.
        processes: how many work at once; as many as there are processors by default.
        at_once: how many units one of them judges in one go; no more units than that are judged right here.

    Raises:
        UpdatesError: the store cannot be used.
    """
    workers = processes or os.cpu_count() or 1
    if len(units) <= at_once or workers == 1:
        yield from _Worker(question).sums(units)
        return
    ObservationStore.open(question.store, create=False).close()  # a pool tells not why its processes could not begin
    some = [units[start : start + at_once] for start in range(0, len(units), at_once)]
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(question,)) as pool:
        for found in pool.map(_sums, some):
            yield from found


def sums_and_portal(
    question: JudgedPeriod, units: Sequence[Agency]
) -> tuple[tuple[UnitSum, ...], tuple[PortalDay, ...]]:
    """Return each unit's numbers and the portal's days, judged in one go: what a period's report says.

    Raises:
        UpdatesError: the store cannot be used.
    """
    worker = _Worker(question)
    found: list[UnitSum] = []
    portal: list[GradedItem] = []
    wanted = {unit.id for unit in units}
    for one in judged_units(worker.judging, units):
        portal += [item for item in one.items if item.seen.channel == ItemChannel.PORTAL]
        if one.unit in wanted:
            found.append(sum_up(one, worker.judging))
    worker.close()
    return tuple(found), judge_portal_days(portal, worker.judging)


class _Worker:
    def __init__(self, question: JudgedPeriod) -> None:
        self._store = ObservationStore.open(question.store, create=False)
        terms = question.terms
        window = self._store.window(terms.counted_from(question.period), terms.now)
        collected: Collected = window
        if question.names is not None:
            collected = attributed(window, question.names, question.sources, terms.decided)
        self.judging = Judging(collected, sources=question.sources, period=question.period, terms=question.terms)

    def sums(self, units: Sequence[Agency]) -> list[UnitSum]:
        return [sum_up(self.judging.judge(unit.id, unit, with_items=False), self.judging) for unit in units]

    def close(self) -> None:
        self._store.close()


_workers: list[_Worker] = []


def _begin(question: JudgedPeriod) -> None:
    gc.disable()  # rows and sums hold no cycles, and looking for some among a million rows takes a sixth of the time
    _workers.append(_Worker(question))


def _sums(units: Sequence[Agency]) -> list[UnitSum]:
    return _workers[0].sums(units)
