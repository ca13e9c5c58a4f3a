"""What each unit comes to over a long period, in a few numbers: the rows of a report's annex."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from checks.updates.judging import Judging, UnitJudged, judge_portal_days, judged_units
from checks.updates.judging_processes import AT_ONCE, JudgedPeriod, PeriodJudging
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.occasions import CountedDays, count_occasions
from checks.updates.rules.stamps import Stamp, moment
from portalops.compliance.handling import indicators_of
from portalops.model.organisation import Agency
from portalops.model.updates import ItemChannel, OpenBecause, PortalDay, UnitSum, UnitWeek
from portalops.model.verdicts import DutyVerdict

UNDECIDED = frozenset({DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING})


def sum_up(judged: UnitJudged, judging: Judging) -> UnitSum:
    """Return a judged unit's numbers: the weeks whose last day lies in the period, the items and occasions of its days.

    So each week and each day is in one of two periods that follow each other, and in no other.

    Raises:
        ValueError: the items are of no known unit.
    """
    if judged.unit is None:
        raise ValueError("items of no known unit are no unit's")
    first, last = judging.period.first.toordinal(), judging.period.last.toordinal()
    counted: set[str] = set()
    newest: Stamp | None = None
    for channel in (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION):
        for week, items in judged.counting.get(channel, {}).items():
            span = week.period()
            monday, sunday = span.first.toordinal(), span.last.toordinal()
            for one in items:
                begins, ends = one.days
                if not one.item.is_sure or begins < first or ends > last:
                    continue
                newest = max(newest or 0, one.item.evidenced_at)
                # What may have come in either of two weeks is an occasion of neither, so it is not among the items that count.
                if monday <= begins and ends <= sunday:
                    counted.add(one.item.seen.id)
    weeks = [_cut_to_period(week, judged, judging) for week in judged.weeks]
    ended = [week for week in weeks if week.week.period().last <= judging.period.last]
    return UnitSum(
        unit=judged.unit,
        items=len(counted),
        subportal=sum(week.subportal for week in weeks),
        submissions=sum(week.submissions for week in weeks),
        pending=sum(week.pending for week in weeks),
        weeks=Counter(week.verdict for week in ended),
        newest_at=None if newest is None else moment(newest),
        unreachable_days=sum(len(week.unreachable) for week in weeks),
        flags=Counter(flag for item in judged.items if item.flags and judging.concerns(item) for flag in item.flags),
        unmet=frozenset(
            (week.week, duty)
            for week in ended
            for duty, verdict, _due, _seen in indicators_of(week, judging.terms.numbers.unit_duties)
            if verdict is DutyVerdict.UNMET
        ),
        open_because=Counter(reason for week in ended for reason in _reasons_of_open(week, judging)),
    )


def _reasons_of_open(week: UnitWeek, judging: Judging) -> frozenset[OpenBecause]:
    """Return why a week that is over came to no verdict; nothing for any other."""
    facts = judging.facts_of(week.week)
    if week.verdict not in UNDECIDED or facts is None or not facts.moment.is_over:
        return frozenset()
    verdicts = {ItemChannel.SUBPORTAL: week.subportal_verdict, ItemChannel.SUBMISSION: week.submissions_verdict}
    # Where both are added up, neither need be open by itself.
    channels = [channel for channel, verdict in verdicts.items() if verdict in UNDECIDED] or [*verdicts]
    found = set()
    for channel in channels:
        sources = judging.coverage.sources(channel, week.unit)
        begins = [judging.coverage.begins_at(one, week.unit) for one in sources]
        if not sources:
            found.add(OpenBecause.NO_SOURCE)
        else:
            found.add(OpenBecause.NOT_WATCHED if max(begins) > facts.start else OpenBecause.UNPROVEN)
    return frozenset(found)


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


def sums(
    question: JudgedPeriod, units: Sequence[Agency], *, processes: int | None = None, at_once: int = AT_ONCE
) -> Iterator[UnitSum]:
    """Yield each unit's numbers, in the order of the units.

    Args:
        question: what is to be judged.
        units: whose; each once.
        processes: as for `PeriodJudging.parts`.
        at_once: as there.

    Raises:
        UpdatesError: the store cannot be used.
    """
    period = PeriodJudging(question)
    try:
        for found in period.parts(units, _sum_up_some, processes=processes, at_once=at_once):
            yield from found
    finally:
        period.close()


def _sum_up_some(judging: Judging, units: Sequence[Agency]) -> list[UnitSum]:
    return [sum_up(judging.judge(unit.id, unit, with_items=False), judging) for unit in units]


def sums_and_portal(
    question: JudgedPeriod, units: Sequence[Agency]
) -> tuple[tuple[UnitSum, ...], tuple[PortalDay, ...]]:
    """Return each unit's numbers and the portal's days, judged in one go: what a period's report says.

    Raises:
        UpdatesError: the store cannot be used.
    """
    period = PeriodJudging(question)
    judging = period.judging
    found: list[UnitSum] = []
    portal: list[GradedItem] = []
    wanted = {unit.id for unit in units}
    for one in judged_units(judging, units):
        portal += [item for item in one.items if item.seen.channel == ItemChannel.PORTAL]
        if one.unit in wanted:
            found.append(sum_up(one, judging))
    period.close()
    return tuple(found), judge_portal_days(portal, judging)
