"""Article 11.2: each unit, each ISO week, both indicators.

K1 is the unit's own sub-portal, K2 what it sends to the managing unit. The number due shrinks with the week: two for
three working days or more, one for one or two, none (exempt) for a week without working days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from checks.updates.rules.coverage import Share
from checks.updates.rules.unread import UnreadableShare, say_unreadable
from portalops.calendar import Calendar
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Agency, is_valid_on
from portalops.model.period import Week
from portalops.model.rulebook import Numbers, UnitDuties
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class Tally:
    """One indicator of one unit's week, counted."""

    solid: int
    """Occasions with proof."""
    pending: int
    """Further occasions if the claimed dates were confirmed."""
    required: int
    """Occasions that are due; 0 where nothing is."""
    share: Share
    """How much of the week was seen, as far as it has gone."""
    has_source: bool
    collected: bool
    """Every source was looked at after the week's end."""
    unreadable: Sequence[UnreadableShare] = ()
    """What could not be read and may be what is missing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a week stands when it is judged."""

    is_over: bool
    poll_overdue: bool
    """The look after its end should have been there by now."""
    days_left: int
    """Working days of the week that are still to come, today included; 0 when it is over."""


def required_occasions(working_days: int, numbers: Numbers) -> int:
    """Return how many occasions are due in a week of so many working days.

    >>> [required_occasions(days, Numbers()) for days in range(7)]
    [0, 1, 1, 2, 2, 2, 2]
    """
    if not numbers.short_weeks_ask_less:
        return numbers.unit_weekly_min if working_days else 0
    due = -(-numbers.unit_weekly_min * working_days // 5)
    return min(due, numbers.unit_weekly_min)


def due_days(unit: Agency, week: Week, calendar: Calendar) -> tuple[date, ...]:
    """Return the working days of a week on which a unit existed."""
    return tuple(day for day in calendar.working_days(week.period()) if is_valid_on(unit, day))


def subportal_grace_ends(unit: Agency, numbers: Numbers, calendar: Calendar) -> date | None:
    """Return the last day on which a new unit need not have a sub-portal yet; None for a unit without a first day."""
    if unit.valid_from is None or numbers.new_subportal_grace_working_days < 1:
        return None
    first = unit.valid_from
    more = numbers.new_subportal_grace_working_days - calendar.is_working(first)
    return calendar.add_working_days(first, more) if more else first


def judge_indicator(tally: Tally, *, moment: Moment, numbers: Numbers) -> DutyVerdict:
    """Judge one indicator. What could not be seen or read is never held against a unit, and never counted for it."""
    if tally.required == 0:
        return DutyVerdict.NOT_ASSESSED
    if tally.solid >= tally.required:
        return DutyVerdict.MET
    if not moment.is_over:
        return DutyVerdict.PENDING
    if tally.solid + tally.pending >= tally.required:
        return DutyVerdict.PENDING
    if tally.has_source and not tally.collected:
        return DutyVerdict.INSUFFICIENT_EVIDENCE if moment.poll_overdue else DutyVerdict.PENDING
    if not tally.has_source or tally.share.percent < numbers.min_coverage_percent or tally.unreadable:
        return DutyVerdict.INSUFFICIENT_EVIDENCE
    return DutyVerdict.UNMET


def combine(
    subportal: DutyVerdict, submissions: DutyVerdict, *, duties: UnitDuties, summed: DutyVerdict
) -> DutyVerdict:
    """Return the week's verdict under a reading of Article 11.2; `summed` is K1 and K2 judged as one."""
    match duties:
        case UnitDuties.SUBMIT_ONLY:
            return submissions
        case UnitDuties.SUM:
            return summed
        case UnitDuties.BOTH:
            order = _STRICT
        case UnitDuties.EITHER:
            order = _LENIENT
    found = {subportal, submissions}
    return next(verdict for verdict in order if verdict in found)


_STRICT = (
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
    DutyVerdict.MET,
    DutyVerdict.EXEMPT,
    DutyVerdict.NOT_ASSESSED,
)
_LENIENT = (
    DutyVerdict.MET,
    DutyVerdict.PENDING,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.UNMET,
    DutyVerdict.EXEMPT,
    DutyVerdict.NOT_ASSESSED,
)


def sum_tallies(first: Tally, second: Tally) -> Tally:
    """Return K1 and K2 as one indicator."""
    return Tally(
        first.solid + second.solid,
        first.pending + second.pending,
        max(first.required, second.required),
        Share(
            min(first.share.percent, second.share.percent),
            max(first.share.unseen_hours, second.share.unseen_hours),
        ),
        first.has_source and second.has_source,
        first.collected and second.collected,
        tuple(dict.fromkeys((*first.unreadable, *second.unreadable))),
    )


def explain(verdict: DutyVerdict, tallies: Sequence[Tally], *, moment: Moment, numbers: Numbers) -> Message:
    """Say in one sentence why a week has its verdict; `tallies` are those that it rests on."""
    required = max(tally.required for tally in tallies)
    match verdict:
        case DutyVerdict.EXEMPT:
            return msg("no working day in this week")
        case DutyVerdict.NOT_ASSESSED:
            return msg("nothing was due of this unit in this week")
        case DutyVerdict.MET:
            return nmsg("reached the {n} occasion due", "reached the {n} occasions due", required)
        case DutyVerdict.UNMET:
            short = nmsg("fewer than the {n} occasion due", "fewer than the {n} occasions due", required)
            return _with_unseen(short, max(tally.share.unseen_hours for tally in tallies))
        case DutyVerdict.INSUFFICIENT_EVIDENCE:
            return _explain_unknown(tallies, numbers)
        case DutyVerdict.PENDING:
            return _explain_pending(tallies, moment)


def name_each(
    verdict: DutyVerdict, subportal: tuple[DutyVerdict, Message], submissions: tuple[DutyVerdict, Message]
) -> Message | None:
    """Name each indicator with its own reason, the one that decides first; None where one sentence holds for all.

    Args:
        verdict: the week's.
        subportal: the verdict and reason of K1.
        submissions: the same of K2.
    """
    (first, k1), (second, k2) = subportal, submissions
    if DutyVerdict.NOT_ASSESSED in {first, second} or (first is second and k1 == k2):
        return None
    named = msg("sub-portal (K1): {why}", why=k1), msg("sent in (K2): {why}", why=k2)
    if first is not verdict:
        named = named[1], named[0]
    return msg("{first}; {second}", first=named[0], second=named[1])


def _with_unseen(short: Message, hours: int) -> Message:
    """Name the hours that nobody saw of a week that enough of was seen to be judged."""
    if not hours:
        return short
    return nmsg(
        "{what}; {n} hour of the week is covered by no poll",
        "{what}; {n} hours of the week are covered by no poll",
        hours,
        what=short,
    )


def _explain_unknown(tallies: Sequence[Tally], numbers: Numbers) -> Message:
    if not all(tally.has_source for tally in tallies):
        return msg("no source shows this unit's items")
    if not all(tally.collected for tally in tallies):
        return msg("the sources were not polled after the week's end")
    percent = min(tally.share.percent for tally in tallies)
    if percent < numbers.min_coverage_percent:
        return msg("the polls cover only {percent} % of the week", percent=percent)
    return say_unreadable(tuple(dict.fromkeys(one for tally in tallies for one in tally.unreadable)))


def _explain_pending(tallies: Sequence[Tally], moment: Moment) -> Message:
    if moment.is_over:
        if any(tally.solid < tally.required <= tally.solid + tally.pending for tally in tallies):
            return msg("rests on dates claimed by the source, which an officer must confirm")
        return msg("the week is over, but its last day is still to be polled")
    missing = max(tally.required - tally.solid for tally in tallies)
    left = nmsg("{n} working day left", "{n} working days left", moment.days_left)
    if missing > moment.days_left:
        return msg("at risk: {missing} more due, {left}", missing=missing, left=left)
    return msg("on course: {missing} more due, {left}", missing=missing, left=left)


def moment_of(
    week: Week, *, today: date, end: datetime, now: datetime, poll_due_by: datetime, calendar: Calendar
) -> Moment:
    """Say where a week stands at a moment; `end` is its exclusive end and `poll_due_by` when the look after it is late."""
    left = 0 if now >= end else sum(day >= today for day in calendar.working_days(week.period()))
    return Moment(is_over=now >= end, poll_overdue=now >= poll_due_by, days_left=left)
