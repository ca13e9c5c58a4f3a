"""One unit's week, put together: its items counted, both indicators judged, the verdict and its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from checks.updates.rules.coverage import END, RHYTHM_DAYS, Coverage, DayBounds, StillRegister, UnseenStretch
from checks.updates.rules.grading import BEGINNING, is_unnamed
from checks.updates.rules.occasions import CountedDays, Counting, count_occasions
from checks.updates.rules.stamps import LocalDays, Stamp, moment, stamp
from checks.updates.rules.unread import UnreadableShare
from checks.updates.rules.weeks import (
    Moment,
    Tally,
    combine,
    explain,
    judge_indicator,
    moment_of,
    name_each,
    required_occasions,
    subportal_grace_ends,
    sum_tallies,
)
from checks.updates.terms import Terms
from portalops.model.exemptions import Exemption, ExemptionScope, exempt_by
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, UnitId, is_valid_on
from portalops.model.period import Period, Week
from portalops.model.rulebook import Numbers, UnitDuties
from portalops.model.updates import Counted, ItemChannel, UnitWeek, UnseenTime, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict

Weeks = Mapping[Week, Sequence[Counting]]
"""What may count, by every week that it may count in."""


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What is the same for every unit of a week."""

    week: Week
    first: date
    last: date
    working_days: tuple[date, ...]
    """By the calendar as it stands."""
    surely_working: tuple[date, ...]
    """Those of which the calendar is certain."""
    perhaps_working: tuple[date, ...]
    """Those, and any day that may yet be worked."""
    around: tuple[date, ...]
    """The working days that are over, from four weeks before the week to four weeks after it."""
    days: tuple[DayBounds, ...]
    """On which what comes may count."""
    counted: CountedDays
    start: Stamp
    end: Stamp
    """Exclusive."""
    seen_until: Stamp
    """Its end, or the moment of judging before that."""
    moment: Moment


def facts_of(week: Week, terms: Terms, days: LocalDays) -> WeekFacts:
    """Return what is the same for every unit of a week that has begun.

    Args:
        week: the week.
        terms: rulebook, calendar and the moment of judging.
        days: on which local day a stamp counts.
    """
    span, calendar = week.period(), terms.calendar
    start, end = (stamp(moment) for moment in span.bounds(terms.zone))
    over = terms.end_of(span.last)
    surely = tuple(day for day in span.days() if calendar.is_working(day) and calendar.is_certain(day))
    perhaps = tuple(day for day in span.days() if calendar.is_working(day) or not calendar.is_certain(day))
    counts_off = terms.numbers.weekend_counts_weekly
    counted = CountedDays(
        tuple(day.toordinal() for day in (span.days() if counts_off else surely)),
        tuple(day.toordinal() for day in (span.days() if counts_off else perhaps)),
    )
    return WeekFacts(
        week,
        span.first,
        span.last,
        calendar.working_days(span),
        surely,
        perhaps,
        _days_around(span, terms),
        tuple(DayBounds(day, *days.bounds(date.fromordinal(day))) for day in counted.perhaps),
        counted,
        start,
        end,
        min(end, max(stamp(terms.now), start)),
        moment_of(
            week,
            today=terms.today,
            end=over,
            now=terms.now,
            poll_due_by=terms.poll_due_by(over),
            calendar=calendar,
        ),
    )


def _days_around(span: Period, terms: Terms) -> tuple[date, ...]:
    reach = timedelta(days=RHYTHM_DAYS)
    last = min(span.last + reach, terms.today - timedelta(days=1))
    first = span.first - reach
    return terms.calendar.working_days(Period(first, last)) if first <= last else ()


def judge_unit_weeks(
    unit: Agency,
    weeks: Sequence[WeekFacts],
    items: Mapping[ItemChannel, Weeks],
    coverage: Coverage,
    terms: Terms,
    *,
    with_items: bool,
) -> Iterable[UnitWeek]:
    """Yield the judgement of a unit for each week in which it existed.

    Days on which it is exempt are not due, as days before its beginning are not.

    Args:
        unit: the unit.
        weeks: the weeks to judge; all have begun.
        items: what may count, by channel and week.
        coverage: what the looks can speak for.
        terms: rulebook, calendar and the moment of judging.
        with_items: name the items that a week's verdict rests on.
    """
    grace_end = subportal_grace_ends(unit, terms.numbers, terms.calendar)
    exemptions = [each for each in terms.decided.exemptions if each.unit == unit.id]
    pulled: frozenset[str] = frozenset()
    if terms.numbers.unit_duties is UnitDuties.SUM:
        pulled = _names(one for some in items.get(ItemChannel.SUBPORTAL, {}).values() for one in some)
    sources = {channel: coverage.sources(channel, unit.id) for channel in _INDICATORS}
    for facts in weeks:
        if _exists_in(unit, facts):
            own = {channel: items.get(channel, {}).get(facts.week, ()) for channel in _INDICATORS}
            yield _unit_week(
                unit,
                facts,
                _due(unit, facts.working_days, grace_end, exemptions),
                _due(unit, facts.surely_working, grace_end, exemptions),
                _due(unit, facts.perhaps_working, grace_end, exemptions),
                items=own,
                with_items=with_items,
                pulled=pulled,
                sources=sources,
                coverage=coverage,
                terms=terms,
            )


_INDICATORS = (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)


def _exists_in(unit: Agency, facts: WeekFacts) -> bool:
    return (unit.valid_from is None or unit.valid_from <= facts.last) and (
        unit.valid_to is None or unit.valid_to >= facts.first
    )


@dataclass(frozen=True, slots=True)
class _Due:
    """Which days of a week are due of a unit."""

    days: tuple[date, ...]
    """Working days on which it existed."""
    subportal: tuple[date, ...]
    """Those on which an update of its sub-portal is due."""
    submission: tuple[date, ...]
    """Those on which something to send in is due."""
    subportal_by: Exemption | None = None
    """By what no day of it is due that would be without."""
    submission_by: Exemption | None = None
    exemptions: tuple[str, ...] = ()
    """All that bear on the week."""


def _due(unit: Agency, days: tuple[date, ...], grace_end: date | None, exemptions: Sequence[Exemption]) -> _Due:
    if unit.valid_from is not None or unit.valid_to is not None:
        days = tuple(day for day in days if is_valid_on(unit, day))
    subportal: tuple[date, ...] = ()
    if unit.has_subportal:
        subportal = days if grace_end is None else tuple(day for day in days if day > grace_end)
    if not exemptions:
        return _Due(days, subportal, days)
    first = {day: exempt_by(exemptions, unit.id, ExemptionScope.SUBPORTAL, day) for day in subportal}
    second = {day: exempt_by(exemptions, unit.id, ExemptionScope.SUBMISSION, day) for day in days}
    return _Due(
        days,
        tuple(day for day, by in first.items() if by is None),
        tuple(day for day, by in second.items() if by is None),
        next(iter(first.values())) if first and all(first.values()) else None,
        next(iter(second.values())) if second and all(second.values()) else None,
        tuple(dict.fromkeys(by.id for by in (*first.values(), *second.values()) if by)),
    )


def _unit_week(
    unit: Agency,
    facts: WeekFacts,
    due: _Due,
    due_least: _Due,
    due_most: _Due,
    *,
    items: Mapping[ItemChannel, Sequence[Counting]],
    with_items: bool,
    pulled: frozenset[str],
    sources: Mapping[ItemChannel, Sequence[UpdateSourceTraits]],
    coverage: Coverage,
    terms: Terms,
) -> UnitWeek:
    numbers, moment = terms.numbers, facts.moment

    days, counted = _days_of_life(unit, facts)
    entered_by = _entered_by(facts, sources[ItemChannel.SUBMISSION], coverage, terms)

    def tally(channel: ItemChannel, required: Sequence[date], least: Sequence[date], most: Sequence[date]) -> Tally:
        own = items[channel]
        until = entered_by if channel is ItemChannel.SUBMISSION else facts.end
        is_collected = coverage.reaches(sources[channel], until or facts.end)
        silent = coverage.silent(sources[channel], facts.end)
        late = () if until is None else coverage.silent(sources[channel], until)
        unseen = coverage.unseen_days(sources[channel], unit.id, days)
        still: Sequence[StillRegister] = ()
        if moment.is_over and channel is ItemChannel.SUBMISSION:
            still = coverage.still(sources[channel], facts.start, facts.end, around=facts.around, zone=terms.zone)
            since = min((one.newest.toordinal() if one.newest else 0 for one in still), default=END)
            unseen |= {one.day for one in days if one.day >= since}
        occurred = count_occasions(own, counted, numbers=numbers, unseen=unseen)
        lasting: int | None = 0
        if not moment.is_over:
            lost = coverage.unseen_days(sources[channel], unit.id, days, for_good=True)
            lasting = count_occasions(own, counted, numbers=numbers, unseen=lost).most
        return Tally(
            occurred=occurred,
            required=required_occasions(len(required), numbers),
            required_least=required_occasions(len(least), numbers),
            required_most=required_occasions(len(most), numbers),
            share=coverage.share(sources[channel], facts.start, facts.seen_until, unit=unit.id),
            has_source=bool(sources[channel]),
            collected=is_collected,
            silent=silent,
            late=[one for one in late if one not in silent],
            unreadable=coverage.unreadable(sources[channel], unit.id, facts.start, facts.end),
            unseen_days=len(unseen),
            open_items=sum(not one.item.is_sure or one.may_come.first < one.days.last for one in own),
            unnamed=_unnamed(own),
            lasting_most=lasting,
            still=still,
            is_entered=not (
                moment.is_over and _is_waited_for(until, facts, terms, is_polled=is_collected or bool(silent))
            ),
        )

    k1 = tally(ItemChannel.SUBPORTAL, due.subportal, due_least.subportal, due_most.subportal)
    k2 = tally(ItemChannel.SUBMISSION, due.submission, due_least.submission, due_most.submission)
    first = judge_indicator(k1, moment=moment)
    second = judge_indicator(k2, moment=moment)
    # Without a sub-portal there is nothing to add up: the sum is then what was sent.
    both = k2
    if unit.has_subportal and numbers.unit_duties is UnitDuties.SUM:
        both = sum_tallies(k1, _without(k2, items[ItemChannel.SUBMISSION], pulled, counted, numbers))
    if not facts.perhaps_working:
        first = second = verdict = DutyVerdict.EXEMPT
    else:
        first = DutyVerdict.EXEMPT if due.subportal_by else first
        second = DutyVerdict.EXEMPT if due.submission_by else second
        summed = judge_indicator(both, moment=moment)
        if first is second is DutyVerdict.EXEMPT or (second is DutyVerdict.EXEMPT and not unit.has_subportal):
            summed = DutyVerdict.EXEMPT
        verdict = combine(first, second, duties=numbers.unit_duties, summed=summed)
    if numbers.unit_duties is UnitDuties.SUM:
        tallies: tuple[Tally, ...] = (both,)
    elif numbers.unit_duties is UnitDuties.SUBMIT_ONLY:
        tallies = (k2,)
    else:  # coverage and unseen hours are those of the indicators that the verdict rests on, and of no other
        tallies = tuple(each for own, each in ((first, k1), (second, k2)) if own is verdict) or (k2,)
    nearest = tallies
    if numbers.unit_duties is UnitDuties.EITHER and not moment.is_over:  # one of them is enough: what that one lacks
        nearest = (max(tallies, key=lambda each: each.occurred.least),)
    own = (
        _own_reason(first, k1, due.subportal_by, facts),
        _own_reason(second, k2, due.submission_by, facts),
    )
    by = due.submission_by or due.subportal_by
    if verdict is DutyVerdict.EXEMPT and by is not None:
        reason = msg("exempt by {document}", document=by.document)
    elif numbers.unit_duties in {UnitDuties.SUM, UnitDuties.SUBMIT_ONLY} or len(nearest) < len(tallies):
        reason = explain(verdict, nearest, moment=moment)
    else:
        reason = name_each(verdict, (first, own[0]), (second, own[1])) or explain(verdict, nearest, moment=moment)
    return UnitWeek(
        unit=unit.id,
        week=facts.week,
        verdict=verdict,
        reason=reason,
        required=max(k1.required, k2.required),
        subportal=k1.occurred.least,
        submissions=k2.occurred.least,
        subportal_verdict=first,
        submissions_verdict=second,
        working_days=len(due.days),
        coverage_percent=min(each.share.percent for each in tallies),
        pending=k1.occurred.hoped - k1.occurred.least + k2.occurred.hoped - k2.occurred.least,
        items=_counted(items) if with_items else (),
        unreachable=coverage.unreachable(sources[ItemChannel.SUBPORTAL], due.days),
        exemptions=due.exemptions,
        subportal_required=k1.required,
        submissions_required=k2.required,
        summed=both.occurred.least if numbers.unit_duties is UnitDuties.SUM else None,
        unseen_hours=max(each.share.unseen_hours for each in tallies),
        subportal_reason=None if first in _NOTHING_TO_SAY else own[0],
        submissions_reason=None if second in _NOTHING_TO_SAY else own[1],
        subportal_bounds=k1.bounds,
        submissions_bounds=k2.bounds,
        summed_bounds=both.bounds if numbers.unit_duties is UnitDuties.SUM else None,
        unseen=_unseen_of(unit.id, facts, sources, coverage) if with_items and verdict in _OPEN else (),
    )


def _entered_by(
    facts: WeekFacts, sources: Sequence[UpdateSourceTraits], coverage: Coverage, terms: Terms
) -> Stamp | None:
    """Return when the papers of a week have been entered: where a register tells of them, at the end of the first working day after it.

    None while that day is not over: clerks enter Friday's papers on Monday morning.
    """
    if not any(one.id in coverage.arrivals for one in sources):
        return facts.end
    day = next((day for day in facts.around if day > facts.last), None)
    return None if day is None else stamp(terms.end_of(day))


def _is_waited_for(until: Stamp | None, facts: WeekFacts, terms: Terms, *, is_polled: bool) -> bool:
    """Say whether papers may still be entered, or the first poll after that is still to come and not late.

    Args:
        until: when the papers have been entered; None where that is still to come.
        facts: of the week.
        terms: rulebook, calendar and the moment of judging.
        is_polled: there was that poll, or no answer from after the week's end proves anything, which is a lack by itself.
    """
    if until is None:
        return True
    return until > facts.end and not is_polled and terms.now < terms.poll_due_by(moment(until))


def _unnamed(items: Sequence[Counting]) -> Sequence[UnreadableShare]:
    """Return of how many items the author is not written, by source; one that may be of two days is one."""
    sources = {one.item.seen.id: one.item.seen.source for one in items if not one.item.is_sure and is_unnamed(one.item)}
    return (
        tuple(UnreadableShare(source, count) for source, count in Counter(sources.values()).items()) if sources else ()
    )


_OPEN = frozenset({DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.UNMET})
_MOST_UNSEEN = 20
"""Stretches of a week that are named; a source that fails each hour has more."""


def _days_of_life(unit: Agency, facts: WeekFacts) -> tuple[Sequence[DayBounds], CountedDays]:
    """Return the days of a week on which what a unit does counts: those of its life."""
    if unit.valid_from is None and unit.valid_to is None:
        return facts.days, facts.counted
    first = unit.valid_from.toordinal() if unit.valid_from else 0
    last = unit.valid_to.toordinal() if unit.valid_to else date.max.toordinal()
    return [one for one in facts.days if first <= one.day <= last], CountedDays(
        [day for day in facts.counted.surely if first <= day <= last],
        [day for day in facts.counted.perhaps if first <= day <= last],
    )


def _unseen_of(
    unit: UnitId,
    facts: WeekFacts,
    sources: Mapping[ItemChannel, Sequence[UpdateSourceTraits]],
    coverage: Coverage,
) -> tuple[UnseenTime, ...]:
    found = dict.fromkeys(
        each
        for channel in _INDICATORS
        for one in sources[channel]
        for each in coverage.unseen(one, unit, facts.start, facts.end)
    )
    return tuple(as_unseen_time(each) for each in [*found][:_MOST_UNSEEN])


def as_unseen_time(one: UnseenStretch) -> UnseenTime:
    """Return a stretch as it is recorded."""
    return UnseenTime(
        one.source,
        None if one.since == BEGINNING else moment(one.since),
        None if one.until == END else moment(one.until),
    )


_NOTHING_TO_SAY = frozenset({DutyVerdict.MET, DutyVerdict.NOT_ASSESSED})


def _own_reason(verdict: DutyVerdict, tally: Tally, by: Exemption | None, facts: WeekFacts) -> Message:
    """Say why one indicator has its verdict."""
    if verdict is DutyVerdict.EXEMPT and by is not None:
        return msg("exempt by {document}", document=by.document)
    return explain(verdict, (tally,), moment=facts.moment)


def _names(items: Iterable[Counting]) -> frozenset[str]:
    """Return by what items are known again elsewhere: their texts and addresses."""
    return frozenset(name for one in items for name in (one.item.seen.text, one.item.seen.url) if name)


def _without(
    k2: Tally, items: Iterable[Counting], own: frozenset[str], counted: CountedDays, numbers: Numbers
) -> Tally:
    """Return K2 without what the portal pulled from the sub-portal: an item is one in the sum, whatever it counts for."""
    sent = [one for one in items if one.item.seen.channel == ItemChannel.SUBMISSION or own.isdisjoint(_names((one,)))]
    occurred = count_occasions(sent, counted, numbers=numbers)
    most = (
        None
        if k2.occurred.most is None or occurred.most is None
        else min(k2.occurred.most, occurred.most + k2.unseen_days)
    )
    return replace(k2, occurred=occurred._replace(most=most))


def _counted(items: Mapping[ItemChannel, Sequence[Counting]]) -> tuple[Counted, ...]:
    counted = {one.item.seen.id: as_counted(one) for some in items.values() for one in some}
    return tuple(counted[key] for key in sorted(counted))


def as_counted(one: Counting) -> Counted:
    """Return what an item comes to, as it is recorded."""
    came = one.item.came
    return Counted(
        one.item.seen.id,
        one.day,
        one.item.grade,
        one.item.flags,
        None if came is None or came.first == BEGINNING else moment(came.first),
        None if came is None else moment(came.last),
        one.item.is_sure,
    )
