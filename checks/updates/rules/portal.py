"""Article 11.1: the portal itself, each working day. An item of a Saturday never pays for Friday or Monday."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from checks.updates.rules.coverage import Share
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.unread import UnreadableShare, say_unreadable
from portalops.calendar import Calendar
from portalops.model.exemptions import Exemption
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Numbers
from portalops.model.updates import Grade, PortalDay
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What is known of one local day."""

    day: date
    items: Sequence[GradedItem]
    """Those that count on it."""
    share: Share
    """How much of it was seen."""
    unreadable: Sequence[UnreadableShare]
    """What could not be read and may be what it lacks."""
    has_source: bool
    collected: bool
    """Every source was looked at after the day's end."""
    poll_overdue: bool
    is_over: bool
    is_unreachable: bool
    """It was looked at and did not answer once."""
    exempt_by: Exemption | None = None
    late_at: datetime | None = None
    """When the first update came that is told as late: after the day's close, and within the grace that the rulebook gives."""


def judge_portal_day(facts: DayFacts, *, calendar: Calendar, numbers: Numbers) -> PortalDay:
    """Judge one day; a day that is not worked is not assessed, its items are shown all the same."""
    solid = [item for item in facts.items if item.grade is not Grade.C]
    updates = _count(solid)
    pending = _count(facts.items) - updates
    if calendar.is_working(facts.day) and facts.exempt_by is not None:
        verdict, reason = DutyVerdict.EXEMPT, msg("exempt by {document}", document=facts.exempt_by.document)
    elif calendar.is_working(facts.day):
        verdict, reason = _judge(facts, updates, pending, numbers)
        if verdict is DutyVerdict.UNMET and facts.late_at is not None:
            reason = msg("{what}; met late, at {moment}", what=reason, moment=facts.late_at)
    else:
        verdict, reason = DutyVerdict.NOT_ASSESSED, calendar.reason(facts.day)
    return PortalDay(
        day=facts.day,
        working=calendar.is_working(facts.day),
        verdict=verdict,
        reason=reason,
        updates=updates,
        observations=tuple(item.seen.id for item in facts.items),
        unreachable=facts.is_unreachable,
    )


def _judge(facts: DayFacts, updates: int, pending: int, numbers: Numbers) -> tuple[DutyVerdict, Message]:
    if updates >= numbers.portal_daily_min:
        return DutyVerdict.MET, nmsg("{n} update seen", "{n} updates seen", updates)
    if not facts.is_over:
        return DutyVerdict.PENDING, msg("the day is not over")
    if updates + pending >= numbers.portal_daily_min:
        return DutyVerdict.PENDING, msg("rests on dates claimed by the source, which an officer must confirm")
    if not facts.has_source:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no source shows the portal")
    if facts.is_unreachable:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the portal did not answer in any poll of the day")
    if not facts.collected:
        if facts.poll_overdue:
            return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the portal was not polled after the day's end")
        return DutyVerdict.PENDING, msg("the day is over, but its end is still to be polled")
    if facts.share.percent < numbers.min_coverage_percent:
        return (
            DutyVerdict.INSUFFICIENT_EVIDENCE,
            msg("the polls cover only {percent} % of the day", percent=facts.share.percent),
        )
    if facts.unreadable:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, say_unreadable(facts.unreadable)
    seen = nmsg("{n} update seen", "{n} updates seen", updates)
    if not facts.share.unseen_hours:
        return DutyVerdict.UNMET, seen
    unseen = nmsg(
        "{what}; {n} hour of the day is covered by no poll",
        "{what}; {n} hours of the day are covered by no poll",
        facts.share.unseen_hours,
        what=seen,
    )
    return DutyVerdict.UNMET, unseen


def _count(items: Iterable[GradedItem]) -> int:
    """Count items; those posted in one go are one."""
    return len({item.session or item.seen.id for item in items})


def paying_day(day: date, *, calendar: Calendar, numbers: Numbers) -> date:
    """Return the day that an item of a day counts for: itself, unless the rulebook lets days off pay for the next."""
    while numbers.weekend_counts_daily and not calendar.is_working(day):
        day += timedelta(days=1)
    return day
