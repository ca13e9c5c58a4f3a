"""One unit's week, put together: its items counted, both indicators judged, the verdict and its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checks.updates.rules.coverage import Coverage
from checks.updates.rules.occasions import counting_day, occasions
from checks.updates.rules.weeks import (
    Moment,
    Tally,
    combine,
    due_days,
    explain,
    judge_indicator,
    moment_of,
    required_occasions,
    subportal_grace_ends,
    sum_tallies,
)
from checks.updates.rules.weighing import Weighed
from checks.updates.terms import Terms
from portalops.model.organisation import Unit, UnitId
from portalops.model.period import Week
from portalops.model.rulebook import UnitDuties
from portalops.model.updates import Channel, Counted, Grade, UnitWeek
from portalops.model.verdicts import DutyVerdict


def judge_unit_weeks(
    units: Sequence[Unit],
    weeks: Sequence[Week],
    items: Mapping[tuple[UnitId, Channel], Mapping[Week, Sequence[Weighed]]],
    coverage: Coverage,
    terms: Terms,
) -> Iterable[UnitWeek]:
    """Yield the judgement of each unit for each week in which it existed, week by week.

    Args:
        units: all units ever.
        weeks: the weeks to judge; all have begun.
        items: what counts, by unit, channel and the week that it counts in.
        coverage: what the polls can speak for.
        terms: rulebook, calendar and the moment of judging.
    """
    for week in weeks:
        end = terms.end_of(week.period().last)
        moment = moment_of(
            week, today=terms.today, end=end, now=terms.now, poll_due_by=terms.poll_due_by(end), calendar=terms.calendar
        )
        for unit in units:
            if _exists_in(unit, week):
                own = {channel: items.get((unit.id, channel), {}).get(week, ()) for channel in Channel}
                yield _unit_week(unit, week, items=own, coverage=coverage, moment=moment, terms=terms)


def _exists_in(unit: Unit, week: Week) -> bool:
    span = week.period()
    return (unit.valid_from is None or unit.valid_from <= span.last) and (
        unit.valid_to is None or unit.valid_to >= span.first
    )


def _unit_week(
    unit: Unit,
    week: Week,
    *,
    items: Mapping[Channel, Sequence[Weighed]],
    coverage: Coverage,
    moment: Moment,
    terms: Terms,
) -> UnitWeek:
    numbers = terms.numbers
    days = due_days(unit, week, terms.calendar)
    required = required_occasions(len(days), numbers)
    grace_end = subportal_grace_ends(unit, numbers, terms.calendar)
    subportal_days = [day for day in days if grace_end is None or day > grace_end] if unit.has_subportal else []
    k1 = _tally(items[Channel.SUBPORTAL], Channel.SUBPORTAL, unit, week=week, coverage=coverage, terms=terms)
    k2 = _tally(items[Channel.SUBMISSION], Channel.SUBMISSION, unit, week=week, coverage=coverage, terms=terms)
    first = judge_indicator(
        k1, required=required_occasions(len(subportal_days), numbers), moment=moment, numbers=numbers
    )
    second = judge_indicator(k2, required=required, moment=moment, numbers=numbers)
    # Without a sub-portal there is nothing to add up: the sum is then what was sent.
    both = sum_tallies(k1, k2) if unit.has_subportal else k2
    summed = judge_indicator(both, required=required, moment=moment, numbers=numbers)
    if not terms.calendar.working_days(week.period()):
        first = second = verdict = DutyVerdict.EXEMPT
    else:
        verdict = combine(first, second, duties=numbers.unit_duties, summed=summed)
    if numbers.unit_duties is UnitDuties.SUM:
        tallies: tuple[Tally, ...] = (both,)
    else:  # the reason speaks of the indicators that the verdict rests on, and of no other
        tallies = tuple(tally for own, tally in ((first, k1), (second, k2)) if own is verdict) or (k2,)
    return UnitWeek(
        unit=unit.id,
        week=week,
        verdict=verdict,
        reason=explain(verdict, tallies, required=required, moment=moment),
        required=required,
        subportal=k1.solid,
        submissions=k2.solid,
        subportal_verdict=first,
        submissions_verdict=second,
        working_days=len(days),
        coverage_percent=min(tally.coverage_percent for tally in tallies),
        pending=k1.pending + k2.pending,
        items=_counted((*items[Channel.SUBPORTAL], *items[Channel.SUBMISSION]), terms),
    )


def _tally(
    items: Sequence[Weighed], channel: Channel, unit: Unit, *, week: Week, coverage: Coverage, terms: Terms
) -> Tally:
    numbers, zone = terms.numbers, terms.zone
    solid = occasions((one for one in items if one.grade is not Grade.C), numbers=numbers, zone=zone).total()
    with_claims = occasions(items, numbers=numbers, zone=zone).total() if items else 0
    start, end = week.period().bounds(zone)
    sources = coverage.sources(channel, unit.id)
    return Tally(
        solid=solid,
        pending=max(0, with_claims - solid),
        coverage_percent=coverage.percent(sources, start, min(end, max(terms.now, start))),
        has_source=bool(sources),
        collected=coverage.reaches(sources, end),
    )


def _counted(items: Iterable[Weighed], terms: Terms) -> tuple[Counted, ...]:
    counted = {
        item.observation.id: Counted(
            item.observation.id,
            counting_day(item.counts_at, zone=terms.zone, cutoff=terms.numbers.day_cutoff) if item.counts_at else None,
            item.grade,
            item.flags,
        )
        for item in items
    }
    return tuple(counted[key] for key in sorted(counted))
