"""Where each unit stands in a week that may still run: the daily view of Article 11.3's tracking. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from checks.updates.rules.weeks import due_days, is_at_risk, is_out_of_sight
from portalops.calendar import Calendar
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, UnitId
from portalops.model.rulebook import UnitDuties
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict


class UnitProspect(StrEnum):
    """What an officer should think of a unit's week today."""

    MET = "met"
    ON_COURSE = "on-course"
    AT_RISK = "at-risk"
    """More occasions are missing than working days are left, and all was seen."""
    MISSED = "missed"
    PENDING = "pending"
    """The week is over; a look or a confirmation is still to come."""
    INSUFFICIENT_EVIDENCE = "insufficient-evidence"
    """Also of a running week: no source shows what comes, or so much went unseen that nobody can say what it lacks."""
    EXEMPT = "exempt"
    NOT_ASSESSED = "not-assessed"


STATE_WORDS: Mapping[UnitProspect, Message] = {
    UnitProspect.MET: msg("met"),
    UnitProspect.ON_COURSE: msg("on course"),
    UnitProspect.AT_RISK: msg("at risk"),
    UnitProspect.MISSED: msg("missed"),
    UnitProspect.PENDING: msg("awaiting confirmation"),
    UnitProspect.INSUFFICIENT_EVIDENCE: msg("insufficient evidence"),
    UnitProspect.EXEMPT: msg("exempt"),
    UnitProspect.NOT_ASSESSED: msg("not assessed"),
}


@dataclass(frozen=True, slots=True)
class Tracked:
    """One unit on one day of its week."""

    unit: Agency
    week: UnitWeek
    state: UnitProspect
    items_of_day: int
    """Items that count on this day, also those that pend."""
    missing: int
    """Occasions still due."""
    days_left: int
    """Working days of the week that are left, today included."""


def track(
    weeks: Sequence[UnitWeek],
    units: Sequence[Agency],
    *,
    day: date,
    today: date,
    calendar: Calendar,
    duties: UnitDuties,
) -> tuple[Tracked, ...]:
    """Return where each unit stands, in the order of the units.

    Args:
        weeks: the units' weeks that hold the day.
        units: whom to show.
        day: whose items are counted.
        today: from when on working days are left.
        calendar: the working days.
        duties: the reading of Article 11.2.
    """
    by_unit: Mapping[UnitId, UnitWeek] = {week.unit: week for week in weeks}
    found = []
    for unit in units:
        week = by_unit.get(unit.id)
        if week is None:
            continue
        days_left = sum(one >= today for one in due_days(unit, week.week, calendar))
        missing = _missing(week, duties)
        found.append(
            Tracked(
                unit=unit,
                week=week,
                state=_state(week, is_over=today > week.week.period().last),
                items_of_day=sum(item.day == day for item in week.items),
                missing=missing,
                days_left=days_left,
            )
        )
    return tuple(found)


def _missing(week: UnitWeek, duties: UnitDuties) -> int:
    """Return how many occasions the week still lacks under a reading of Article 11.2."""
    submissions = max(0, week.due_to_send - week.submissions)
    subportal = max(0, week.due_on_subportal - week.subportal)
    if week.subportal_verdict in {DutyVerdict.NOT_ASSESSED, DutyVerdict.EXEMPT}:
        return submissions
    match duties:
        case UnitDuties.BOTH:
            return max(submissions, subportal)
        case UnitDuties.EITHER:
            return min(submissions, subportal)
        case UnitDuties.SUBMIT_ONLY:
            return submissions
        case UnitDuties.SUM:
            return max(0, week.required - week.added_up)


def _state(week: UnitWeek, *, is_over: bool) -> UnitProspect:
    match week.verdict:
        case DutyVerdict.MET:
            return UnitProspect.MET
        case DutyVerdict.UNMET:
            return UnitProspect.MISSED
        case DutyVerdict.INSUFFICIENT_EVIDENCE:
            return UnitProspect.INSUFFICIENT_EVIDENCE
        case DutyVerdict.EXEMPT:
            return UnitProspect.EXEMPT
        case DutyVerdict.NOT_ASSESSED:
            return UnitProspect.NOT_ASSESSED
        case DutyVerdict.PENDING if is_over:
            return UnitProspect.PENDING
        case DutyVerdict.PENDING if is_at_risk(week.reason):
            return UnitProspect.AT_RISK
        case DutyVerdict.PENDING:
            return UnitProspect.INSUFFICIENT_EVIDENCE if is_out_of_sight(week.reason) else UnitProspect.ON_COURSE
