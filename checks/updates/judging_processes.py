"""Judges the units of a period: right here where there are few, by several processes where there are many.

What bears on several units is worked out once, where processes are copies of this one. Each process reads the units from the store
for itself and judges some at a time, so that memory stays where it is however many there are.
What it hands back is the same, in the same order, as one process would find.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from checks.updates.attested import Collected
from checks.updates.attribution import attributed
from checks.updates.judging import JudgedPart, Judging, join_parts, judge_part, judged_others
from checks.updates.observation_places import ObservationPlace
from checks.updates.observations import ObservationStore
from checks.updates.terms import Terms
from checks.updates.unit_names import UnitNames
from portalops.model.organisation import Agency
from portalops.model.period import Period
from portalops.model.updates import Poll, UpdateSourceTraits, UpdatesResult

AT_ONCE = 200
"""Units that a process judges before it hands back what it found."""
_WEEKS_BEFORE = 4
"""A period's judging reads about so many weeks before it too: see `checks.updates.terms.POLL_REACH_BACK`."""
_WORTH_PROCESSES = 4000
"""Units times weeks that take longer than processes take to begin: about half a second."""

PartT = TypeVar("PartT")


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


class PeriodJudging:
    """The judging of a period; to be closed."""

    def __init__(self, question: JudgedPeriod) -> None:
        """Open the store.

        Raises:
            UpdatesError: it cannot be used. A pool would not tell why its processes could not begin.
        """
        self._question = question
        self._store = ObservationStore.open(question.store, create=False)

    def __reduce__(self) -> tuple[type[PeriodJudging], tuple[JudgedPeriod]]:
        """Let a process that is no copy of this one open the store and work everything out for itself."""
        return PeriodJudging, (self._question,)

    def close(self) -> None:
        self._store.close()

    @cached_property
    def judging(self) -> Judging:
        """What judges in this process."""
        asked = self._question
        window = self._store.window(asked.terms.counted_from(asked.period), asked.terms.now)
        collected: Collected = window
        if asked.names is not None:
            collected = attributed(window, asked.names, asked.sources, asked.terms.decided)
        return Judging(collected, sources=asked.sources, period=asked.period, terms=asked.terms)

    def parts(
        self,
        units: Sequence[Agency],
        work: Callable[[Judging, Sequence[Agency]], PartT],
        *,
        processes: int | None = None,
        at_once: int = AT_ONCE,
    ) -> Iterator[PartT]:
        """Yield what a work makes of some units at a time, in the order of the units.

        Args:
            units: whom to judge; each once.
            work: a function of a module, so that another process finds it.
            processes: how many work at once; by default as many as there are processors, and one where that is faster.
            at_once: how many units are judged in one go.
        """
        some = [units[start : start + at_once] for start in range(0, len(units), at_once)]
        workers = processes or fitting_processes(self._question.period, len(units), processors=os.cpu_count() or 1)
        if workers == 1:
            yield from (work(self.judging, each) for each in some)
            return
        method = _start_method()
        if method == "fork":
            _ = self.judging  # which its copies have then
        self._store.close()  # a copy of this process must have no connection of it; each connects anew
        context = get_context(method)
        with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(self,)) as pool:
            yield from pool.map(partial(_work, work), some)


def judge_period(
    question: JudgedPeriod,
    units: Sequence[Agency],
    *,
    polls_of_run: Sequence[Poll] = (),
    processes: int | None = None,
    at_once: int = AT_ONCE,
) -> UpdatesResult:
    """Judge the portal's days and the units' weeks of a period: what `checks.updates.judging.judge` returns.

    Args:
        question: what is to be judged.
        units: all units ever; each is judged for the weeks in which it existed.
        polls_of_run: the polls that the result is to report.
        processes: as for `PeriodJudging.parts`.
        at_once: as there.

    Raises:
        UpdatesError: the store cannot be used.
    """
    known = tuple({unit.id: unit for unit in units}.values())
    period = PeriodJudging(question)
    try:
        parts = [*period.parts(known, _judge_some, processes=processes, at_once=at_once)]
        judging = period.judging
        parts.append(judge_part(judged_others(judging, units), judging))
        return join_parts(parts, judging, units=units, polls_of_run=polls_of_run)
    finally:
        period.close()


def _judge_some(judging: Judging, units: Sequence[Agency]) -> JudgedPart:
    return judge_part((judging.judge(unit.id, unit) for unit in units), judging)


def fitting_processes(period: Period, units: int, *, processors: int) -> int:
    """Return how many processes judge so many units of a period fastest: one where the others would take longer to begin."""
    return processors if units * (len(period.weeks()) + _WEEKS_BEFORE) >= _WORTH_PROCESSES else 1


def _start_method() -> str:
    """Return how a process is begun: as a copy of this one, which has imported all that it needs, where that is safe.

    A copy has none of the other threads, and what those held stays held in it (os.fork of Python's library).
    """
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


_workers: list[PeriodJudging] = []


def _begin(period: PeriodJudging) -> None:
    gc.disable()  # rows and sums hold no cycles, and looking for some among a million rows takes a sixth of the time
    _workers.append(period)


def _work(work: Callable[[Judging, Sequence[Agency]], PartT], units: Sequence[Agency]) -> PartT:
    return work(_workers[0].judging, units)
