"""Article 11.1: the portal itself, each working day. An item of a Saturday never pays for Friday or Monday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from checks.updates.rules.occasions import Counting, fewest_items, most_items
from checks.updates.rules.unread import UnreadableShare, say_unreadable
from portalops.calendar import Calendar
from portalops.model.exemptions import Exemption
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Numbers
from portalops.model.updates import Bounds, PortalDay, UnseenTime
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What is known of one local day."""

    day: date
    items: Sequence[Counting]
    """Those that may count on it."""
    surely: Sequence[Counting]
    """Those of them that count on it for certain."""
    hoped: Sequence[Counting]
    """Those, and the ones that count on it if officers confirm what they claim."""
    unseen: Sequence[UnseenTime]
    """What of it no source has shown, or not every source."""
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
    updates = fewest_items(facts.surely)
    most = None if facts.unseen else most_items(facts.items)
    is_working, is_certain = calendar.is_working(facts.day), calendar.is_certain(facts.day)
    if (is_working or not is_certain) and facts.exempt_by is not None:
        verdict, reason = DutyVerdict.EXEMPT, msg("exempt by {document}", document=facts.exempt_by.document)
    elif is_working or not is_certain:
        verdict, reason = _judge(facts, updates, most, numbers)
        if verdict is DutyVerdict.UNMET and not is_certain:
            verdict, reason = DutyVerdict.INSUFFICIENT_EVIDENCE, _say_uncertain(facts.day, calendar)
        if verdict is DutyVerdict.UNMET and facts.late_at is not None:
            reason = msg("{what}; met late, at {moment}", what=reason, moment=facts.late_at)
    else:
        verdict, reason = DutyVerdict.NOT_ASSESSED, calendar.reason(facts.day)
    due = numbers.portal_daily_min
    return PortalDay(
        day=facts.day,
        working=is_working,
        verdict=verdict,
        reason=reason,
        updates=updates,
        observations=tuple(dict.fromkeys(one.item.seen.id for one in facts.items)),
        unreachable=facts.is_unreachable,
        bounds=Bounds(
            updates,
            most,
            due if is_working and is_certain else 0,
            due if is_working or not is_certain else 0,
            sum(one.parts for one in facts.unreadable),
        ),
        unseen=() if verdict is DutyVerdict.MET else tuple(facts.unseen[:_MOST_UNSEEN]),
    )


_MOST_UNSEEN = 20
"""Stretches of a day that are named."""


def _say_uncertain(day: date, calendar: Calendar) -> Message:
    return msg("it is not certain whether this is a working day ({reason})", reason=calendar.reason(day))


def _judge(facts: DayFacts, updates: int, most: int | None, numbers: Numbers) -> tuple[DutyVerdict, Message]:
    due = numbers.portal_daily_min
    if updates >= due:
        return DutyVerdict.MET, nmsg("{n} update seen", "{n} updates seen", updates)
    if not facts.is_over:
        return DutyVerdict.PENDING, msg("the day is not over")
    if fewest_items(facts.hoped) >= due:
        return DutyVerdict.PENDING, msg("rests on dates claimed by the source, which an officer must confirm")
    if not facts.has_source:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no source shows the portal")
    if facts.is_unreachable:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the portal did not answer in any poll of the day")
    if not facts.collected:
        if facts.poll_overdue:
            return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the portal was not polled after the day's end")
        return DutyVerdict.PENDING, msg("the day is over, but its end is still to be polled")
    seen = nmsg("{n} update seen", "{n} updates seen", updates)
    if most is None:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{what}; nobody saw all of the day", what=seen)
    if facts.unreadable:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, say_unreadable(facts.unreadable)
    if most >= due:
        more = nmsg(
            "{what}; {n} item may have come on this day or on another, or does not count for certain",
            "{what}; {n} items may have come on this day or on another, or do not count for certain",
            most - updates,
            what=seen,
        )
        return DutyVerdict.INSUFFICIENT_EVIDENCE, more
    return DutyVerdict.UNMET, seen


def paying_day(day: date, *, calendar: Calendar, numbers: Numbers) -> date:
    """Return the day that an item of a day counts for: itself, unless the rulebook lets days off pay for the next."""
    while numbers.weekend_counts_daily and not calendar.is_working(day):
        day += timedelta(days=1)
    return day
