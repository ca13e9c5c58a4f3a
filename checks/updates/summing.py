"""What each unit comes to over a long period, in a few numbers: the rows of a report's annex.

Ten thousand units with a thousand items each a year are judged by several processes at once, each of which reads the store
for itself and hands back numbers only, so that memory stays where it is however many there are.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from checks.updates.judging import Judging, UnitJudged
from checks.updates.observations import ObservationStore
from checks.updates.rules.stamps import moment
from checks.updates.terms import Terms
from portalops.model.organisation import Unit, UnitId
from portalops.model.period import Period
from portalops.model.updates import Channel, FlagKind, Grade, SourceTraits
from portalops.model.verdicts import DutyVerdict

AT_ONCE = 200
"""Units that a process judges before it hands its numbers back."""


@dataclass(frozen=True, slots=True)
class UnitSum:
    """One unit over a period."""

    unit: UnitId
    items: int
    """Items that count in the period, whatever for."""
    subportal: int
    """Occasions of K1."""
    submissions: int
    """Occasions of K2."""
    pending: int
    """Further occasions that rest on claimed dates alone."""
    weeks: Mapping[DutyVerdict, int]
    """How many of its weeks came to each verdict."""
    newest_at: datetime | None
    """When its newest item with proof counts."""
    unreachable_days: int
    flags: Mapping[FlagKind, int] = field(default_factory=dict)


def sum_up(judged: UnitJudged, judging: Judging) -> UnitSum:
    """Return a judged unit's numbers.

    Raises:
        ValueError: the items are of no known unit.
    """
    if judged.unit is None:
        raise ValueError("items of no known unit are no unit's")
    first, last = judging.period.first, judging.period.last
    counting = [
        one
        for channel in (Channel.SUBPORTAL, Channel.SUBMISSION)
        for items in judged.counting.get(channel, {}).values()
        for one in items
        if first <= one.day <= last
    ]
    newest = max((one.at for one in counting if one.item.grade is not Grade.C), default=None)
    return UnitSum(
        unit=judged.unit,
        items=len({one.item.seen.id for one in counting}),
        subportal=sum(week.subportal for week in judged.weeks),
        submissions=sum(week.submissions for week in judged.weeks),
        pending=sum(week.pending for week in judged.weeks),
        weeks=Counter(week.verdict for week in judged.weeks),
        newest_at=None if newest is None else moment(newest),
        unreachable_days=sum(len(week.unreachable) for week in judged.weeks),
        flags=Counter(flag for item in judged.items if item.flags and judging.concerns(item) for flag in item.flags),
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged."""

    store: Path
    sources: Sequence[SourceTraits]
    period: Period
    terms: Terms


def sums(
    question: Question, units: Sequence[Unit], *, processes: int | None = None, at_once: int = AT_ONCE
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
    some = [units[start : start + at_once] for start in range(0, len(units), at_once)]
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(question,)) as pool:
        for found in pool.map(_sums, some):
            yield from found


class _Worker:
    def __init__(self, question: Question) -> None:
        self._store = ObservationStore.open(question.store, create=False)
        window = self._store.window(question.terms.wanted_from(question.period), question.terms.now)
        self._judging = Judging(window, sources=question.sources, period=question.period, terms=question.terms)

    def sums(self, units: Sequence[Unit]) -> list[UnitSum]:
        return [sum_up(self._judging.judge(unit.id, unit, with_items=False), self._judging) for unit in units]


_workers: list[_Worker] = []


def _begin(question: Question) -> None:
    gc.disable()  # rows and sums hold no cycles, and looking for some among a million rows takes a sixth of the time
    _workers.append(_Worker(question))


def _sums(units: Sequence[Unit]) -> list[UnitSum]:
    return _workers[0].sums(units)
